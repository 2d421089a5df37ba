//! Values, parameters, columns and counts.

use std::error::Error as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use larder_query::{
    Database, DatabaseErrorKind, DatabaseOptions, Param, Params, QueryError, RowLimit, RowSet,
    Value,
};

use crate::{Fixture, memory, number, open, rows, run};

/// What the database makes of one parameter.
async fn echo(database: &Database, value: Value) -> Value {
    let mut params = Params::new();
    params.bind(value);
    let set = database.fetch("SELECT ?", &params, RowLimit::All).await.unwrap();
    let stored = RowSet::decode(&set.encode()).unwrap();
    assert_eq!(stored, set, "stored rows equal fresh ones");
    set.into_rows().remove(0).into_values().remove(0)
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    let database = memory().await;
    for value in [
        Value::Int(i64::MIN),
        Value::Int(9_007_199_254_740_993),
        Value::Float(-0.5),
        Value::Float(f64::INFINITY),
        Value::Text(String::new()),
        Value::Text("Zürich \0 \u{1f6eb}".into()),
        Value::Bytes(vec![]),
        Value::Bytes(vec![0, 255]),
        Value::Null,
    ] {
        assert_eq!(echo(&database, value.clone()).await, value);
    }
}

#[tokio::test]
async fn values_without_a_storage_class_become_the_documented_ones() {
    let database = memory().await;
    let text = |text: &str| Value::Text(text.into());
    for (value, stored) in [
        (Value::Bool(true), Value::Int(1)),
        (Value::UInt(7), Value::Int(7)),
        (Value::Float(f64::NAN), Value::Null),
        (Value::Decimal("1.10".into()), text("1.10")),
        (Value::Json("[1]".into()), text("[1]")),
        (Value::Date(-1), text("1969-12-31")),
        (Value::Time(1_500_000), text("00:00:01.500")),
        (Value::Timestamp(0), text("1970-01-01 00:00:00")),
        (Value::TimestampUtc(0), text("1970-01-01T00:00:00+00:00")),
        (Value::Uuid([7; 16]), Value::Bytes(vec![7; 16])),
    ] {
        assert_eq!(echo(&database, value).await, stored);
    }
}

