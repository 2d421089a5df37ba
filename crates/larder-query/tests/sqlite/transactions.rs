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
    let options = DatabaseOptions::default().with_connections_max(1);
    let fixture = Fixture::new(&options).await;
    run(&fixture.database, "CREATE TABLE t (a)").await;
    fixture
}

/// Fails if the connection is inside a transaction, because none can begin within another.
async fn check_idle(database: &Database) {
    let transaction = database.begin().await.unwrap();
    transaction.rollback().await.unwrap();
}

/// Polls a future at most `polls` times and drops it. Whether it was ready.
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
async fn a_commit_keeps_and_a_rollback_undoes() {
    let database = &fixture().await.database;
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
}

#[tokio::test]
async fn a_dropped_transaction_is_undone() {
    let database = &fixture().await.database;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    drop(transaction);
    assert_eq!(number(database, COUNT).await, 0);
    check_idle(database).await;
}

#[test]
fn a_transaction_may_be_dropped_outside_of_the_runtime() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fixture = runtime.block_on(fixture());
    let transaction = runtime.block_on(fixture.database.begin()).unwrap();
    drop(transaction);
    runtime.block_on(check_idle(&fixture.database));
    let transaction = runtime.block_on(fixture.database.begin()).unwrap();
    drop(runtime);
    drop(transaction);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_begin_that_is_dropped_leaves_nothing_behind() {
    let fixture = fixture().await;
    let mut ready = 0;
    for polls in (0..60).chain(0..60) {
        if let Some(transaction) = poll_and_drop(fixture.database.begin(), polls).await {
            drop(transaction.unwrap());
            ready += 1;
        }
        run(&fixture.database, INSERT).await;
        check_idle(&fixture.database).await;
    }
    // Statements after a begin that lingers would have been part of it, and undone with it.
    assert_eq!(number(&fixture.database, COUNT).await, 120);
    assert!(ready < 120, "some were dropped before they were ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_dropped_goes_on() {
    let fixture = fixture().await;
    for polls in 1..30 {
        let mut transaction = fixture.database.begin().await.unwrap();
        transaction.execute(INSERT, &Params::new()).await.unwrap();
        let _ = poll_and_drop(transaction.commit(), polls).await;
        assert_eq!(number(&fixture.database, COUNT).await, i64::try_from(polls).unwrap());
    }
    check_idle(&fixture.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_dropped_leaves_the_connection_usable() {
    let fixture = fixture().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let none = Params::new();
    let mut transaction = fixture.database.begin().await.unwrap();
    for polls in 0..20 {
        let never = transaction.fetch(endless, &none, RowLimit::All);
        assert!(poll_and_drop(never, polls).await.is_none());
        let set = transaction.fetch("SELECT 7", &Params::new(), RowLimit::All).await.unwrap();
        assert_eq!(set.to::<i64>().unwrap(), [7]);
    }
    transaction.commit().await.unwrap();
    check_idle(&fixture.database).await;
}

#[tokio::test]
async fn statements_do_not_begin_or_end_transactions() {
    let database = &fixture().await.database;
    let plain = ["BEGIN", "COMMIT", " rollback", "END", "SAVEPOINT a", "SELECT 1; BEGIN"];
    let disguised = [" \u{b}BEGIN", "\u{feff}BEGIN", "\u{a0}BEGIN", "SELECT 1;\u{b}\u{feff}COMMIT"];
    for sql in plain.into_iter().chain(disguised) {
        let error = database.execute(sql, &Params::new()).await.unwrap_err();
        assert!(matches!(error, QueryError::TransactionControl), "{sql}");
    }
    let mut transaction = database.begin().await.unwrap();
    for sql in ["COMMIT", "ROLLBACK", "BEGIN", "END"] {
        let error = transaction.execute(sql, &Params::new()).await.unwrap_err();
        assert!(matches!(error, QueryError::TransactionControl), "{sql}");
    }
    for sql in ["SAVEPOINT a", INSERT, "ROLLBACK TO a", "RELEASE a", INSERT] {
        transaction.execute(sql, &Params::new()).await.unwrap();
    }
    transaction.commit().await.unwrap();
    assert_eq!(number(database, COUNT).await, 1);
}

#[tokio::test]
async fn a_commit_that_is_refused_undoes_everything() {
    let database = &fixture().await.database;
    run(database, "CREATE TABLE p (id INTEGER PRIMARY KEY)").await;
    run(database, "CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)").await;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute("INSERT INTO c VALUES (9)", &Params::new()).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::ForeignKeyViolation));
    assert_eq!(number(database, "SELECT count(*) FROM c").await, 0);
    check_idle(database).await;
}

#[tokio::test]
async fn a_failed_statement_leaves_the_transaction_open() {
    let database = &fixture().await.database;
    let mut transaction = database.begin().await.unwrap();
    transaction.execute(INSERT, &Params::new()).await.unwrap();
    assert!(transaction.execute("nonsense", &Params::new()).await.is_err());
    transaction.commit().await.unwrap();
    assert_eq!(number(database, COUNT).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_wait_for_each_other() {
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    run(&fixture.database, "CREATE TABLE t (a)").await;
    run(&fixture.database, "INSERT INTO t VALUES (0)").await;
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let database = fixture.database.clone();
            tokio::spawn(async move {
                let mut transaction = database.begin().await?;
                let set =
                    transaction.fetch("SELECT a FROM t", &Params::new(), RowLimit::One).await?;
                let next = set.to::<i64>()?.into_iter().sum::<i64>() + 1;
                let mut params = Params::new();
                params.bind(next);
                transaction.execute("UPDATE t SET a = ?", &params).await?;
                transaction.commit().await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(number(&fixture.database, "SELECT a FROM t").await, 16);
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_reported_as_busy() {
    let options = DatabaseOptions::default()
        .with_connections_max(2)
        .with_busy_timeout(std::time::Duration::from_millis(1));
    let fixture = Fixture::new(&options).await;
    let first = fixture.database.begin().await.unwrap();
    let error = fixture.database.begin().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Busy));
    assert!(error.is_retryable());
    first.rollback().await.unwrap();
    check_idle(&fixture.database).await;
}

#[tokio::test]
async fn no_free_connection_is_reported_as_such() {
    let options = DatabaseOptions::default()
        .with_connections_max(1)
        // Opening the connection has to be possible within it.
        .with_acquire_timeout(std::time::Duration::from_secs(1));
    let fixture = Fixture::new(&DatabaseOptions::default()).await;
    let database = crate::open(&fixture.directory, "", &options).await.unwrap();
    let held = database.begin().await.unwrap();
    let error = database.begin().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::PoolTimeout));
    held.rollback().await.unwrap();
}

#[tokio::test]
async fn references_are_enforced_outside_of_the_transaction_that_goes_without() {
    let database = &fixture().await.database;
    run(database, "CREATE TABLE p (id INTEGER PRIMARY KEY)").await;
    run(database, "CREATE TABLE c (p INTEGER REFERENCES p (id))").await;
    let orphan = "INSERT INTO c VALUES (7)";
    let refused = async || database.execute(orphan, &Params::new()).await.is_err();
    for end in ["commit", "roll back", "drop", "never begin"] {
        if end == "never begin" {
            for polls in 0..20 {
                drop(poll_and_drop(database.begin_unenforced(), polls).await);
                assert!(refused().await, "{polls} polls");
            }
            continue;
        }
        let mut transaction = database.begin_unenforced().await.unwrap();
        transaction.execute(orphan, &Params::new()).await.unwrap();
        // Who waits for the connection gets it with references enforced.
        let (others, ()) = tokio::join!(refused(), async {
            match end {
                "commit" => transaction.commit().await.unwrap(),
                "roll back" => transaction.rollback().await.unwrap(),
                _ => drop(transaction),
            }
        });
        assert!(others, "after: {end}");
    }
    check_idle(database).await;
}
