//! The handle to a database that everything above works with.
//!
//! Guards that no type of the driver underneath is part of the public interface.

use std::sync::Arc;

use larder_core::Health;

use super::{DatabaseIdentity, DatabaseOptions, DatabaseTransaction, Driver, Executed, RowLimit};
use crate::{DatabaseUrl, Engine, Params, QueryError, RowSet};

/// A pool of connections to one database. Clones share the pool.
///
/// It runs statements and caches nothing.
///
/// # Parameters
/// SQLite takes `?`, or `?1`, `?2` and so on, or `$1`, `$2`; unlike SQLite itself, too few or too
/// many parameters are an error. Names such as `:iata` are not supported, nor is a mix of
/// numbered and unnumbered parameters. PostgreSQL takes `$1`, `$2` and so on; a `?` is an operator.
/// MySQL and MariaDB take `?`.
#[derive(Clone, Debug)]
pub struct Database {
    driver: Arc<dyn Driver>,
}

impl Database {
    /// Opens a database by its URL.
    ///
    /// For SQLite: `sqlite://relative.db`, `sqlite:///absolute.db`, `sqlite::memory:`, with the
    /// parameters `mode=ro|rw|rwc|memory` (a missing file is created with `rwc` only) and
    /// `immutable=true`. For PostgreSQL: `postgres://user:password@host:port/database`; for MySQL and
    /// MariaDB: `mysql://` or `mariadb://` and the same; the crate's page says more. One connection is opened at once, so that an unusable database is found
    /// here.
    ///
    /// # Errors
    /// [`QueryError::Url`], [`QueryError::EngineNotCompiled`], and [`QueryError::Database`] if the
    /// database can not be opened. None of them shows any part of the URL; the server's own words,
    /// which are the source, may name the user or the database, never a password.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened. A file that was created stays.
    pub async fn connect(url: &DatabaseUrl, options: &DatabaseOptions) -> Result<Self, QueryError> {
        match url.engine() {
            #[cfg(feature = "sqlite")]
            Engine::Sqlite => {
                let driver = super::sqlite::SqliteDriver::connect(url, options).await?;
                Ok(Self { driver: Arc::new(driver) })
            }
            #[cfg(feature = "mysql")]
            Engine::MariaDb | Engine::MySql => {
                let driver = super::mysql::connect(url, options).await?;
                Ok(Self { driver: driver.into() })
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres => {
                let driver = super::postgres::connect(url, options).await?;
                Ok(Self { driver: driver.into() })
            }
            #[allow(unreachable_patterns, reason = "unless every engine is compiled in")]
            engine => {
                // Without any engine, nothing reads the options.
                let _ = options;
                Err(QueryError::EngineNotCompiled { engine })
            }
        }
    }

    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// [`QueryError::Database`] with the database's own error as the source, the three kinds of
    /// `Parameter` errors, and [`QueryError::SeveralResults`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the statement; a connection with a statement under way is not
    /// handed to anybody else. Whether a statement that writes took effect is unknown.
    pub async fn fetch(
        &self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        self.driver.fetch(sql, params, limit).await
    }

    /// Runs a statement and returns what it did.
    ///
    /// # Errors
    /// As [`Database::fetch`].
    ///
    /// # Cancel safety
    /// As [`Database::fetch`].
    pub async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        self.driver.execute(sql, params).await
    }

    /// Begins a transaction on a connection of its own.
    ///
    /// On SQLite it takes the write lock at once, because a transaction that reads first and
    /// writes later fails whenever somebody else has written in between; a database that is
    /// opened read-only gets one that only reads. On PostgreSQL it has the isolation level that is
    /// the default there; `SET TRANSACTION` as its first statement changes that. A database in memory has one connection, so
    /// that every other statement waits until the transaction ends.
    ///
    /// # Errors
    /// [`QueryError::Database`].
    ///
    /// # Cancel safety
    /// Dropping the future never leaves a transaction open: one that has begun nevertheless is
    /// rolled back before its connection serves anybody else.
    pub async fn begin(&self) -> Result<DatabaseTransaction, QueryError> {
        self.driver.begin().await.map(DatabaseTransaction::new)
    }

    /// As [`Database::begin`], and on SQLite foreign keys are not enforced until the transaction
    /// ends: a table that is rebuilt would otherwise take its children's rows with it. Check them
    /// with `PRAGMA foreign_key_check` before the commit. No statement outside of the transaction
    /// ever runs without them. Other databases enforce them as always.
    ///
    /// # Errors
    /// As [`Database::begin`].
    ///
    /// # Cancel safety
    /// As [`Database::begin`].
    pub async fn begin_unenforced(&self) -> Result<DatabaseTransaction, QueryError> {
        self.driver.begin_unenforced().await.map(DatabaseTransaction::new)
    }

    /// Makes one real round trip and says what was found: server, version, encryption, and what
    /// will not work well.
    ///
    /// # Errors
    /// [`QueryError::Database`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn health(&self) -> Result<Health, QueryError> {
        self.driver.health().await
    }

    /// Closes all connections, waiting for those in use. Every later call fails.
    ///
    /// # Cancel safety
    /// Closing goes on if the future is dropped.
    pub async fn close(&self) {
        self.driver.close().await;
    }

    /// Which database this is.
    #[must_use]
    pub fn identity(&self) -> &DatabaseIdentity {
        self.driver.identity()
    }

    /// What of the session decides about answers.
    pub(crate) fn session(&self) -> &str {
        self.driver.session()
    }

    /// What tables are told apart by.
    pub(crate) fn scope(&self) -> &str {
        self.driver.scope()
    }

    /// Whether all connections have been alike so far.
    pub(crate) fn is_uniform(&self) -> bool {
        self.driver.is_uniform()
    }

    /// The engine, and with it the dialect of its SQL.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.driver.engine()
    }
}
