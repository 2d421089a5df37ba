//! What the schema cache needs of a database: three verbs, without a driver's types.
//!
//! Guards that check and change are one: everything that changes a table happens in one
//! transaction that no other writer can enter.

use std::{error::Error as StdError, fmt::Debug};

use async_trait::async_trait;
use larder_model::Dialect;

/// The database's own error. It reaches the caller as the source of
/// [`SchemaError::Store`](crate::SchemaError::Store).
pub type StoreError = Box<dyn StdError + Send + Sync>;

/// A value of a row that describes a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "descriptions of schemas consist of these")]
pub enum Cell {
    /// An integer; booleans too, as 0 and 1.
    Integer(i64),
    /// NULL.
    Null,
    /// A text.
    Text(String),
}

/// A database whose schema can be looked at and changed.
#[async_trait]
pub trait SchemaStore: Debug + Send + Sync + 'static {
    /// How the database writes and understands a schema.
    fn dialect(&self) -> Dialect;

    /// Runs a statement that reads, outside of any transaction, and returns its rows.
    ///
    /// The statement sees one state of the schema: the current one, whoever changed it. The
    /// parameters are texts, for `?1`, `?2` and so on.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    async fn fetch(&self, sql: &str, parameters: &[&str]) -> Result<Vec<Vec<Cell>>, StoreError>;

    /// Begins a transaction that holds the right to write from its start.
    ///
    /// On SQLite that is `BEGIN IMMEDIATE`: two transactions of this kind never overlap, in
    /// whatever processes they are. It waits for its turn within the store's own time limit.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// No transaction stays open if the future is dropped.
    async fn begin(&self) -> Result<Box<dyn SchemaTransaction>, StoreError>;
}

/// A transaction under way. Dropping it rolls everything back.
#[async_trait]
pub trait SchemaTransaction: Debug + Send {
    /// As [`SchemaStore::fetch`], within the transaction.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// The transaction stays open and unchanged.
    async fn fetch(&mut self, sql: &str, parameters: &[&str])
    -> Result<Vec<Vec<Cell>>, StoreError>;

    /// Runs a statement that changes the schema.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// The transaction stays open; whether the statement took effect in it is unknown.
    async fn execute(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Makes everything permanent.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// The commit takes effect as a whole or not at all.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
