//! A migrator finds what is there, takes what will do, and has nothing left to do afterwards.

use std::sync::Arc;

use larder_migrate::{MigrateOptions, Migrator, ModelRef, Standing, UrlConnector};
use larder_model::{
    CheckModel, ColumnKind, ColumnModel, DataType, DefaultModel, DefaultValue, ForeignKeyModel,
    Identifier, IndexModel, Policy, TableModel,
};

use crate::databases::with_session;

fn id(name: &'static str) -> Identifier {
    Identifier::from_static(name)
}

fn text(name: &'static str, default: &'static str) -> ColumnModel {
    let mut column = ColumnModel::new(id(name), ColumnKind::Text);
    column.default = Some(DefaultModel::Value(DefaultValue::Text(default.into())));
    column
}

fn key() -> ColumnModel {
    let mut key = ColumnModel::of::<i64>(id("id"));
    (key.key, key.auto_increment) = (true, true);
    key
}

async fn ensure(migrator: &Migrator, models: &[&TableModel], policy: Policy) -> Vec<Standing> {
    let models: Vec<_> = models.iter().map(|table| ModelRef::new("model", table)).collect();
    migrator.ensure(&models, policy).await.unwrap_or_else(|error| panic!("{error:?}"))
}

fn migrator(url: &str) -> Migrator {
    Migrator::new(Arc::new(UrlConnector::new(url)), MigrateOptions::new())
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn columns_of_another_type_that_will_do_need_no_change() {
    with_session(|mut session, url| async move {
        session
            .run(
                "CREATE TABLE person (id bigserial PRIMARY KEY, extra int,
                   name varchar(77) COLLATE \"C\" NOT NULL DEFAULT 'x' CHECK (name <> 'nobody'));
                 CREATE INDEX mine ON person (lower(name)) WHERE name <> 'somebody'",
            )
            .await
            .unwrap();
        let mut index = IndexModel::over([]);
        index.parts.push(larder_model::IndexPartModel {
            of: larder_model::IndexTermModel::Expression("lower(name)".into()),
            descending: false,
        });
        index.predicate = Some("name <> 'somebody'".into());
        let model = TableModel::builder(id("person"))
            .column(key())
            .column(text("name", "x"))
            .check(CheckModel { name: None, expression: "name <> 'nobody'".into() })
            .index(index)
            .build()
            .unwrap();
        let standings = ensure(&migrator(&url), &[&model], Policy::Verify).await;
        assert_eq!(standings, [Standing::Verified]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_type_that_is_there_without_a_table_is_used() {
    with_session(|mut session, url| async move {
        session.run("CREATE TYPE mood AS ENUM ('ok', 'sad')").await.unwrap();
        let labels = vec!["ok".to_owned(), "sad".to_owned()];
        let mood = DataType::Enum { name: id("mood"), labels };
        let model = TableModel::builder(id("person"))
            .column(key())
            .column(ColumnModel::new(id("mood"), mood))
            .build()
            .unwrap();
        let migrator = migrator(&url);
        let standings = ensure(&migrator, &[&model], Policy::Additive).await;
        assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:#?}");
        let standings = ensure(&migrator, &[&model], Policy::Verify).await;
        assert_eq!(standings, [Standing::Verified]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn online_steps_are_taken_by_the_safe_policy_and_refused_by_the_default_one() {
    with_session(|mut session, url| async move {
        session
            .run(
                "CREATE TABLE team (id bigint PRIMARY KEY); INSERT INTO team VALUES (1);
                 CREATE TABLE person (id bigint PRIMARY KEY, name text, team bigint);
                 INSERT INTO person VALUES (1, 'a', 1), (2, 'b', NULL)",
            )
            .await
            .unwrap();
        let mut name = ColumnModel::of::<String>(id("name"));
        name.unique = true;
        let mut id_column = ColumnModel::of::<i64>(id("id"));
        id_column.key = true;
        let model = TableModel::builder(id("person"))
            .column(id_column)
            .column(name)
            .column(ColumnModel::of::<Option<i64>>(id("team")))
            .index(IndexModel::over([id("team")]))
            .foreign_key(ForeignKeyModel::new(id("team"), id("team"), id("id")))
            .check(CheckModel { name: None, expression: "name <> ''".into() })
            .build()
            .unwrap();
        let migrator = migrator(&url);
        let standings = ensure(&migrator, &[&model], Policy::Additive).await;
        let Standing::Refused { refused, .. } = &standings[0] else { panic!("{standings:#?}") };
        assert_eq!(refused.len(), 5);
        let standings = ensure(&migrator, &[&model], Policy::Safe).await;
        assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:#?}");
        let standings = ensure(&migrator, &[&model], Policy::Verify).await;
        assert_eq!(standings, [Standing::Verified]);
        let count = session.fetch("SELECT count(*) FROM person", &[]).await.unwrap();
        assert_eq!(count[0][0].as_integer(), Some(2));
    })
    .await;
}

/// Also one of a type alone, and the one in which the registry is.
#[tokio::test]
#[ignore = "needs a live service"]
async fn a_schema_that_is_missing_is_made_with_its_first_table() {
    with_session(|mut session, url| async move {
        let labels = vec!["ok".to_owned(), "sad".to_owned()];
        let mood = DataType::Enum { name: id("mood"), labels };
        let builder = |name, schema| TableModel::builder(id(name)).schema(id(schema)).column(key());
        let feeling = ColumnModel::new(id("mood"), mood);
        let first = builder("first", "My \"App").column(feeling).build().unwrap();
        let second = builder("second", "My \"App").build().unwrap();
        let third = TableModel::builder(id("third")).column(key()).build().unwrap();
        let models =
            [ModelRef::new("A", &first), ModelRef::new("B", &second), ModelRef::new("C", &third)];
        let options = MigrateOptions::new().with_schema("of its own");
        let migrator = Migrator::new(Arc::new(UrlConnector::new(&url)), options);
        let pending = migrator.verify(&models).await.unwrap();
        assert!(pending.iter().all(|of| matches!(of, Standing::Pending { .. })), "{pending:#?}");
        let planned = migrator.plan(&models).await.unwrap();
        let creates = planned.plan.statements().filter(|sql| sql.contains("SCHEMA"));
        let creates: Vec<_> = creates.collect();
        assert_eq!(creates, ["CREATE SCHEMA IF NOT EXISTS \"My \"\"App\""]);
        let applied = migrator.apply(&planned, Policy::Additive).await;
        let applied = applied.unwrap_or_else(|error| panic!("{error:#?}"));
        assert_eq!(applied.versions.len(), 3);
        for sql in [
            "SELECT FROM \"My \"\"App\".first",
            "SELECT FROM \"My \"\"App\".second",
            "SELECT FROM \"of its own\".third",
        ] {
            session.fetch(sql, &[]).await.unwrap();
        }
        let standings = migrator.verify(&models).await.unwrap();
        assert!(standings.iter().all(|of| *of == Standing::Verified), "{standings:#?}");
        assert!(migrator.plan(&models).await.unwrap().plan.is_empty());
    })
    .await;
}
