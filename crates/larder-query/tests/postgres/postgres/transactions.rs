//! Transactions end, whatever happens to the futures around them.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use larder_query::{Database, DatabaseErrorKind, DatabaseOptions, Params, QueryError, RowLimit};

use crate::{Fixture, number, run};

const INSERT: &str = "INSERT INTO t VALUES (1)";
const COUNT: &str = "SELECT count(*) FROM t";

/// One connection, so that whatever is left on it is seen by the next statement.
async fn fixture() -> Fixture {
    let fixture = Fixture::with_options(&DatabaseOptions::default().with_connections_max(1)).await;
    run(&fixture.database, "CREATE TABLE t (a int)").await;
    fixture
}

/// Fails if the connection is inside a transaction: then nothing would be seen from outside.
async fn check_idle(fixture: &Fixture, other: &Database) {
    let before = number(other, COUNT).await;
    run(&fixture.database, INSERT).await;
    assert_eq!(number(other, COUNT).await, before + 1, "a transaction was left open");
}

/// Polls a future until it has been pending so often, lets the driver make progress in between,
/// and drops it. What it gave, if it was ready.
async fn poll_and_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_commit_keeps_and_a_rollback_undoes() {
    let fixture = fixture().await;
    let database = &fixture.database;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    let set = transaction.fetch(COUNT, &Params::new(), RowLimit::All).await.unwrap();
    assert_eq!(set.to::<i64>().unwrap(), [1]);
    transaction.rollback().await.unwrap();
    assert_eq!(number(database, COUNT).await, 0);

    let mut transaction = database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(number(database, COUNT).await, 1);

    let mut transaction = database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    drop(transaction);
    assert_eq!(number(database, COUNT).await, 1);
}

