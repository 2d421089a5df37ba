//! A transaction on a pooled connection.
//!
//! Guards that no connection returns to the pool inside an open transaction, at whatever point a
//! future is dropped: beginning, committing and rolling back each run in a task of their own,
//! which owns the connection and ends also if nobody waits for it.

use async_trait::async_trait;
use sqlx::{Executor as _, Sqlite, pool::PoolConnection};
use tokio::runtime::Handle;

use super::{
    error, pool,
    scan::{Verb, scan},
};
use crate::{
    DatabaseError, Executed, Params, QueryError, RowLimit, RowSet,
    driver::{DriverTransaction, detached::detached},
};

pub(super) type PooledConnection = PoolConnection<Sqlite>;

/// A transaction under way.
#[derive(Debug)]
pub(super) struct SqliteTransaction {
    /// Empty once the transaction has ended.
    connection: Option<PooledConnection>,
    /// Whether the connection enforces references.
    enforces: bool,
    /// Where to roll back when this is dropped outside of any runtime.
    runtime: Handle,
}

/// Begins a transaction.
pub(super) async fn begin(
    mut connection: PooledConnection,
    read_only: bool,
) -> Result<SqliteTransaction, QueryError> {
    let statement = begin_statement(read_only);
    detached(async move {
        connection.execute(statement).await.map_err(error::map)?;
        // If nobody waits any more, dropping this rolls back.
        let runtime = Handle::current();
        Ok(SqliteTransaction { connection: Some(connection), enforces: true, runtime })
    })
    .await
}

/// Begins a transaction in which references are not enforced. The setting can not be changed
/// within a transaction, so it is changed before, on a connection that nobody else has.
pub(super) async fn begin_unenforced(
    mut connection: PooledConnection,
    read_only: bool,
) -> Result<SqliteTransaction, QueryError> {
    let statement = begin_statement(read_only);
    detached(async move {
        connection.execute("PRAGMA foreign_keys = OFF").await.map_err(error::map)?;
        if let Err(source) = connection.execute(statement).await {
            give_back(connection, false).await;
            return Err(error::map(source).into());
        }
        let runtime = Handle::current();
        Ok(SqliteTransaction { connection: Some(connection), enforces: false, runtime })
    })
    .await
}

const fn begin_statement(read_only: bool) -> &'static str {
    if read_only { "BEGIN" } else { "BEGIN IMMEDIATE" }
}

/// Gives a connection without a transaction back to the pool, enforcing references.
async fn give_back(mut connection: PooledConnection, enforces: bool) {
    if !enforces && connection.execute("PRAGMA foreign_keys = ON").await.is_err() {
        connection.close_on_drop();
    }
}

/// The connection died during an earlier statement.
fn gone() -> DatabaseError {
    error::map(sqlx::Error::WorkerCrashed)
}

/// Rolls back. Where that fails, closing the connection does the same.
async fn roll_back(mut connection: PooledConnection, enforces: bool) {
    if connection.execute("ROLLBACK").await.is_err() {
        connection.close_on_drop();
    } else {
        give_back(connection, enforces).await;
    }
}

impl SqliteTransaction {
    /// The connection, unless the statement would end the transaction behind its back.
    fn connection_for(&mut self, sql: &str) -> Result<&mut PooledConnection, QueryError> {
        if scan(sql)?.verbs.contains(&Verb::Transaction) {
            return Err(QueryError::TransactionControl);
        }
        self.connection.as_mut().ok_or_else(|| gone().into())
    }

    /// Lets go of a connection whose thread died, and the transaction with it: SQLite rolls back
    /// what is not committed.
    fn abandon_if_dead<T>(&mut self, outcome: Result<T, QueryError>) -> Result<T, QueryError> {
        if outcome.as_ref().is_err_and(error::is_dead)
            && let Some(connection) = self.connection.take()
        {
            drop(connection.detach());
        }
        outcome
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The connection's own destructor spawns too, if the task does not even start.
            let _context = self.runtime.enter();
            self.runtime.spawn(roll_back(connection, self.enforces));
        }
    }
}

#[async_trait]
impl DriverTransaction for SqliteTransaction {
    async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        let outcome = pool::fetch(self.connection_for(sql)?, sql, params, limit).await;
        self.abandon_if_dead(outcome)
    }

    async fn execute(&mut self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        let outcome = pool::execute(self.connection_for(sql)?, sql, params).await;
        self.abandon_if_dead(outcome)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), QueryError> {
        detached(async move {
            let mut connection = self.connection.take().ok_or_else(gone)?;
            let Err(source) = connection.execute("COMMIT").await else {
                give_back(connection, self.enforces).await;
                return Ok(());
            };
            // SQLite keeps the transaction open when a commit fails.
            roll_back(connection, self.enforces).await;
            Err(error::map(source).into())
        })
        .await
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), QueryError> {
        detached(async move {
            if let Some(connection) = self.connection.take() {
                roll_back(connection, self.enforces).await;
            }
            Ok(())
        })
        .await
    }
}
