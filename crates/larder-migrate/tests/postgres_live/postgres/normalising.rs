//! Models are printed by the server, which notices nothing of it afterwards.

use larder_migrate::{Session, SessionErrorKind, Target, introspect, normalise};
use larder_model::{
    Catalog, CheckModel, ColumnModel, DataType, DefaultModel, DefaultValue, Dialect,
    ForeignKeyModel, Identifier, IndexModel, Lowered, TableModel,
};

use crate::databases::with_session;

fn id(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

fn check(expression: &str) -> CheckModel {
    CheckModel { name: None, expression: expression.to_owned() }
}

/// A model with everything that only the server knows how to print.
fn model(schema: &'static str) -> Lowered {
    let labels = vec!["ok".to_owned(), "sad".to_owned()];
    let mood = DataType::Enum { name: id("Mood"), labels };
    let mut feeling = ColumnModel::new(id("feeling"), mood);
    feeling.default = Some(DefaultModel::Value(DefaultValue::Text("ok".into())));
    let mut at = ColumnModel::new(id("at"), larder_model::ColumnKind::TimestampUtc);
    at.default = Some(DefaultModel::Sql("Now() - INTERVAL '2 hours'".into()));
    let mut key = ColumnModel::of::<i64>(id("id"));
    (key.key, key.auto_increment) = (true, true);
    let mut double = ColumnModel::of::<i64>(id("double"));
    double.generated = Some("ID*2".into());
    let mut index = IndexModel::over([id("at")]);
    index.predicate = Some("Feeling<>'sad'".into());
    index.unique = true;
    let model = TableModel::builder(id("person"))
        .schema(id(schema))
        .column(key)
        .column(feeling)
        .column(at)
        .column(double)
        .index(index)
        .check(check("feeling in ('ok','sad')"))
        .check(check("id>0 and double<>id"))
        .foreign_key(ForeignKeyModel::new(id("id"), id("nowhere"), id("id")))
        .build()
        .unwrap();
    Dialect::Postgres.lower(&model, None).unwrap()
}

fn assert_normal(catalog: &Catalog, schema: &str) {
    let table = &catalog.tables[0];
    let ty = format!("{schema}.\"Mood\"");
    assert_eq!(table.name.schema.as_deref(), Some(schema.trim_matches('"')));
    let column = |name| table.column(name).unwrap();
    assert_eq!(column("feeling").ty, ty);
    assert_eq!(column("feeling").default, Some(format!("'ok'::{ty}")));
    assert_eq!(column("at").default.as_deref(), Some("(now() - '02:00:00'::interval)"));
    assert!(column("at").kind.is_some());
    assert_eq!(column("double").generated.as_ref().unwrap().expression, "id * 2");
    let index = &table.indexes[0];
    assert_eq!((index.name.as_str(), index.unique), ("person_at_idx", true));
    assert_eq!(index.predicate, Some(format!("feeling <> 'sad'::{ty}")));
    let checks: Vec<_> = table.checks.iter().map(|check| check.expression.as_str()).collect();
    let list = format!("feeling = ANY (ARRAY['ok'::{ty}, 'sad'::{ty}])");
    assert_eq!(checks, [list.as_str(), "(id > 0) AND (double <> id)"]);
    assert_eq!(table.foreign_keys[0].target.name, "nowhere");
    assert_eq!(catalog.enums.len(), 1);
}

async fn schemas(session: &mut dyn Session) -> usize {
    session.fetch("SELECT oid FROM pg_namespace", &[]).await.unwrap().len()
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_a_person_wrote_comes_back_as_the_server_prints_it() {
    with_session(|mut session, _| async move {
        let before = schemas(&mut *session).await;
        // Neither the schema nor what is referred to has to be there.
        for (schema, printed) in
            [("public", "public"), ("My App", "\"My App\""), ("user", "\"user\"")]
        {
            let normal = normalise(&mut *session, vec![model(schema)]).await.unwrap();
            assert_normal(&normal, printed);
        }
        assert_eq!(schemas(&mut *session).await, before);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_type_of_other_labels_that_is_there_does_not_matter() {
    with_session(|mut session, _| async move {
        session.run("CREATE TYPE \"Mood\" AS ENUM ('else')").await.unwrap();
        let normal = normalise(&mut *session, vec![model("public")]).await.unwrap();
        assert_normal(&normal, "public");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_transaction_of_the_caller_goes_on_also_after_an_error() {
    with_session(|mut session, _| async move {
        session.begin().await.unwrap();
        session.run("CREATE TABLE mine (id int)").await.unwrap();
        let normal = normalise(&mut *session, vec![model("public")]).await.unwrap();
        assert_normal(&normal, "public");
        let mut broken = model("public");
        broken.table.checks[0].expression = "nothing of that name > 0".into();
        let error = normalise(&mut *session, vec![broken]).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Statement);
        let mut unknown = model("public");
        unknown.table.checks[0].expression = "nothing > 0".into();
        let error = normalise(&mut *session, vec![unknown]).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::UndefinedColumn);
        session.commit().await.unwrap();
        let catalog = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
        let names: Vec<_> = catalog.tables.iter().map(|table| table.name.name.as_str()).collect();
        assert_eq!(names, ["mine"]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn roles_without_rights_normalise_as_far_as_they_may() {
    with_session(|mut session, _| async move {
        let role = format!("larder_test_{:016x}", rand::random::<u64>());
        session
            .run(&format!("CREATE ROLE {role}; GRANT {role} TO CURRENT_USER; SET ROLE {role}"))
            .await
            .unwrap();
        let may_create = session.run("CREATE SCHEMA nope").await.is_ok();
        let temporary = normalise(&mut *session, vec![model("My App"), model("public")]).await;
        let revoke = "RESET ROLE; DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM \
            PUBLIC', current_database()); END $$";
        session.run(&format!("{revoke}; SET ROLE {role}")).await.unwrap();
        let nothing = normalise(&mut *session, vec![model("public")]).await;
        session.run("RESET ROLE; SET default_transaction_read_only = on").await.unwrap();
        let read_only = normalise(&mut *session, vec![model("public")]).await;
        session.run("SET default_transaction_read_only = off").await.unwrap();
        session.run(&format!("DROP ROLE {role}")).await.unwrap();
        assert!(!may_create);
        let mut temporary = temporary.unwrap();
        let second = temporary.tables.split_off(1);
        let mut enums = std::mem::take(&mut temporary.enums);
        let first_enum = enums.remove(0);
        assert_normal(&Catalog { enums: vec![first_enum], ..temporary }, "\"My App\"");
        assert_normal(&Catalog { enums, tables: second }, "public");
        assert_eq!(nothing.unwrap().tables[0], model("public").table);
        assert_eq!(read_only.unwrap().tables[0], model("public").table);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn hundreds_of_models_are_normalised_in_parts() {
    with_session(|mut session, _| async move {
        let models = (0..450).map(|number| {
            let mut lowered = model("public");
            lowered.table.name.name = format!("t{number}");
            lowered.table.indexes.clear();
            lowered
        });
        let normal = normalise(&mut *session, models.collect()).await.unwrap();
        assert_eq!((normal.tables.len(), normal.enums.len()), (450, 1));
        let expected = "(id > 0) AND (double <> id)";
        assert!(normal.tables.iter().all(|table| table.checks[1].expression == expected));
    })
    .await;
}