#[test]
#[ignore = "needs a live service"]
fn a_transaction_may_be_dropped_outside_of_the_runtime() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fixture = runtime.block_on(fixture());
    let transaction = runtime.block_on(fixture.database.begin()).unwrap();
    drop(transaction);
    runtime.block_on(async { check_idle(&fixture, &fixture.again().await).await });
    let transaction = runtime.block_on(fixture.database.begin()).unwrap();
    drop(runtime);
    drop(transaction);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_begin_that_is_dropped_leaves_nothing_behind() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let mut ready = 0;
    for polls in (0..40).chain(0..40) {
        if let Some(transaction) = poll_and_drop(fixture.database.begin(), polls).await {
            drop(transaction.unwrap());
            ready += 1;
        }
        check_idle(&fixture, &other).await;
    }
    assert!(ready < 80, "some were dropped before they were ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_commit_that_is_dropped_goes_on() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    for polls in 1..30 {
        let mut transaction = fixture.database.begin().await.unwrap();
        transaction.execute(INSERT, &Params::new()).await.unwrap();
        let before = number(&other, COUNT).await;
        let _ = poll_and_drop(transaction.commit(), polls).await;
        // The only connection is free again when the commit is through.
        assert_eq!(number(&fixture.database, COUNT).await, before + 1);
        check_idle(&fixture, &other).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_statement_that_is_dropped_is_on_no_connection_that_is_used_again() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let none = Params::new();
    for polls in 0..60 {
        let slow = fixture.database.fetch("SELECT 7 FROM pg_sleep(0.002)", &none, RowLimit::All);
        let _ = poll_and_drop(slow, polls).await;
        assert_eq!(number(&fixture.database, "SELECT 8").await, 8, "{polls}");
        let endless = "SELECT * FROM generate_series(1, 100000000)";
        let never = fixture.database.fetch(endless, &none, RowLimit::All);
        assert!(poll_and_drop(never, polls).await.is_none());
        assert_eq!(number(&fixture.database, "SELECT 9").await, 9, "{polls}");
    }
    check_idle(&fixture, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_statement_that_is_dropped_undoes_its_transaction() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    for end in ["commit", "rollback", "drop"] {
        let mut transaction = fixture.database.begin().await.unwrap();
        transaction.execute(INSERT, &Params::new()).await.unwrap();
        let before = number(&other, COUNT).await;
        let none = Params::new();
        let slow = transaction.execute("SELECT pg_sleep(60)", &none);
        assert!(poll_and_drop(slow, 5).await.is_none());
        let error = transaction.execute(INSERT, &Params::new()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Other), "{error:?}");
        match end {
            "commit" => assert!(transaction.commit().await.is_err()),
            "rollback" => transaction.rollback().await.unwrap(),
            _ => drop(transaction),
        }
        assert_eq!(number(&other, COUNT).await, before, "{end}");
        check_idle(&fixture, &other).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn the_server_ends_what_nobody_waits_for_any_more() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let none = Params::new();
    let slow = fixture.database.fetch("SELECT pg_sleep(600)", &none, RowLimit::All);
    let never = tokio::time::timeout(std::time::Duration::from_millis(200), slow).await;
    assert!(never.is_err());
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' \
                    AND datname = current_database()";
    let ended = async {
        while number(&other, sleeping).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_commit_after_a_failed_statement_is_an_error() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let mut transaction = fixture.database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    assert!(transaction.execute("SELECT 1 / 0", &Params::new()).await.is_err());
    let QueryError::Database(error) = transaction.commit().await.unwrap_err() else { panic!() };
    assert_eq!(error.code(), Some("25P02"));
    assert_eq!(number(&other, COUNT).await, 0);
    check_idle(&fixture, &other).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_savepoint_saves_what_came_before_it() {
    let fixture = fixture().await;
    let mut transaction = fixture.database.begin().await.unwrap();
    for sql in [INSERT, "SAVEPOINT a"] {
        transaction.execute(sql, &Params::new()).await.unwrap();
    }
    assert!(transaction.execute("SELECT 1 / 0", &Params::new()).await.is_err());
    transaction.execute("ROLLBACK TO a", &Params::new()).await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(number(&fixture.database, COUNT).await, 2);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_commit_that_is_refused_undoes_everything() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let tables = "CREATE TABLE p (id int PRIMARY KEY); \
                  CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED)";
    run(&fixture.database, tables).await;
    let mut transaction = fixture.database.begin().await.unwrap();
    transaction.execute("INSERT INTO c VALUES (9)", &Params::new()).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::ForeignKeyViolation));
    assert_eq!(number(&other, "SELECT count(*) FROM c").await, 0);
    check_idle(&fixture, &other).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn statements_do_not_begin_or_end_transactions() {
    let fixture = fixture().await;
    let other = fixture.again().await;
    let refused = |error: QueryError| matches!(error, QueryError::TransactionControl);
    for sql in [
        "BEGIN",
        "start transaction",
        "COMMIT",
        " /* x */ rollback",
        "END",
        "ABORT",
        "SAVEPOINT a",
        "SELECT 1; BEGIN",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ] {
        assert!(refused(fixture.database.execute(sql, &Params::new()).await.unwrap_err()), "{sql}");
    }
    let mut transaction = fixture.database.begin().await.unwrap();
    for sql in ["COMMIT", "ROLLBACK", "BEGIN", "END", "COMMIT AND CHAIN", "SELECT 1; COMMIT"] {
        assert!(refused(transaction.execute(sql, &Params::new()).await.unwrap_err()), "{sql}");
    }
    transaction.rollback().await.unwrap();
    check_idle(&fixture, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_serialization_failure_is_reported_as_busy() {
    let fixture = Fixture::new().await;
    run(&fixture.database, "CREATE TABLE t (a int); INSERT INTO t VALUES (0)").await;
    let level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    let mut one = fixture.database.begin().await.unwrap();
    let mut two = fixture.database.begin().await.unwrap();
    for transaction in [&mut one, &mut two] {
        transaction.execute(level, &Params::new()).await.unwrap();
        transaction.fetch("SELECT a FROM t", &Params::new(), RowLimit::All).await.unwrap();
    }
    one.execute("UPDATE t SET a = a + 1", &Params::new()).await.unwrap();
    one.commit().await.unwrap();
    let error = two.execute("UPDATE t SET a = a + 1", &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Busy));
    assert!(error.is_retryable());
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn no_free_connection_is_reported_as_such() {
    let options = DatabaseOptions::default()
        .with_connections_max(1)
        .with_acquire_timeout(std::time::Duration::from_secs(3));
    let fixture = Fixture::with_options(&options).await;
    let held = fixture.database.begin().await.unwrap();
    let error = fixture.database.begin().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::PoolTimeout));
    held.rollback().await.unwrap();
    run(&fixture.database, "SELECT 1").await;
}
