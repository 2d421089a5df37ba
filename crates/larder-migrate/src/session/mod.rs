//! A connection of one's own to a database: what migrations run on.
//!
//! Guards that locks, transactions and settings belong to one connection, which nobody else uses
//! and which ends with its migration.

mod cell;
mod error;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_error;
mod url;

use std::fmt::Debug;

use async_trait::async_trait;
use larder_model::Dialect;

pub use cell::{Cell, Param};
pub use error::{SessionError, SessionErrorKind};
pub use url::UrlConnector;

/// The way to a database.
#[async_trait]
pub trait Connector: Debug + Send + Sync + 'static {
    /// Opens a connection that nobody else uses.
    ///
    /// # Errors
    /// [`SessionErrorKind::Connection`], [`SessionErrorKind::Permission`] and others, never with
    /// a part of a password.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError>;
}

/// A connection of one's own. Dropping it closes the connection, which rolls back what was not
/// committed and gives up all locks.
#[async_trait]
pub trait Session: Debug + Send + 'static {
    /// Whose statements it understands; MySQL and MariaDB are told apart by the server itself.
    fn dialect(&self) -> Dialect;

    /// Runs a statement that returns rows.
    ///
    /// Parameters stand as `$1` and so on on PostgreSQL, as `?` on MySQL and MariaDB, as `?1` and
    /// so on on SQLite. Columns are to be cast to text or integers by the statement.
    ///
    /// # Errors
    /// The database's own, by kind.
    ///
    /// # Cancel safety
    /// The session must be dropped afterwards.
    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError>;

    /// Runs a statement with parameters, and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Session::fetch`].
    ///
    /// # Cancel safety
    /// As [`Session::fetch`].
    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError>;

    /// Runs the text of one or several statements as it is, without preparing it.
    ///
    /// # Errors
    /// As [`Session::fetch`].
    ///
    /// # Cancel safety
    /// As [`Session::fetch`].
    async fn run(&mut self, sql: &str) -> Result<(), SessionError>;

    /// Begins a transaction. On SQLite it holds the right to write from its start.
    ///
    /// # Errors
    /// As [`Session::fetch`].
    ///
    /// # Cancel safety
    /// As [`Session::fetch`].
    async fn begin(&mut self) -> Result<(), SessionError>;

    /// Makes everything since [`Session::begin`] permanent.
    ///
    /// # Errors
    /// As [`Session::fetch`]. If the connection broke, the outcome is unknown.
    ///
    /// # Cancel safety
    /// As [`Session::fetch`].
    async fn commit(&mut self) -> Result<(), SessionError>;

    /// Undoes everything since [`Session::begin`].
    ///
    /// # Errors
    /// As [`Session::fetch`].
    ///
    /// # Cancel safety
    /// As [`Session::fetch`].
    async fn rollback(&mut self) -> Result<(), SessionError>;

    /// Ends the connection and waits until the database knows.
    ///
    /// # Cancel safety
    /// The connection ends nevertheless.
    async fn close(self: Box<Self>);
}
