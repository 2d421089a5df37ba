//! Statements that write, outside of a transaction.

use std::{fmt, sync::Arc};

use larder_cache::{Invalidation, PendingInvalidation};

use crate::{
    Bind, Executed, Params, QueryError,
    queries::Shared,
    statement::{Statement, dialect},
};

/// A statement that writes, with its parameters. Made by
/// [`Queries::execute`](crate::Queries::execute).
#[must_use = "a statement does nothing until it is run"]
pub struct Execute {
    shared: Arc<Shared>,
    statement: Statement,
    params: Params,
}

/// What a statement did, and what became of the invalidation that follows from it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written {
    /// How many rows were inserted, updated or deleted.
    pub rows_affected: u64,
    /// The key that the database generated for the last inserted row, where it says so.
    pub last_insert_id: Option<i64>,
    /// Whether answers that depend on what was written are invalidated everywhere.
    pub invalidation: Invalidation,
}

impl Execute {
    pub(crate) fn new(shared: Arc<Shared>, sql: &str) -> Self {
        let statement = Statement::analyze(sql, dialect(shared.database.engine()));
        Self { shared, statement, params: Params::new() }
    }

    /// Binds the next parameter.
    pub fn bind(mut self, value: impl Bind) -> Self {
        self.params.bind(value);
        self
    }

    /// Binds parameters that were put together before, in place of all that were bound.
    pub(crate) fn bind_params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// Runs the statement, then invalidates every answer that depends on a table that it wrote.
    ///
    /// A statement whose tables can not be told from its text invalidates everything.
    ///
    /// # Errors
    /// [`QueryError`]: the database's. If it leaves open whether the write took effect, the
    /// answers are invalidated nevertheless.
    ///
    /// # Cancel safety
    /// The statement and the invalidation go on if the future is dropped after the first poll.
    pub async fn run(self) -> Result<Written, QueryError> {
        let Self { shared, statement, params } = self;
        let before = shared.before(&statement).await;
        let sql = Arc::clone(&statement.sql);
        let database = shared.database.clone();
        let write = async move { database.execute(&sql, &params).await };
        let (Executed { rows_affected, last_insert_id, .. }, invalidation) = shared
            .write(before.written(&statement), before, statement.is_single, write)
            .await
            .inspect_err(|error| shared.notice(statement.tables(), error))?;
        Ok(Written { rows_affected, last_insert_id, invalidation })
    }
}

impl Written {
    /// Turns a pending invalidation into an error; otherwise how many rows were written.
    ///
    /// # Errors
    /// [`PendingInvalidation`].
    pub fn applied(self) -> Result<u64, PendingInvalidation> {
        self.invalidation.applied()?;
        Ok(self.rows_affected)
    }
}

impl fmt::Debug for Execute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute")
            .field("sql", &self.statement.sql)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}
