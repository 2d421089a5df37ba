//! What the connections of a pool have in common, and what does not stay on them.

use larder_query::{DatabaseOptions, Params, Value};

use crate::{
    Fixture,
    fixture::{number, rows, run_on},
};

pub(crate) async fn the_sql_mode_is_the_servers(f: Fixture) {
    let set = f.rows("SELECT @@SESSION.sql_mode, @@GLOBAL.sql_mode").await;
    assert_eq!(set.rows()[0].value(0), set.rows()[0].value(1));
    // Strict by default, on both.
    f.run("CREATE TABLE t (a TINYINT)").await;
    assert!(f.database.execute("INSERT INTO t VALUES (1000)", &Params::new()).await.is_err());
    // Two bars are an "or".
    assert_eq!(f.number("SELECT 0 || 1").await, 1);
}

pub(crate) async fn statements_that_change_the_session_leave_nothing_behind(f: Fixture) {
    let database = f.open(&DatabaseOptions::default().with_connections_max(1)).await;
    let own = number(&database, "SELECT CONNECTION_ID()").await;
    assert_eq!(number(&database, "SELECT CONNECTION_ID()").await, own, "it is used again");
    f.run("CREATE TABLE t (a INT)").await;
    f.run("CREATE PROCEDURE p() SET @a = 7").await;
    for sql in [
        "SET @a = 7",
        "SELECT @a := 7",
        "SELECT 7 INTO @a",
        "CALL p()",
        "SET SESSION sql_select_limit = 0",
        "SET NAMES latin1",
        "SET time_zone = '+05:00'",
        "CREATE TEMPORARY TABLE t (b INT, c INT)",
        "USE information_schema",
        "DO GET_LOCK('larder', 1)",
        "PREPARE s FROM 'SELECT 1'",
    ] {
        run_on(&database, sql).await;
        let sql_after = "SELECT @a, @@time_zone, DATABASE(), IS_USED_LOCK('larder')";
        let set = rows(&database, sql_after).await;
        let expected = [
            Value::Null,
            Value::Text("+00:00".into()),
            Value::Text(f.name.to_string()),
            Value::Null,
        ];
        assert_eq!(set.rows()[0].values(), expected, "{sql}");
        assert_eq!(rows(&database, "SELECT * FROM t").await.columns().len(), 1, "{sql}");
    }
    // Also what a transaction did to its session.
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("SET @a = 7", &Params::new()).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(rows(&database, "SELECT @a").await.rows()[0].values(), [Value::Null]);
}

pub(crate) async fn every_session_is_set_up_alike(f: Fixture) {
    let settings = "SELECT CONCAT_WS(',', @@sql_mode, @@time_zone, @@collation_connection, \
                    @@group_concat_max_len, @@autocommit, @@character_set_client)";
    let mut transactions = Vec::new();
    let mut found = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let mut transaction = f.database.begin().await.unwrap();
        let set = transaction.fetch(settings, &Params::new(), larder_query::RowLimit::One).await;
        found.insert(set.unwrap().to::<String>().unwrap());
        transactions.push(transaction);
    }
    assert_eq!(found.len(), 1, "{found:?}");
    for transaction in transactions {
        transaction.rollback().await.unwrap();
    }
}

pub(crate) async fn nothing_uncommitted_is_read(f: Fixture) {
    let name = if f.is_mariadb() { "@@tx_isolation" } else { "@@transaction_isolation" };
    let Value::Text(level) = f.value(&format!("SELECT {name}")).await else { panic!("a text") };
    assert_ne!(level, "READ-UNCOMMITTED");
}
