//! The connections of a pool stay alike, and broken ones are replaced.

use larder_query::{DatabaseErrorKind, DatabaseOptions, Params, RowLimit};

use crate::{Fixture, number, rows, run};

const PID: &str = "SELECT pg_backend_pid()";

async fn fixture() -> Fixture {
    Fixture::with_options(&DatabaseOptions::default().with_connections_max(1)).await
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_connection_is_used_again_and_one_that_was_changed_is_not() {
    let fixture = fixture().await;
    let database = &fixture.database;
    let mut pid = number(database, PID).await;
    assert_eq!(number(database, PID).await, pid);
    for sql in [
        "SET search_path = pg_catalog",
        "CREATE TEMP TABLE t (a int)",
        "SELECT pg_advisory_lock(1)",
        "SELECT set_config('app.tenant', '7', false)",
        "DO $$ BEGIN PERFORM set_config('app.tenant', '7', false); END $$",
        "LISTEN a",
        "PREPARE p AS SELECT 1",
    ] {
        run(database, sql).await;
        let next = number(database, PID).await;
        assert_ne!(next, pid, "{sql}");
        pid = next;
    }
    let tenant = "SELECT coalesce(nullif(current_setting('app.tenant', true), ''), '0')::int8";
    assert_eq!(number(database, tenant).await, 0);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_is_set_for_a_transaction_costs_no_connection() {
    let fixture = fixture().await;
    let pid = number(&fixture.database, PID).await;
    let mut transaction = fixture.database.begin().await.unwrap();
    let mut params = Params::new();
    params.bind("7");
    let set = "SELECT set_config('app.tenant', $1, true)";
    transaction.fetch(set, &params, RowLimit::All).await.unwrap();
    transaction.execute("SET LOCAL search_path = pg_catalog", &Params::new()).await.unwrap();
    let tenant = "SELECT current_setting('app.tenant')";
    let tenant = transaction.fetch(tenant, &Params::new(), RowLimit::All).await.unwrap();
    assert_eq!(tenant.to::<String>().unwrap(), ["7"]);
    transaction.commit().await.unwrap();
    assert_eq!(number(&fixture.database, PID).await, pid);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_temporary_table_lives_as_long_as_its_transaction() {
    let fixture = fixture().await;
    let mut transaction = fixture.database.begin().await.unwrap();
    for sql in ["CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (7)"] {
        transaction.execute(sql, &Params::new()).await.unwrap();
    }
    let set = transaction.fetch("SELECT a FROM t", &Params::new(), RowLimit::All).await.unwrap();
    assert_eq!(set.to::<i64>().unwrap(), [7]);
    transaction.commit().await.unwrap();
    let error = fixture.database.fetch("SELECT a FROM t", &Params::new(), RowLimit::All).await;
    assert_eq!(error.unwrap_err().database_kind(), Some(DatabaseErrorKind::MissingTable));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_connection_that_broke_while_it_was_idle_is_no_error_for_a_reader() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let end_all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid() \
                   AND backend_type = 'client backend'";
    for _ in 0..5 {
        assert_eq!(number(&fixture.database, "SELECT 7").await, 7);
        assert_eq!(number(&other, end_all).await, 1);
        assert_eq!(number(&fixture.database, "SELECT 7").await, 7);
        assert_eq!(number(&other, end_all).await, 1);
        let transaction = fixture.database.begin().await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(number(&other, end_all).await, 1);
        // Nobody can tell whether it was run.
        let write = "CREATE TABLE IF NOT EXISTS t (a int)";
        let error = fixture.database.execute(write, &Params::new()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
        assert!(error.is_retryable());
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_connection_that_breaks_in_a_transaction_is_an_error() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let mut transaction = fixture.database.begin().await.unwrap();
    let pid = transaction.fetch(PID, &Params::new(), RowLimit::All).await.unwrap();
    let pid = pid.to::<i64>().unwrap()[0];
    rows(&other, &format!("SELECT pg_terminate_backend({pid})")).await;
    let error = transaction.fetch("SELECT 1", &Params::new(), RowLimit::All).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    assert!(transaction.commit().await.is_err());
    assert_eq!(number(&fixture.database, "SELECT 7").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn the_number_of_connections_is_bounded() {
    let options = DatabaseOptions::default().with_connections_max(3);
    let fixture = Fixture::with_options(&options).await;
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let database = fixture.database.clone();
            tokio::spawn(async move { number(&database, "SELECT 1 FROM pg_sleep(0.002)").await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 1);
    }
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    assert!(number(&fixture.database, connected).await <= 3);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_closed_pool_answers_nothing_and_holds_nothing() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    run(&fixture.database, "SELECT 1").await;
    fixture.database.close().await;
    let error = fixture.database.execute("SELECT 1", &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let gone = async {
        while number(&other, connected).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.unwrap();
}
