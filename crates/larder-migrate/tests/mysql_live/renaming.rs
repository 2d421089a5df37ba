//! Tables and columns that get other names.

use larder_migrate::{Session, Target, introspect, normalise};
use larder_model::{
    Catalog, CheckModel, Class, ColumnKind, ColumnModel, Dialect, ForeignKeyModel, Identifier,
    IndexModel, IndexPartModel, Plan, Scope, TableModel,
};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(
    a_column_keeps_its_rows_and_all_that_mentions_it,
    a_column_is_renamed_and_changed_at_once,
    a_table_keeps_its_rows_and_references,
);

fn id(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

fn int(name: &str) -> ColumnModel {
    ColumnModel::new(id(name), ColumnKind::Int32)
}

/// A table in which everything mentions one column.
fn mentioning(dialect: Dialect, name: &str, former: Option<&str>) -> TableModel {
    let quoted = dialect.quoted(name);
    let mut column = int(name).with_unique();
    column.renamed_from = former.map(id);
    let mut computed = int("computed").with_null();
    computed.generated = Some(format!("{quoted} + 1"));
    let builder = TableModel::builder(id("t"))
        .column(int("id").with_key().with_auto_increment())
        .column(column)
        .column(int("other"))
        .column(computed)
        .index(IndexModel::over([id("other"), id(name)]).with_name(id("both")))
        .index(IndexModel::over([id("computed")]).with_name(id("of_computed")))
        .foreign_key(ForeignKeyModel::new(id(name), id("t"), id("id")))
        .check(CheckModel { name: Some(id("t_check")), expression: format!("{quoted} > 0") });
    let builder = match dialect {
        Dialect::MySql => {
            let part = IndexPartModel::expression(format!("{quoted} * 2"));
            let mut twice = int("computed_twice").with_null();
            twice.generated = Some("`computed` + 1".to_owned());
            builder
                .column(twice)
                .index(IndexModel::of_parts(vec![part]).with_name(id("of_expression")))
        }
        _ => builder,
    };
    builder.build().unwrap()
}

async fn apply(session: &mut dyn Session, models: &[TableModel]) -> Plan {
    let dialect = session.dialect();
    let lowered = models.iter().map(|model| dialect.lower(model, None).unwrap()).collect();
    let desired = normalise(session, lowered).await.unwrap();
    let found = introspect(session, &Target::Schema(None)).await.unwrap();
    let plan = Plan::between(dialect, &Scope::managed(), &found, &desired);
    for step in &plan.steps {
        if let Some(probe) = &step.probe {
            session.fetch(&probe.sql, &[]).await.unwrap_or_else(|e| panic!("{e:?} {step:#?}"));
        }
    }
    for sql in plan.statements() {
        session.run(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{plan:#?}"));
    }
    let found = introspect(session, &Target::Schema(None)).await.unwrap();
    let left = Plan::between(dialect, &Scope::managed(), &found, &desired);
    assert!(left.is_empty(), "{left:#?} after {plan:#?}");
    plan
}

async fn a_column_keeps_its_rows_and_all_that_mentions_it(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let dialect = session.dialect();
        let plan = apply(&mut *session, &[mentioning(dialect, "former", None)]).await;
        assert_eq!(plan.steps.len(), 1);
        let insert = "INSERT INTO t (id, former, other) VALUES (1, 1, 5), (2, 2, 6)";
        session.run(insert).await.unwrap();
        let plan = apply(&mut *session, &[mentioning(dialect, "la`ter", Some("former"))]).await;
        assert!(plan.steps.iter().any(|step| step.class == Class::Metadata));
        assert!(!plan.steps.iter().any(|step| step.class == Class::Destructive), "{plan:#?}");
        if dialect == Dialect::MariaDb {
            assert_eq!(plan.steps.len(), 1, "{plan:#?}");
        }
        let sql = "SELECT `la``ter`, other, computed FROM t ORDER BY 1";
        let rows = session.fetch(sql, &[]).await.unwrap();
        let rows: Vec<Vec<_>> =
            rows.iter().map(|row| row.iter().map(|cell| cell.as_integer()).collect()).collect();
        assert_eq!(rows, [[Some(1), Some(5), Some(2)], [Some(2), Some(6), Some(3)]]);
        for broken in ["(0, 1)", "(1, 1)", "(99, 1)"] {
            let sql = format!("INSERT INTO t (`la``ter`, other) VALUES {broken}");
            session.run(&sql).await.unwrap_err();
        }
        // The model may say so for as long as it likes.
        let plan = apply(&mut *session, &[mentioning(dialect, "la`ter", Some("former"))]).await;
        assert!(plan.is_empty());
    })
    .await;
}

async fn a_column_is_renamed_and_changed_at_once(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let table = |column: ColumnModel| {
            let key = int("id").with_key();
            TableModel::builder(id("t")).column(key).column(column).build().unwrap()
        };
        let nullable = int("a").with_null();
        apply(&mut *session, &[table(nullable)]).await;
        session.run("INSERT INTO t VALUES (1, 7), (2, NULL)").await.unwrap();
        let wider = ColumnModel::new(id("b"), ColumnKind::Int64);
        let wider = wider.with_renamed_from(id("a"));
        let dialect = session.dialect();
        let lowered = vec![dialect.lower(&table(wider.clone()), None).unwrap()];
        let desired = normalise(&mut *session, lowered).await.unwrap();
        let found = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
        let plan = Plan::between(dialect, &Scope::managed(), &found, &desired);
        let probe = plan.steps[1].probe.as_ref().unwrap();
        // The rows are asked under the name that the column has when they are asked.
        let rows = session.fetch(&probe.sql, &[]).await.unwrap();
        assert_eq!(rows[0][0].as_integer(), Some(1), "{probe:#?}");
        session.run("UPDATE t SET a = 0 WHERE a IS NULL").await.unwrap();
        apply(&mut *session, &[table(wider)]).await;
        let rows = session.fetch("SELECT b FROM t ORDER BY id", &[]).await.unwrap();
        assert_eq!(rows[0][0].as_integer(), Some(7));
    })
    .await;
}

async fn a_table_keeps_its_rows_and_references(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let parent = |name: &str, former: Option<&str>| {
            let builder = TableModel::builder(id(name))
                .column(int("id").with_key())
                .column(int("parent").with_null())
                .foreign_key(ForeignKeyModel::new(id("parent"), id(name), id("id")));
            let builder = former.into_iter().fold(builder, |b, name| b.renamed_from(id(name)));
            builder.build().unwrap()
        };
        let child = |target: &str| {
            TableModel::builder(id("child"))
                .column(int("id").with_key())
                .column(int("p"))
                .foreign_key(ForeignKeyModel::new(id("p"), id(target), id("id")))
                .build()
                .unwrap()
        };
        apply(&mut *session, &[parent("one", None), child("one")]).await;
        let insert = "INSERT INTO one VALUES (1, NULL), (2, 1); INSERT INTO child VALUES (1, 2)";
        session.run(insert).await.unwrap();
        let models = [parent("other", Some("one")), child("other")];
        let plan = apply(&mut *session, &models).await;
        assert_eq!(plan.steps.len(), 1, "{plan:#?}");
        let rows =
            session.fetch("SELECT COUNT(*) FROM other JOIN child ON p = other.id", &[]).await;
        assert_eq!(rows.unwrap()[0][0].as_integer(), Some(1));
        let found: Catalog = introspect(&mut *session, &Target::Schema(None)).await.unwrap();
        assert!(found.tables.iter().all(|table| table.name.name != "one"));
    })
    .await;
}
