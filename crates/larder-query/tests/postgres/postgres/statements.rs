//! Statements, their outcomes and their errors.

use std::error::Error as _;

use larder_query::{DatabaseErrorKind, Params, QueryError, RowLimit};

use crate::{Fixture, number, rows, run};

#[tokio::test]
#[ignore = "needs a live service"]
async fn only_changed_rows_are_counted() {
    let fixture = Fixture::new().await;
    let count = async |sql: &str| {
        let executed = fixture.database.execute(sql, &Params::new()).await.unwrap();
        assert_eq!(executed.last_insert_id, None);
        executed.rows_affected
    };
    assert_eq!(count("CREATE TABLE t (id int, a int)").await, 0);
    assert_eq!(count("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)").await, 3);
    assert_eq!(count("SELECT * FROM t").await, 0);
    assert_eq!(count("CREATE TABLE u AS SELECT * FROM t").await, 0);
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 1").await, 2);
    assert_eq!(
        count("WITH x AS (SELECT 1 AS id) DELETE FROM t USING x WHERE t.id = x.id").await,
        1
    );
    assert_eq!(count("INSERT INTO t VALUES (4, 4) RETURNING *").await, 1);
    assert_eq!(count("DELETE FROM t WHERE id = 4; DELETE FROM t; SELECT 7").await, 3);
    assert_eq!(count("-- nothing").await, 0);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn several_statements_are_one_transaction() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (a int CHECK (a > 0)); INSERT INTO t VALUES (1)").await;
    let failing = "INSERT INTO t VALUES (2); INSERT INTO t VALUES (0)";
    let error = fixture.database.execute(failing, &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::CheckViolation));
    assert_eq!(number(&fixture.database, "SELECT count(*) FROM t").await, 1);
    assert_eq!(
        number(&fixture.database, "INSERT INTO t VALUES (2); SELECT count(*) FROM t;").await,
        2
    );
    let two = fixture.database.fetch("SELECT 1; SELECT 2", &Params::new(), RowLimit::All).await;
    assert!(matches!(two, Err(QueryError::SeveralResults)));
    let mut params = Params::new();
    params.bind(1);
    let error = fixture.database.execute("SELECT $1; SELECT 2", &params).await.unwrap_err();
    assert!(matches!(error, QueryError::ParameterSyntax { .. }));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn one_row_is_read_if_one_is_wanted() {
    let fixture = Fixture::new().await;
    let one = async |sql: &str| {
        let set = fixture.database.fetch(sql, &Params::new(), RowLimit::One).await.unwrap();
        set.to::<i64>().unwrap()
    };
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    assert_eq!(one(endless).await, [1]);
    assert_eq!(one("SELECT * FROM generate_series(5, 9)").await, [5]);
    assert_eq!(one("SELECT 1 WHERE false").await, [0_i64; 0]);
    run(&fixture.database, "CREATE TABLE t (a int)").await;
    let writes = "INSERT INTO t SELECT * FROM generate_series(1, 2000) RETURNING a";
    assert_eq!(one(writes).await, [1]);
    assert_eq!(number(&fixture.database, "SELECT count(*) FROM t").await, 2_000);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn the_databases_errors_have_kinds_and_keep_their_words() {
    let fixture = Fixture::new().await;
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CHECK (a > 0)); \
                  CREATE TABLE u (t int REFERENCES t); INSERT INTO t VALUES (1, 1)";
    run(&fixture.database, tables).await;
    for (sql, kind, words) in [
        ("SELEC 1", DatabaseErrorKind::Syntax, "syntax error"),
        ("SELECT 1 FROM x", DatabaseErrorKind::MissingTable, "relation \"x\" does not exist"),
        ("SELECT x FROM t", DatabaseErrorKind::MissingColumn, "column \"x\" does not exist"),
        ("INSERT INTO t VALUES (1, 1)", DatabaseErrorKind::UniqueViolation, "unique"),
        ("INSERT INTO t VALUES (2, NULL)", DatabaseErrorKind::NotNullViolation, "not-null"),
        ("INSERT INTO t VALUES (2, 0)", DatabaseErrorKind::CheckViolation, "check constraint"),
        ("INSERT INTO u VALUES (9)", DatabaseErrorKind::ForeignKeyViolation, "foreign key"),
        ("SET statement_timeout = 1; SELECT pg_sleep(5)", DatabaseErrorKind::Timeout, "timeout"),
        ("SELECT 1 / 0", DatabaseErrorKind::Other, "division by zero"),
    ] {
        let error = fixture.database.execute(sql, &Params::new()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(kind), "{sql}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(words), "{sql}: {source}");
        assert_eq!(number(&fixture.database, "SELECT count(*) FROM t").await, 1);
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn copying_to_the_client_is_an_error_and_costs_one_connection() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (a int)").await;
    for sql in ["COPY t TO STDOUT", "COPY t FROM STDIN"] {
        let error = fixture.database.execute(sql, &Params::new()).await.unwrap_err();
        assert!(error.database_kind().is_some(), "{error:?}");
        assert_eq!(number(&fixture.database, "SELECT count(*) FROM t").await, 0);
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn more_statements_than_are_kept_still_run() {
    let fixture = Fixture::new().await;
    for n in 0..300 {
        assert_eq!(number(&fixture.database, &format!("SELECT {n}")).await, n);
    }
    for n in 0..300 {
        assert_eq!(number(&fixture.database, &format!("SELECT {n}")).await, n);
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn health_tells_what_was_found() {
    let fixture = Fixture::new().await;
    let health = fixture.database.health().await.unwrap();
    assert!(health.server.starts_with("PostgreSQL "), "{health:?}");
    let fact = |name| health.facts.iter().find(|fact| fact.name == name).unwrap().value.clone();
    assert_eq!((fact("encryption"), fact("role")), ("none".into(), "primary".into()));
    assert_eq!(fact("encoding"), "UTF8");
    assert!(fact("clock offset").ends_with(" ms"));
    assert!(rows(&fixture.database, "SELECT 1").await.len() == 1);
}
