//! Transactions: reads bypass the cache, writes are invalidated at the commit.
//!
//! Invariant: nothing that is read inside a transaction is stored, because it may be uncommitted
//! or older than what others have committed since the transaction began.

use std::{collections::BTreeSet, fmt, sync::Arc};

use larder_cache::{Invalidation, PendingInvalidation};
use larder_sql::Writes;
use serde::de::DeserializeOwned;

use crate::{
    Bind, DatabaseTransaction, Dynamic, Engine, Executed, Params, QueryError, RowLimit, RowSet,
    Shape, Typed,
    catalog::Catalog,
    queries::{Before, Shared, union},
    statement::{Statement, dialect},
};

/// A transaction that is under way. Dropping it rolls back and invalidates nothing.
pub struct Transaction {
    shared: Arc<Shared>,
    /// Taken out by whoever ends the transaction.
    inner: Option<DatabaseTransaction>,
    writes: Writes,
    before: Before,
    /// Whether a statement failed. SQLite then may have rolled back by itself, and what came
    /// after it may have taken effect at once.
    is_doubtful: bool,
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
    pub(crate) fn new(
        shared: Arc<Shared>,
        inner: DatabaseTransaction,
        catalog: Arc<Catalog>,
    ) -> Self {
        let before = Before { catalog: Some(catalog), changes_schema: false };
        let writes = Writes::Tables(BTreeSet::new());
        Self { shared, inner: Some(inner), writes, before, is_doubtful: false }
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
    pub async fn commit(mut self) -> Result<Committed, QueryError> {
        let inner = self.inner.take().ok_or(QueryError::TransactionControl)?;
        let (writes, before) = (std::mem::take(&mut self.writes), self.before.clone());
        // Whatever a commit that fails says, it may have followed writes that took effect.
        let ((), invalidation) = self.shared.write(writes, before, false, inner.commit()).await?;
        Ok(Committed { invalidation })
    }

    /// Rolls back. Nothing is invalidated, because nothing changed; only after a statement that
    /// failed, as SQLite may then have ended the transaction by itself and taken what followed.
    ///
    /// # Errors
    /// [`QueryError::Database`]; the database rolls back by itself when the connection closes.
    ///
    /// # Cancel safety
    /// The rollback goes on if the future is dropped.
    pub async fn rollback(mut self) -> Result<(), QueryError> {
        let inner = self.inner.take().ok_or(QueryError::TransactionControl)?;
        let outcome = inner.rollback().await;
        if self.is_doubtful {
            let (writes, before) = (std::mem::take(&mut self.writes), self.before.clone());
            let nothing = async { Ok(()) };
            let (_, invalidation) = self.shared.write(writes, before, false, nothing).await?;
            if !invalidation.is_applied() {
                tracing::warn!("a doubtful transaction is not invalidated everywhere yet");
            }
        }
        outcome
    }

    /// The transaction underneath. It is there until `commit` or `rollback`, which use up `self`.
    fn inner(&mut self) -> Result<&mut DatabaseTransaction, QueryError> {
        self.inner.as_mut().ok_or(QueryError::TransactionControl)
    }

    /// Runs a statement, noting what it writes before it runs and whether it failed.
    async fn fetch(
        &mut self,
        statement: &Statement,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        self.note(statement);
        let outcome = self.inner()?.fetch(&statement.sql, params, limit).await;
        self.is_doubtful |= outcome.is_err();
        outcome.inspect_err(|error| self.shared.notice(statement.tables(), error))
    }

    /// Remembers what a statement writes, before it runs: a statement that fails half-way may
    /// have written.
    fn note(&mut self, statement: &Statement) {
        if statement.makes_private {
            self.shared.schema.make_private();
        }
        // A routine of MySQL or MariaDB may commit, and then a rollback undoes less.
        let may_commit = matches!(self.shared.database.engine(), Engine::MariaDb | Engine::MySql);
        self.is_doubtful |= may_commit && statement.writes == Writes::Everything;
        self.before.changes_schema |= statement.changes_schema();
        let writes = if self.before.changes_schema && !statement.writes.is_empty() {
            // No catalog knows of a trigger that this transaction makes and removes again.
            Writes::Everything
        } else {
            self.before.written(statement)
        };
        self.writes = union(std::mem::take(&mut self.writes), writes);
    }
}

/// Dropped without an end, it rolls back. Only a doubtful one may have left something behind.
impl Drop for Transaction {
    fn drop(&mut self) {
        if self.inner.is_none() || !self.is_doubtful || self.writes.is_empty() {
            return;
        }
        let (shared, before) = (Arc::clone(&self.shared), self.before.clone());
        let writes = std::mem::take(&mut self.writes);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let writes = shared.wake(&writes, &before).await;
                // Pending or applied, it is under way; there is nobody left to tell.
                drop(shared.invalidate(&writes).await);
            });
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

    /// Binds parameters that were put together before, in place of all that were bound.
    pub(crate) fn bind_params(mut self, params: Params) -> Self {
        self.params = params;
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
        S::rows(S::adapt(transaction.fetch(&statement, &params, RowLimit::All).await?))
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
        let limit = if statement.writes.is_empty() { RowLimit::One } else { RowLimit::All };
        S::row(S::adapt(transaction.fetch(&statement, &params, limit).await?))
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
        let outcome = transaction.inner()?.execute(&statement.sql, &params).await;
        transaction.is_doubtful |= outcome.is_err();
        outcome.inspect_err(|error| transaction.shared.notice(statement.tables(), error))
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
