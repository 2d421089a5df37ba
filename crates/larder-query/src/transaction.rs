//! Transactions: reads bypass the cache, writes are invalidated at the commit.
//!
//! Invariant: nothing that is read inside a transaction is stored, because it may be uncommitted
//! or older than what others have committed since the transaction began.

use std::{collections::BTreeSet, fmt, sync::Arc};

use larder_cache::{Invalidation, PendingInvalidation};
use larder_sql::Writes;
use serde::de::DeserializeOwned;

use crate::{
    Bind, DatabaseTransaction, Dynamic, Executed, Params, QueryError, RowLimit, Shape, Typed,
    catalog::Catalog,
    queries::Shared,
    statement::{Statement, dialect},
};

/// A transaction that is under way. Dropping it rolls back and invalidates nothing.
pub struct Transaction {
    shared: Arc<Shared>,
    inner: DatabaseTransaction,
    catalog: Arc<Catalog>,
    writes: Writes,
    changes_schema: bool,
}

/// What became of a committed transaction's invalidation.
#[derive(Debug)]
#[must_use = "a pending invalidation means that other processes may still serve the old value"]
#[non_exhaustive]
pub struct Committed {
    /// Whether answers that depend on what was written are invalidated everywhere.
    pub invalidation: Invalidation,
}

impl Committed {
    /// Turns a pending invalidation into an error. The transaction is committed either way.
    ///
    /// # Errors
    /// [`PendingInvalidation`].
    pub fn applied(self) -> Result<(), PendingInvalidation> {
        self.invalidation.applied()
    }
}

impl Transaction {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        inner: DatabaseTransaction,
        catalog: Arc<Catalog>,
    ) -> Self {
        let writes = Writes::Tables(BTreeSet::new());
        Self { shared, inner, catalog, writes, changes_schema: false }
    }

    /// A query within the transaction, whose rows become values of `T`.
    pub fn query_as<T>(&mut self, sql: &str) -> InTransaction<'_, Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        InTransaction::new(self, sql)
    }

    /// A query within the transaction, whose rows come as they are.
    pub fn query(&mut self, sql: &str) -> InTransaction<'_, Dynamic> {
        InTransaction::new(self, sql)
    }

    /// A statement that writes within the transaction.
    pub fn execute(&mut self, sql: &str) -> InTransaction<'_, Dynamic> {
        InTransaction::new(self, sql)
    }

    /// Commits, then invalidates what was written.
    ///
    /// # Errors
    /// [`QueryError::Database`]. If it leaves open whether the database committed, the answers
    /// are invalidated nevertheless.
    ///
    /// # Cancel safety
    /// The commit and the invalidation go on if the future is dropped after the first poll.
    pub async fn commit(self) -> Result<Committed, QueryError> {
        let Self { shared, inner, writes, changes_schema, .. } = self;
        let ((), invalidation) = shared.write(writes, inner.commit()).await?;
        if changes_schema {
            shared.schema.forget();
        }
        Ok(Committed { invalidation })
    }

    /// Rolls back. Nothing is invalidated, because nothing changed.
    ///
    /// # Errors
    /// [`QueryError::Database`]; the database rolls back by itself when the connection closes.
    ///
    /// # Cancel safety
    /// The rollback goes on if the future is dropped.
    pub async fn rollback(self) -> Result<(), QueryError> {
        self.inner.rollback().await
    }

    /// Remembers what a statement writes, before it runs: a statement that fails half-way may
    /// have written.
    fn note(&mut self, statement: &Statement) {
        self.changes_schema |= statement.changes_schema();
        // The catalog does not know of a trigger that this transaction makes.
        let written = if self.changes_schema && !statement.writes.is_empty() {
            Writes::Everything
        } else {
            self.catalog.wake(&statement.writes)
        };
        match (&mut self.writes, written) {
            (Writes::Tables(all), Writes::Tables(more)) => all.extend(more),
            (all, Writes::Everything) => *all = Writes::Everything,
            (Writes::Everything, Writes::Tables(_)) => {}
        }
    }
}

/// A statement within a transaction, with its parameters. Its answer is never cached.
#[must_use = "a statement does nothing until it is run or fetched"]
pub struct InTransaction<'t, S: Shape> {
    transaction: &'t mut Transaction,
    statement: Statement,
    params: Params,
    shape: std::marker::PhantomData<S>,
}

impl<'t, S: Shape> InTransaction<'t, S> {
    fn new(transaction: &'t mut Transaction, sql: &str) -> Self {
        let statement = Statement::analyze(sql, dialect(transaction.shared.database.engine()));
        let shape = std::marker::PhantomData;
        Self { transaction, statement, params: Params::new(), shape }
    }

    /// Binds the next parameter.
    pub fn bind(mut self, value: impl Bind) -> Self {
        self.params.bind(value);
        self
    }

    /// Fetches every row.
    ///
    /// # Errors
    /// As [`DatabaseTransaction::fetch`], and [`QueryError::Row`].
    ///
    /// # Cancel safety
    /// As [`DatabaseTransaction::fetch`].
    pub async fn fetch_all(self) -> Result<S::Rows, QueryError> {
        let Self { transaction, statement, params, .. } = self;
        transaction.note(&statement);
        S::rows(transaction.inner.fetch(&statement.sql, &params, RowLimit::All).await?)
    }

    /// Fetches the first row, if there is one.
    ///
    /// # Errors
    /// As [`InTransaction::fetch_all`].
    ///
    /// # Cancel safety
    /// As [`InTransaction::fetch_all`].
    pub async fn fetch_optional(self) -> Result<Option<S::Row>, QueryError> {
        let Self { transaction, statement, params, .. } = self;
        transaction.note(&statement);
        let limit = if statement.writes.is_empty() { RowLimit::One } else { RowLimit::All };
        S::row(transaction.inner.fetch(&statement.sql, &params, limit).await?)
    }

    /// Fetches the first row; its absence is an error.
    ///
    /// # Errors
    /// As [`InTransaction::fetch_all`], and [`QueryError::RowNotFound`].
    ///
    /// # Cancel safety
    /// As [`InTransaction::fetch_all`].
    pub async fn fetch_one(self) -> Result<S::Row, QueryError> {
        self.fetch_optional().await?.ok_or(QueryError::RowNotFound)
    }

    /// Runs the statement and returns what it did.
    ///
    /// # Errors
    /// As [`DatabaseTransaction::execute`].
    ///
    /// # Cancel safety
    /// As [`DatabaseTransaction::execute`].
    pub async fn run(self) -> Result<Executed, QueryError> {
        let Self { transaction, statement, params, .. } = self;
        transaction.note(&statement);
        transaction.inner.execute(&statement.sql, &params).await
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl<S: Shape> fmt::Debug for InTransaction<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTransaction")
            .field("sql", &self.statement.sql)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}
