//! The way to a database: one trait, one implementation for each engine.

mod config;
mod database;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod detached;
mod identity;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

use std::fmt::Debug;

use async_trait::async_trait;
use larder_core::Health;

pub use config::DatabaseOptions;
pub use database::Database;
pub use identity::DatabaseIdentity;
pub use transaction::DatabaseTransaction;

use crate::{Engine, Params, QueryError, RowSet};

/// How many rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a page is the statement's business")]
pub enum RowLimit {
    /// Every row.
    All,
    /// The first row; the rest is not read.
    One,
}

/// What a statement that returns no rows did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executed {
    /// How many rows were inserted, updated or deleted; 0 for every other statement.
    pub rows_affected: u64,
    /// The key that the database generated for the last inserted row, where it says so.
    pub last_insert_id: Option<i64>,
}

/// A pool of connections to one database.
#[async_trait]
pub(crate) trait Driver: Debug + Send + Sync + 'static {
    async fn fetch(
        &self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError>;
    async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError>;
    async fn begin(&self) -> Result<Box<dyn DriverTransaction>, QueryError>;
    /// Begins a transaction in which references are not enforced, where that can be had.
    async fn begin_unenforced(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        self.begin().await
    }
    /// One real round trip, and what it found: server, version, TLS, advice.
    async fn health(&self) -> Result<Health, QueryError>;
    async fn close(&self);
    fn identity(&self) -> &DatabaseIdentity;
    /// What of the session decides about answers besides the database: role, search path and
    /// other settings. It is part of every key and of no tag.
    fn session(&self) -> &str {
        ""
    }
    /// What tables are told apart by: the identity, or less if a statement can name tables of other
    /// databases. It is part of every tag of a table.
    fn scope(&self) -> &str {
        self.identity().as_str()
    }
    /// Whether all connections have been alike so far. If not, no answer may be stored.
    fn is_uniform(&self) -> bool {
        true
    }
    fn engine(&self) -> Engine;
}

/// A transaction on one connection. Dropping it rolls back.
#[async_trait]
pub(crate) trait DriverTransaction: Debug + Send + Sync + 'static {
    async fn fetch(
        &mut self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError>;
    async fn execute(&mut self, sql: &str, params: &Params) -> Result<Executed, QueryError>;
    async fn commit(self: Box<Self>) -> Result<(), QueryError>;
    async fn rollback(self: Box<Self>) -> Result<(), QueryError>;
}
