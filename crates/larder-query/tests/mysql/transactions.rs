//! Transactions end, whatever happens to the futures around them and whatever the server does.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use larder_query::{Database, DatabaseErrorKind, DatabaseOptions, Params, QueryError, RowLimit};

use crate::{
    Fixture,
    fixture::{eventually, number, run_on},
};

const INSERT: &str = "INSERT INTO t VALUES (1)";
const COUNT: &str = "SELECT count(*) FROM t";

/// One connection, so that whatever is left on it is seen by the next statement.
async fn single(f: &Fixture) -> Database {
    f.run("CREATE TABLE t (a INT) ENGINE=InnoDB").await;
    f.open(&DatabaseOptions::default().with_connections_max(1)).await
}

/// Fails if a connection of the pool is inside a transaction: what it writes is then not seen.
async fn check_idle(f: &Fixture, database: &Database) {
    run_on(&f.database, "CREATE TABLE IF NOT EXISTS idle (a INT) ENGINE=InnoDB").await;
    run_on(database, "INSERT INTO idle VALUES (1)").await;
    assert_eq!(f.number("SELECT count(*) FROM idle").await, 1, "inside a transaction");
    f.run("DELETE FROM idle").await;
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future at most `polls` times and drops it. What it was ready with.
async fn poll_and_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return Some(output);
        }
        // Long enough for an answer now and then, so that futures are dropped at every step.
        (0..20_000).for_each(|_| std::hint::spin_loop());
        tokio::task::yield_now().await;
    }
    None
}

async fn execute(
    transaction: &mut larder_query::DatabaseTransaction,
    sql: &str,
) -> Result<u64, QueryError> {
    Ok(transaction.execute(sql, &Params::new()).await?.rows_affected)
}

pub(crate) async fn a_commit_keeps_and_a_rollback_undoes(f: Fixture) {
    let database = single(&f).await;
    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    let set = transaction.fetch(COUNT, &Params::new(), RowLimit::All).await.unwrap();
    assert_eq!(set.to::<i64>().unwrap(), [1]);
    assert_eq!(f.number(COUNT).await, 0, "nobody else sees it");
    transaction.rollback().await.unwrap();
    assert_eq!(number(&database, COUNT).await, 0);

    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(f.number(COUNT).await, 1);
}

pub(crate) async fn a_dropped_transaction_is_undone(f: Fixture) {
    let database = single(&f).await;
    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    drop(transaction);
    assert_eq!(number(&database, COUNT).await, 0);
    check_idle(&f, &database).await;
}

pub(crate) async fn a_begin_that_is_dropped_leaves_nothing_behind(f: Fixture) {
    let database = single(&f).await;
    let mut ready = 0;
    for polls in (0..30).chain(0..30) {
        if let Some(transaction) = poll_and_drop(database.begin(), polls).await {
            drop(transaction.unwrap());
            ready += 1;
        }
        run_on(&database, INSERT).await;
    }
    check_idle(&f, &database).await;
    // Statements after a begin that lingers would have been part of it, and undone with it.
    assert_eq!(f.number(COUNT).await, 60);
    assert!(0 < ready && ready < 60, "some were dropped before they were ready: {ready}");
}

pub(crate) async fn a_commit_that_is_dropped_goes_on(f: Fixture) {
    let database = single(&f).await;
    for polls in 1..30 {
        let mut transaction = database.begin().await.unwrap();
        execute(&mut transaction, INSERT).await.unwrap();
        let _ = poll_and_drop(transaction.commit(), polls).await;
        // The one connection is free when the commit is over.
        let expected = i64::try_from(polls).unwrap();
        assert_eq!(number(&database, COUNT).await, expected);
    }
    check_idle(&f, &database).await;
}

pub(crate) async fn a_statement_that_is_dropped_costs_its_connection_only(f: Fixture) {
    let database = single(&f).await;
    let sql = "SELECT a.a, b.a FROM t AS a, t AS b";
    for _ in 0..40 {
        run_on(&database, INSERT).await;
    }
    for polls in 0..40 {
        let _ = poll_and_drop(database.fetch(sql, &Params::new(), RowLimit::All), polls).await;
        // Neither an answer to the dropped statement nor an error.
        assert_eq!(number(&database, "SELECT 7").await, 7);
    }
    check_idle(&f, &database).await;
}

