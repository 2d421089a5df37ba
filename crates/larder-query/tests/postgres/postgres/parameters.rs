//! Parameters go where the server wants them, or are refused with a reason.

use larder_query::{Bind, Params, QueryError, RowLimit, Value};

use crate::{Fixture, number, rows, run};

fn bound(value: impl Bind) -> Params {
    let mut params = Params::new();
    params.bind(value);
    params
}

async fn one(fixture: &Fixture, sql: &str, params: &Params) -> Result<Value, QueryError> {
    let set = fixture.database.fetch(sql, params, RowLimit::All).await?;
    Ok(set.rows()[0].values()[0].clone())
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_list_is_an_array() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (id int8, name text)").await;
    run(&fixture.database, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)").await;
    let count = async |sql: &str, params: &Params| one(&fixture, sql, params).await.unwrap();
    let by_id = "SELECT count(*) FROM t WHERE id = ANY($1)";
    assert_eq!(count(by_id, &bound(vec![1_i64, 3, 9])).await, Value::Int(2));
    assert_eq!(count(by_id, &bound([1_i32, 2])).await, Value::Int(2));
    assert_eq!(count(by_id, &bound(Vec::<i64>::new())).await, Value::Int(0));
    assert_eq!(count(by_id, &bound("{1,2}")).await, Value::Int(2));
    let by_name = "SELECT count(*) FROM t WHERE name = ANY($1)";
    assert_eq!(count(by_name, &bound(vec!["a", "b", "c"])).await, Value::Int(2));
    assert_eq!(count(by_name, &bound(&["a".to_owned()][..])).await, Value::Int(1));
    let rows = "SELECT count(*) FROM unnest($1::int4[], $2::text[]) AS t(id, name)";
    let mut params = bound(vec![1_i32, 2]);
    params.bind(vec![Some("x"), None]);
    assert_eq!(count(rows, &params).await, Value::Int(2));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_parameter_without_a_context_has_its_own_type() {
    let fixture = Fixture::new().await;
    for (sql, expected) in [
        ("SELECT $1", Value::Int(7)),
        ("SELECT $1 + 1", Value::Int(8)),
        ("SELECT abs($1)", Value::Int(7)),
        ("SELECT $1 IS NULL", Value::Bool(false)),
        ("SELECT to_jsonb($1)", Value::Json("7".into())),
        ("SELECT pg_typeof($1)::text", Value::Text("bigint".into())),
    ] {
        assert_eq!(one(&fixture, sql, &bound(7_i64)).await.unwrap(), expected, "{sql}");
    }
    assert_eq!(
        one(&fixture, "SELECT $1", &bound(vec![true])).await.unwrap(),
        Value::Array(vec![Value::Bool(true)])
    );
    assert_eq!(one(&fixture, "SELECT $1", &bound("x")).await.unwrap(), Value::Text("x".into()));
    assert_eq!(one(&fixture, "SELECT $1", &bound(None::<i64>)).await.unwrap(), Value::Null);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn text_goes_wherever_the_server_can_read_it() {
    let fixture = Fixture::new().await;
    let table =
        "CREATE TABLE t (u uuid, m timestamptz, n numeric, j jsonb, a inet, d interval, i int)";
    run(&fixture.database, table).await;
    let mut params = Params::new();
    params.bind("{00112233445566778899aabbccddeeff}").bind("Feb 29 2024 12:00 UTC").bind(" 1e3 ");
    params.bind("{\"a\":1}").bind("::1").bind("2 hours").bind("7");
    let insert = "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // Twice: prepared, and found.
    for _ in 0..2 {
        assert_eq!(fixture.database.execute(insert, &params).await.unwrap().rows_affected, 1);
    }
    let set = rows(&fixture.database, "SELECT n, d, i FROM t").await;
    let expected = [Value::Decimal("1000".into()), Value::Text("PT2H".into()), Value::Int(7)];
    assert_eq!(set.rows()[1].values(), expected);
    let error = one(&fixture, "SELECT i FROM t WHERE i = $1", &bound("x")).await.unwrap_err();
    let QueryError::Database(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), Some("22P02"));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_does_not_fit_is_refused_before_it_is_sent() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (i int4, s text)").await;
    let insert = "INSERT INTO t (i) VALUES ($1)";
    for value in [i64::from(i32::MAX) + 1, i64::MIN] {
        let error = fixture.database.execute(insert, &bound(value)).await.unwrap_err();
        assert!(matches!(error, QueryError::ParameterValue { position: 1, .. }), "{error:?}");
    }
    let error = fixture.database.execute("INSERT INTO t (s) VALUES ($1)", &bound("a\0")).await;
    assert!(matches!(error, Err(QueryError::ParameterValue { .. })));
    fixture.database.execute(insert, &bound(7_i64)).await.unwrap();
    assert_eq!(number(&fixture.database, "SELECT i FROM t").await, 7);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn parameters_are_counted_and_names_are_none() {
    let fixture = Fixture::new().await;
    for (sql, given, expected) in
        [("SELECT $1::int", 0, 1), ("SELECT 1", 1, 0), ("SELECT $2::int + $1::int", 3, 2)]
    {
        let mut params = Params::new();
        for n in 0..given {
            params.bind(n);
        }
        let error = fixture.database.fetch(sql, &params, RowLimit::All).await.unwrap_err();
        let QueryError::ParameterCount { expected: e, given: g } = error else {
            panic!("{error:?}")
        };
        assert_eq!((e, g), (expected, usize::try_from(given).unwrap()), "{sql}");
    }
    let error = one(&fixture, "SELECT 1 WHERE 1 = ?", &bound(1)).await.unwrap_err();
    assert!(matches!(error, QueryError::ParameterSyntax { .. }), "{error:?}");
    let sql = "SELECT ':zz' || 'a:b' || '$1' || $q$ $2 $q$ || $1 -- $3";
    assert_eq!(one(&fixture, sql, &bound("!")).await.unwrap(), Value::Text(":zza:b$1 $2 !".into()));
    let sql = "SELECT '{\"a\": 1}'::jsonb ? $1";
    assert_eq!(one(&fixture, sql, &bound("a")).await.unwrap(), Value::Bool(true));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_column_that_changes_its_type_is_noticed() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (v float4)").await;
    let insert = "INSERT INTO t VALUES ($1)";
    fixture.database.execute(insert, &bound("0.1")).await.unwrap();
    run(&fixture.database, "TRUNCATE t; ALTER TABLE t ALTER v TYPE float8").await;
    fixture.database.execute(insert, &bound("0.1")).await.unwrap();
    let set = rows(&fixture.database, "SELECT v FROM t").await;
    assert_eq!(set.rows()[0].values()[0], Value::Float(0.1), "not by way of a narrower type");
    // By somebody else, whom nobody told.
    let other = fixture.again().await;
    let all = "SELECT * FROM t";
    rows(&fixture.database, all).await;
    run(&other, "ALTER TABLE t ALTER v TYPE text, ADD COLUMN w int").await;
    assert_eq!(rows(&fixture.database, all).await.columns().len(), 2);
    fixture.database.execute(insert, &bound("x")).await.unwrap();
    assert_eq!(number(&fixture.database, "SELECT count(*) FROM t WHERE v = 'x'").await, 1);
}
