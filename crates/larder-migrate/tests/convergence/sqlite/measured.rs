//! What other tools get wrong on SQLite.

use larder_model::{Class, Plan, Policy, Scope};

use super::{plan, scratch};

/// Reading a schema and writing it again gives the same schema, whatever is in it.
#[tokio::test]
async fn a_schema_can_be_read_and_written() {
    for sql in [
        "CREATE TABLE t (a DEFAULT (datetime('now')))",
        "CREATE TABLE t (a DEFAULT 'it''s', b DEFAULT '0', c DEFAULT 'CURRENT_TIMESTAMP')",
        "CREATE TABLE t (a); CREATE INDEX i ON t (lower(a), a DESC) WHERE a > 0",
        "CREATE TABLE t (a, b, c, PRIMARY KEY (c, a))",
        "CREATE TABLE \"o'brien\" (\"it's\" TEXT DEFAULT 'x')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, autoincrement_flag)",
        "CREATE TABLE t (a DECIMAL(30, 10), b NUMERIC)",
        "CREATE TABLE t (a DEFAULT \"x\", b DEFAULT word, c DEFAULT TRUE, d DEFAULT +1)",
        "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b, 1.5 AS c",
        "CREATE TABLE t (a CHECK (a NOT IN (-1, - 2, 'it''s', x'ab') AND a ->> '$.b' <> '1'))",
        "CREATE TABLE t (a, b AS (CASE WHEN a THEN 'x' ELSE a || ')' END) STORED)",
    ] {
        let mut first = scratch(sql).await;
        let catalog = first.look().await;
        assert!(catalog.tables.iter().all(|table| table.opaque.is_none()), "{catalog:#?}");
        let mut second = scratch("").await;
        for table in &catalog.tables {
            for statement in first.session.dialect().create_table(table) {
                second.load(&statement).await;
            }
        }
        let again = second.look().await;
        assert_eq!(catalog.fingerprint(), again.fingerprint(), "{catalog:#?}\n{again:#?}");
    }
}

#[tokio::test]
async fn shadow_tables_statistics_and_counters_are_left_alone() {
    let around = "CREATE VIRTUAL TABLE f USING fts5(x)";
    let (mut current, first) = plan(
        &format!("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE); {around}"),
        &format!("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); {around}"),
    )
    .await;
    current.load("INSERT INTO t (a) VALUES (1); INSERT INTO f VALUES ('word'); ANALYZE").await;
    assert_eq!(first.steps.len(), 1, "{first:#?}");
    current.apply(&first).await;
    let found = current.session.fetch("SELECT x FROM f WHERE f MATCH 'word'", &[]).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn an_index_that_nobody_asked_for_stays() {
    let mut current =
        scratch("CREATE TABLE t (a TEXT, extra TEXT); CREATE UNIQUE INDEX dba ON t (a)").await;
    let before = current.look().await;
    let wanted = scratch("CREATE TABLE t (a TEXT NOT NULL, b TEXT)").await.look().await;
    let dialect = current.session.dialect();
    let plan = Plan::between(dialect, &Scope::managed(), &before, &wanted);
    current.apply(&plan).await;
    let after = current.look().await;
    let table = &after.tables[0];
    assert!(table.indexes.iter().any(|index| index.name == "dba" && index.unique));
    assert!(table.column("extra").is_some() && table.column("b").is_some());
    assert!(Plan::between(dialect, &Scope::managed(), &after, &wanted).is_empty());
    assert_eq!(plan.unmanaged.len(), 2, "{plan:#?}");
}

#[tokio::test]
async fn a_column_of_labels_is_added_without_asking() {
    let (mut current, plan) = plan(
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a, b TEXT CHECK (b IN ('x', 'y')), c TEXT NOT NULL DEFAULT 'z')",
    )
    .await;
    current.load("INSERT INTO t VALUES (1)").await;
    let rows = current.probe(&plan).await;
    assert!(plan.refused(Policy::Additive, &rows).is_empty(), "{plan:#?}");
}

#[tokio::test]
async fn what_is_opaque_is_told_about_and_stays() {
    let (_, plan) =
        plan("CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE)", "CREATE TABLE t (a UNIQUE, b)").await;
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].class, Class::Unsupported);
    assert!(plan.steps[0].statements.is_empty());
}

#[tokio::test]
async fn names_that_only_case_tells_apart_are_one() {
    let (_, plan) = plan(
        "CREATE TABLE T (A INTEGER PRIMARY KEY, b UNIQUE REFERENCES t (a), CHECK (A > b)); \
         CREATE INDEX i ON T (B) WHERE a > 0",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, B UNIQUE REFERENCES T (A), CHECK (a > B)); \
         CREATE INDEX i ON t (b) WHERE A > 0",
    )
    .await;
    assert!(plan.is_empty(), "{plan:#?}");
}
