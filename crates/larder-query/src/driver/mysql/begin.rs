//! A transaction on a connection of its own.
//!
//! Guards that no statement of a transaction runs outside of it: not after the server ended it by
//! itself, as it does after a deadlock, and not after a statement that commits by implication.

use async_trait::async_trait;
use sqlx::Executor as _;
use tokio::runtime::Handle;

use super::{
    error,
    pool::{Left, Pool, Pooled},
    run::{self, Order, Ran, Wanted},
    scan::{Scan, Verb, scan},
};
use crate::{
    DatabaseErrorKind, Executed, Params, QueryError, RowLimit, RowSet,
    driver::{DriverTransaction, detached::detached},
};

/// A transaction under way.
#[derive(Debug)]
pub(super) struct MySqlTransaction {
    pool: Pool,
    /// Empty once the transaction has ended, by whomever.
    connection: Option<Pooled>,
    /// Whether a statement is under way; if so before another one, its future was dropped.
    is_busy: bool,
    /// Whether a statement changed the session, which then serves nobody else.
    is_changed: bool,
    /// Whether a routine ended the transaction, nobody knows how.
    is_unclear: bool,
    /// Where to roll back when this is dropped outside of any runtime.
    runtime: Handle,
}

/// Begins a transaction. If the future is dropped, the connection is closed.
pub(super) async fn begin(pool: &Pool) -> Result<MySqlTransaction, QueryError> {
    let mut connection = pool.acquire().await?;
    if let Err(error) = begin_on(&mut connection).await {
        if !(connection.was_idle() && error::is_lost(&error)) {
            return Err(error);
        }
        drop(connection);
        connection = pool.acquire_fresh().await?;
        begin_on(&mut connection).await?;
    }
    let runtime = connection.runtime();
    Ok(MySqlTransaction {
        pool: pool.clone(),
        connection: Some(connection),
        is_busy: false,
        is_changed: false,
        is_unclear: false,
        runtime,
    })
}

/// From now on the connection is to be closed, until the transaction has ended.
async fn begin_on(connection: &mut Pooled) -> Result<(), QueryError> {
    connection.leave(Left::Unknown);
    control(connection, "START TRANSACTION").await
}

/// Runs a statement about the transaction.
async fn control(connection: &mut Pooled, sql: &'static str) -> Result<(), QueryError> {
    let done: Result<_, sqlx::Error> = (&mut **connection).execute(sql).await;
    done.map(drop).map_err(|source| error::map(source).into())
}

/// Fails unless the server is still inside the transaction, and changes nothing. Outside of one,
/// a savepoint is gone as soon as it is set.
async fn probe(connection: &mut Pooled) -> Result<(), QueryError> {
    control(connection, "SAVEPOINT larder_probe").await?;
    control(connection, "RELEASE SAVEPOINT larder_probe").await
}

/// The transaction ended before this statement.
fn is_over() -> QueryError {
    let message = "the transaction is over: the server or an earlier statement ended it";
    error::own(DatabaseErrorKind::Connection, message).into()
}

/// Rolls back. Until then the connection is to be closed. Where it fails, closing the connection does the same.
async fn roll_back(mut connection: Pooled, left: Left) {
    if control(&mut connection, "ROLLBACK").await.is_ok() {
        connection.leave(left);
    }
}

impl MySqlTransaction {
    /// The connection, unless the statement would end the transaction behind its back.
    fn connection_for(&mut self, scan: &Scan) -> Result<&mut Pooled, QueryError> {
        if scan.has(Verb::Transaction) {
            return Err(QueryError::TransactionControl);
        }
        if scan.has(Verb::Commits) {
            return Err(QueryError::ImplicitCommit);
        }
        self.is_changed |= scan.session;
        if self.is_busy {
            self.connection = None;
        }
        let connection = self.connection.as_mut().ok_or_else(is_over)?;
        self.is_busy = true;
        Ok(connection)
    }

    const fn left(&self) -> Left {
        if self.is_changed { Left::Changed } else { Left::Alike }
    }

    async fn run<W: Wanted>(
        &mut self,
        sql: &str,
        params: &Params,
        wanted: W,
    ) -> Result<W::Found, QueryError> {
        let scan = scan(sql);
        let pool = self.pool.clone();
        let types = &pool.session().types;
        // Every row is read, because the connection can not be replaced.
        let order = Order { sql, scan: &scan, params, types, surplus_max: usize::MAX };
        let ran = wanted.run(self.connection_for(&scan)?, order).await;
        self.look_after(&scan, ran).await
    }

    /// Looks whether the transaction is still there, where a statement may have ended it. A
    /// statement that was dropped half-way leaves no connection to look at.
    async fn look_after<T>(&mut self, scan: &Scan, ran: Ran<T>) -> Result<T, QueryError> {
        let Ran { outcome, in_step } = ran;
        let Some(connection) = self.connection.as_mut() else { return outcome };
        if !in_step {
            self.connection = None;
            return outcome;
        }
        let is_doubtful = scan.has(Verb::Call)
            || outcome.as_ref().is_err_and(|error| matches!(error, QueryError::Database(_)));
        if is_doubtful && probe(connection).await.is_err() {
            self.connection = None;
            self.is_unclear = scan.has(Verb::Call);
        }
        self.is_busy = false;
        outcome
    }

    fn take(&mut self) -> Result<Pooled, QueryError> {
        // What was under way when a future was dropped is still under way.
        self.connection.take().filter(|_| !self.is_busy).ok_or_else(is_over)
    }
}

impl Drop for MySqlTransaction {
    fn drop(&mut self) {
        let left = self.left();
        // In any other case the connection is closed, and the server rolls back.
        if let Ok(connection) = self.take() {
            self.runtime.spawn(roll_back(connection, left));
        }
    }
}

#[async_trait]
impl DriverTransaction for MySqlTransaction {
    async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        self.run(sql, params, run::Rows(limit)).await
    }

    async fn execute(&mut self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        self.run(sql, params, run::Effect).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), QueryError> {
        let left = self.left();
        let mut connection = self.take()?;
        detached(async move {
            control(&mut connection, "COMMIT").await?;
            connection.leave(left);
            Ok(())
        })
        .await
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), QueryError> {
        let left = self.left();
        let Ok(connection) = self.take() else {
            // Where the server ended the transaction, nothing is left to undo.
            return if self.is_unclear { Err(is_over()) } else { Ok(()) };
        };
        detached(async move {
            roll_back(connection, left).await;
            Ok(())
        })
        .await
    }
}