#[tokio::test]
async fn an_integer_beyond_sqlites_is_refused() {
    let mut params = Params::new();
    params.bind(1_i32).bind(u64::MAX);
    let error = memory().await.fetch("SELECT ?, ?", &params, RowLimit::All).await.unwrap_err();
    assert!(matches!(error, QueryError::ParameterValue { position: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn the_storage_class_decides_and_boolean_columns_are_boolean() {
    let database = memory().await;
    run(&database, "CREATE TABLE t (a BOOLEAN, b INTEGER, c DECIMAL(9,2), d)").await;
    run(
        &database,
        "INSERT INTO t VALUES (1, 1, '2.50', 'x'), (2, 'text', 3, x'00'), (NULL, 1.5, NULL, 0.5)",
    )
    .await;
    let set = rows(&database, "SELECT * FROM t").await;
    let values: Vec<_> = set.rows().iter().map(|row| row.values().to_vec()).collect();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(
        values,
        [
            vec![Value::Bool(true), Value::Int(1), Value::Float(2.5), text("x")],
            vec![Value::Int(2), text("text"), Value::Int(3), Value::Bytes(vec![0])],
            vec![Value::Null, Value::Float(1.5), Value::Null, Value::Float(0.5)],
        ]
    );
    assert_eq!(set.columns().declared_type(0), Some("BOOLEAN"));
    assert_eq!(set.columns().declared_type(1), Some("INTEGER"));
}

#[tokio::test]
async fn text_that_is_none_is_bytes() {
    let set = rows(&memory().await, "SELECT CAST(x'ff' AS TEXT)").await;
    assert_eq!(set.rows()[0].values(), [Value::Bytes(vec![255])]);
}

#[tokio::test]
async fn duplicate_names_and_their_order_survive() {
    let set = rows(&memory().await, "SELECT 1 AS id, 2 AS x, 3 AS id").await;
    let set = RowSet::decode(&set.encode()).unwrap();
    assert_eq!(set.columns().names().collect::<Vec<_>>(), ["id", "x", "id"]);
    assert_eq!(serde_json::to_string(&set).unwrap(), "[{\"id\":1,\"x\":2,\"id:2\":3}]");
}

#[tokio::test]
async fn too_few_and_too_many_parameters_are_errors() {
    let database = memory().await;
    for (sql, expected, given) in [("SELECT ?, ?", 2, 1), ("SELECT ?2", 2, 1), ("SELECT 1", 0, 1)] {
        let mut params = Params::new();
        params.bind(1);
        let error = database.execute(sql, &params).await.unwrap_err();
        assert!(
            matches!(error, QueryError::ParameterCount { expected: e, given: g } if (e, g) == (expected, given)),
            "{sql}: {error:?}"
        );
    }
    let named = database.execute("SELECT :a", &Params::new()).await;
    assert!(matches!(named, Err(QueryError::ParameterSyntax { .. })));
}

#[tokio::test]
async fn numbered_parameters_may_repeat() {
    let mut params = Params::new();
    params.bind("a").bind("b");
    for sql in ["SELECT ?2 || ?1 || ?2", "SELECT $2 || $1 || $2"] {
        let set = memory().await.fetch(sql, &params, RowLimit::One).await.unwrap();
        assert_eq!(set.rows()[0].to::<String>().unwrap(), "bab");
    }
}

#[tokio::test]
async fn a_star_sees_a_new_column_whoever_added_it() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let other = open(&fixture.directory, "", &DatabaseOptions::default()).await.unwrap();
    let database = &fixture.database;
    run(database, "CREATE TABLE t (a)").await;
    for columns in 1..20 {
        let set = rows(database, "SELECT * FROM t").await;
        assert_eq!(set.columns().len(), columns, "without a row");
        run(&other, "INSERT INTO t (a) VALUES (1)").await;
        // Several at a time, so that several connections have seen the table as it was.
        let selects = [(); 4].map(|()| rows(database, "SELECT * FROM t"));
        for set in futures_util::future::join_all(selects).await {
            assert_eq!(set.columns().len(), columns);
            assert_eq!(set.len(), 1);
        }
        run(&other, "DELETE FROM t").await;
        run(&other, &format!("ALTER TABLE t ADD COLUMN b{columns} DEFAULT 7")).await;
    }
}

#[tokio::test]
async fn a_statement_without_a_star_survives_a_new_column() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let other = open(&fixture.directory, "", &DatabaseOptions::default()).await.unwrap();
    run(&other, "CREATE TABLE t (a)").await;
    run(&other, "INSERT INTO t VALUES (7)").await;
    for columns in 0..5 {
        assert_eq!(number(&fixture.database, "SELECT a FROM t").await, 7);
        run(&other, &format!("ALTER TABLE t ADD COLUMN b{columns}")).await;
    }
}

#[tokio::test]
async fn an_empty_result_has_its_columns() {
    let database = memory().await;
    run(&database, "CREATE TABLE t (a INTEGER, b TEXT)").await;
    for limit in [RowLimit::All, RowLimit::One] {
        let set = database.fetch("SELECT a, b FROM t", &Params::new(), limit).await.unwrap();
        assert!(set.is_empty());
        assert_eq!(set.columns().names().collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[tokio::test]
async fn one_row_is_read_if_one_is_wanted() {
    let database = memory().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let set = database.fetch(endless, &Params::new(), RowLimit::One).await.unwrap();
    assert_eq!(set.to::<i64>().unwrap(), [1]);
}

#[tokio::test]
async fn rows_of_two_statements_are_not_mixed() {
    let database = memory().await;
    let error =
        database.fetch("SELECT 1; SELECT 2, 3", &Params::new(), RowLimit::All).await.unwrap_err();
    assert!(matches!(error, QueryError::SeveralResults), "{error:?}");
    assert_eq!(number(&database, "SELECT 7; -- nothing").await, 7);
}

#[tokio::test]
async fn only_changed_rows_are_counted() {
    let database = memory().await;
    let count = async |sql: &str| {
        let executed = database.execute(sql, &Params::new()).await.unwrap();
        (executed.rows_affected, executed.last_insert_id)
    };
    assert_eq!(count("CREATE TABLE t (id INTEGER PRIMARY KEY, a)").await, (0, None));
    assert_eq!(count("INSERT INTO t (a) VALUES (1), (2), (3)").await, (3, Some(3)));
    assert_eq!(count("CREATE INDEX i ON t (a)").await, (0, None));
    assert_eq!(count("SELECT * FROM t").await, (0, None));
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 1").await, (2, None));
    assert_eq!(count("UPDATE t SET a = 0 WHERE id > 9").await, (0, None));
    assert_eq!(count("INSERT OR IGNORE INTO t VALUES (1, 1)").await, (0, None));
    assert_eq!(count("DELETE FROM t WHERE id = 1; PRAGMA user_version").await, (1, None));
    assert_eq!(
        count("WITH x(a) AS (VALUES (5)) INSERT INTO t (a) SELECT a FROM x").await,
        (1, Some(4))
    );
}

#[tokio::test]
async fn the_databases_errors_have_kinds_and_keep_their_words() {
    let database = memory().await;
    run(&database, "CREATE TABLE t (id INTEGER PRIMARY KEY, a NOT NULL CHECK (a > 0))").await;
    run(&database, "CREATE TABLE u (t REFERENCES t)").await;
    run(&database, "INSERT INTO t VALUES (1, 1)").await;
    for (sql, kind, words) in [
        ("SELEC 1", DatabaseErrorKind::Syntax, "syntax error"),
        ("SELECT (", DatabaseErrorKind::Syntax, "incomplete input"),
        ("SELECT 1 FROM x", DatabaseErrorKind::MissingTable, "no such table: x"),
        ("SELECT x FROM t", DatabaseErrorKind::MissingColumn, "no such column: x"),
        ("INSERT INTO t (x) VALUES (1)", DatabaseErrorKind::MissingColumn, "no column named x"),
        ("INSERT INTO t VALUES (1, 1)", DatabaseErrorKind::UniqueViolation, "UNIQUE"),
        ("INSERT INTO t VALUES (2, NULL)", DatabaseErrorKind::NotNullViolation, "NOT NULL"),
        ("INSERT INTO t VALUES (2, 0)", DatabaseErrorKind::CheckViolation, "CHECK"),
        ("INSERT INTO u VALUES (9)", DatabaseErrorKind::ForeignKeyViolation, "FOREIGN KEY"),
    ] {
        let error = database.execute(sql, &Params::new()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(kind), "{sql}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(words), "{sql}: {source}");
    }
    assert_eq!(number(&database, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test]
async fn moments_go_out_and_come_back_through_chrono() {
    let database = memory().await;
    run(&database, "CREATE TABLE t (d DATE, t TIME, n TIMESTAMP, u TIMESTAMP)").await;
    let day: NaiveDate = "2024-02-29".parse().unwrap();
    let time: NaiveTime = "12:30:00.000001".parse().unwrap();
    let naive = NaiveDateTime::new(day, time);
    let utc: DateTime<Utc> = naive.and_utc();
    let mut params = Params::new();
    bind_moments(&mut params, day, time, naive, utc);
    database.execute("INSERT INTO t VALUES (?, ?, ?, ?)", &params).await.unwrap();
    let set = rows(&database, "SELECT d, t, n, u FROM t").await;
    let typed = set.to::<(NaiveDate, NaiveTime, NaiveDateTime, DateTime<Utc>)>();
    assert_eq!(typed.unwrap(), [(day, time, naive, utc)]);
    let now = rows(&database, "SELECT CURRENT_TIMESTAMP").await;
    assert!(now.to::<NaiveDateTime>().is_ok());
    assert_eq!(
        number(&database, "SELECT count(*) FROM t WHERE datetime(n) = datetime(u)").await,
        1
    );
}

#[cfg(feature = "chrono")]
fn bind_moments(
    params: &mut Params,
    day: NaiveDate,
    time: NaiveTime,
    naive: NaiveDateTime,
    utc: DateTime<Utc>,
) {
    params.bind(day).bind(time).bind(naive).bind(utc);
}

#[cfg(not(feature = "chrono"))]
fn bind_moments(
    params: &mut Params,
    day: NaiveDate,
    time: NaiveTime,
    naive: NaiveDateTime,
    utc: DateTime<Utc>,
) {
    params.bind(day.to_string()).bind(time.to_string());
    params.bind(naive.to_string()).bind(utc.to_rfc3339());
}

#[test]
fn parameters_are_read_back_as_they_were_bound() {
    let mut params = Params::new();
    params.bind("LH").bind(7_i16);
    assert_eq!(params.iter().collect::<Vec<_>>(), [Param::Text("LH"), Param::I16(7)]);
}
