//! A transaction, independent of the driver underneath.
//!
//! Guards that it ends exactly once: by commit, by rollback, or by being dropped.

use super::{DriverTransaction, Executed, RowLimit};
use crate::{Params, QueryError, RowSet};

/// A transaction that is under way. Dropping it rolls back.
#[derive(Debug)]
pub struct DatabaseTransaction {
    inner: Box<dyn DriverTransaction>,
}

impl DatabaseTransaction {
    pub(super) fn new(inner: Box<dyn DriverTransaction>) -> Self {
        Self { inner }
    }

    /// Runs a statement within the transaction and returns its rows.
    ///
    /// # Errors
    /// As [`Database::fetch`](crate::Database::fetch). A statement that fails leaves the
    /// transaction open, except where the database itself ended it. On PostgreSQL nothing but a
    /// rollback, to a savepoint or of everything, succeeds afterwards.
    ///
    /// # Cancel safety
    /// Dropping the future ends the statement and leaves the transaction open; on PostgreSQL, whose
    /// protocol can not take a statement back, it undoes the transaction, and everything but a
    /// rollback is an error afterwards.
    pub async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        self.inner.fetch(sql, params, limit).await
    }

    /// Runs a statement within the transaction and returns what it did.
    ///
    /// # Errors
    /// As [`DatabaseTransaction::fetch`].
    ///
    /// # Cancel safety
    /// As [`DatabaseTransaction::fetch`].
    pub async fn execute(&mut self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        self.inner.execute(sql, params).await
    }

    /// Makes everything permanent.
    ///
    /// # Errors
    /// [`QueryError::Database`]. Nothing was committed if the database refused; if the connection
    /// broke ([`Connection`](crate::DatabaseErrorKind::Connection)), the outcome is unknown.
    ///
    /// # Cancel safety
    /// The commit goes on if the future is dropped, and its outcome is not known to the caller.
    pub async fn commit(self) -> Result<(), QueryError> {
        self.inner.commit().await
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// [`QueryError::Database`]. The connection is then closed, which undoes everything too.
    ///
    /// # Cancel safety
    /// The rollback goes on if the future is dropped.
    pub async fn rollback(self) -> Result<(), QueryError> {
        self.inner.rollback().await
    }
}