pub(crate) async fn a_statement_that_is_dropped_ends_its_transaction(f: Fixture) {
    let database = single(&f).await;
    let mut dropped = 0;
    for polls in 0..20 {
        let mut transaction = database.begin().await.unwrap();
        execute(&mut transaction, INSERT).await.unwrap();
        let none = Params::new();
        // Every other one is surely under way when it is dropped.
        let slow = if polls % 2 == 1 { " + SLEEP(0.02)" } else { "" };
        let update = format!("UPDATE t SET a = 2{slow}");
        let update = transaction.execute(&update, &none);
        if poll_and_drop(update, polls).await.is_some() {
            transaction.rollback().await.unwrap();
            continue;
        }
        // Not polled at all, it was not sent.
        if polls == 0 {
            execute(&mut transaction, INSERT).await.unwrap();
            transaction.rollback().await.unwrap();
            continue;
        }
        dropped += 1;
        let error = execute(&mut transaction, INSERT).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{error:?}");
        assert!(transaction.commit().await.is_err());
    }
    assert!(dropped > 0);
    check_idle(&f, &database).await;
    let count = async || f.number(COUNT).await == 0;
    eventually("nothing was committed", count).await;
}

pub(crate) async fn statements_do_not_begin_or_end_transactions(f: Fixture) {
    let database = single(&f).await;
    for sql in [
        "BEGIN",
        "START TRANSACTION",
        "COMMIT",
        " rollback",
        "SAVEPOINT a",
        "SELECT 1; BEGIN",
        "SET autocommit = 0",
        "LOCK TABLES t READ",
        "UNLOCK TABLES",
        "XA START 'a'",
        "/* x */ BEGIN",
        "# x\nCOMMIT",
    ] {
        let error = database.execute(sql, &Params::new()).await.unwrap_err();
        assert!(matches!(error, QueryError::TransactionControl), "{sql}");
    }
    let mut transaction = database.begin().await.unwrap();
    for sql in ["COMMIT", "ROLLBACK", "BEGIN", "SET autocommit = 1", "LOCK TABLES t READ"] {
        let error = execute(&mut transaction, sql).await.unwrap_err();
        assert!(matches!(error, QueryError::TransactionControl), "{sql}");
    }
    for sql in ["SAVEPOINT a", INSERT, "ROLLBACK TO a", "RELEASE SAVEPOINT a", INSERT] {
        execute(&mut transaction, sql).await.unwrap();
    }
    transaction.commit().await.unwrap();
    assert_eq!(f.number(COUNT).await, 1);
    check_idle(&f, &database).await;
}

pub(crate) async fn a_change_of_the_schema_is_refused_within_a_transaction(f: Fixture) {
    let database = single(&f).await;
    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    for sql in [
        "CREATE TABLE u (a INT)",
        "ALTER TABLE t ADD COLUMN b INT",
        "TRUNCATE TABLE t",
        "DROP TABLE t",
        "CREATE VIEW v AS SELECT 1",
        "ANALYZE TABLE t",
        "/*!50000 CREATE TABLE u (a INT) */",
        "FLUSH TABLES",
    ] {
        let error = execute(&mut transaction, sql).await.unwrap_err();
        assert!(matches!(error, QueryError::ImplicitCommit), "{sql}: {error:?}");
    }
    // Temporary tables do not commit.
    execute(&mut transaction, "CREATE TEMPORARY TABLE u (a INT)").await.unwrap();
    execute(&mut transaction, "DROP TEMPORARY TABLE u").await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(f.number(COUNT).await, 0);
    check_idle(&f, &database).await;
}

pub(crate) async fn a_routine_that_commits_ends_the_transaction(f: Fixture) {
    let database = single(&f).await;
    f.run("CREATE PROCEDURE keeps() BEGIN INSERT INTO t VALUES (2); END").await;
    f.run("CREATE PROCEDURE commits() BEGIN INSERT INTO t VALUES (3); COMMIT; END").await;
    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, "CALL keeps()").await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(f.number(COUNT).await, 0);

    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    execute(&mut transaction, "CALL commits()").await.unwrap();
    assert!(execute(&mut transaction, INSERT).await.is_err(), "it would take effect at once");
    assert!(transaction.rollback().await.is_err(), "there is nothing to roll back");
    assert_eq!(f.number(COUNT).await, 2);
    check_idle(&f, &database).await;
}

/// Two transactions that each wait for the other; the outcomes of their last statements.
async fn deadlock(
    f: &Fixture,
) -> [(larder_query::DatabaseTransaction, Result<u64, QueryError>); 2] {
    f.run("CREATE TABLE d (id INT PRIMARY KEY, a INT) ENGINE=InnoDB").await;
    f.run("INSERT INTO d VALUES (1, 0), (2, 0)").await;
    let mut one = f.database.begin().await.unwrap();
    let mut two = f.database.begin().await.unwrap();
    execute(&mut one, "UPDATE d SET a = 1 WHERE id = 1").await.unwrap();
    execute(&mut two, "UPDATE d SET a = 2 WHERE id = 2").await.unwrap();
    let one = tokio::spawn(async move {
        let outcome = execute(&mut one, "UPDATE d SET a = 1 WHERE id = 2").await;
        (one, outcome)
    });
    let two = tokio::spawn(async move {
        let outcome = execute(&mut two, "UPDATE d SET a = 2 WHERE id = 1").await;
        (two, outcome)
    });
    // The winner waits until the loser has let go, which the server does for it.
    [one.await.unwrap(), two.await.unwrap()]
}

pub(crate) async fn after_a_deadlock_the_transaction_is_over(f: Fixture) {
    let mut losers = 0;
    for (mut transaction, outcome) in deadlock(&f).await {
        match outcome {
            Ok(rows) => {
                assert_eq!(rows, 1);
                transaction.rollback().await.unwrap();
            }
            Err(error) => {
                losers += 1;
                assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Busy));
                assert!(error.is_retryable());
                // This would take effect at once and could not be undone.
                let insert = "INSERT INTO d VALUES (3, 3)";
                assert!(execute(&mut transaction, insert).await.is_err());
                assert!(transaction.commit().await.is_err());
            }
        }
    }
    assert_eq!(losers, 1);
    assert_eq!(f.number("SELECT count(*) FROM d WHERE a <> 0").await, 0);
    check_idle(&f, &f.database).await;
}

pub(crate) async fn after_a_lock_timeout_it_goes_on(f: Fixture) {
    f.run("CREATE TABLE t (a INT) ENGINE=InnoDB").await;
    f.run("CREATE TABLE d (id INT PRIMARY KEY, a INT) ENGINE=InnoDB").await;
    f.run("INSERT INTO d VALUES (1, 0)").await;
    let mut holder = f.database.begin().await.unwrap();
    execute(&mut holder, "UPDATE d SET a = 1").await.unwrap();
    let mut waiter = f.database.begin().await.unwrap();
    execute(&mut waiter, "SET SESSION innodb_lock_wait_timeout = 1").await.unwrap();
    execute(&mut waiter, INSERT).await.unwrap();
    let error = execute(&mut waiter, "UPDATE d SET a = 2").await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Busy));
    execute(&mut waiter, INSERT).await.unwrap();
    waiter.commit().await.unwrap();
    holder.rollback().await.unwrap();
    assert_eq!(f.number(COUNT).await, 2);
}

pub(crate) async fn a_failed_statement_leaves_the_transaction_open(f: Fixture) {
    let database = single(&f).await;
    let mut transaction = database.begin().await.unwrap();
    execute(&mut transaction, INSERT).await.unwrap();
    for sql in ["SELECT nonsense", "SELECT * FROM nowhere", "INSERT INTO t VALUES ('x')"] {
        assert!(execute(&mut transaction, sql).await.is_err(), "{sql}");
    }
    transaction.commit().await.unwrap();
    assert_eq!(f.number(COUNT).await, 1);
    check_idle(&f, &database).await;
}

pub(crate) async fn writers_wait_for_each_other(f: Fixture) {
    f.run("CREATE TABLE t (a INT) ENGINE=InnoDB").await;
    f.run("INSERT INTO t VALUES (0)").await;
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let database = f.database.clone();
            tokio::spawn(async move {
                let mut transaction = database.begin().await?;
                let sql = "SELECT a FROM t FOR UPDATE";
                let set = transaction.fetch(sql, &Params::new(), RowLimit::One).await?;
                let mut params = Params::new();
                params.bind(set.to::<i64>()?.into_iter().sum::<i64>() + 1);
                transaction.execute("UPDATE t SET a = ?", &params).await?;
                transaction.commit().await
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(f.number("SELECT a FROM t").await, 16);
}
