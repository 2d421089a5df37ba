//! From a URL and options to a pool.
//!
//! Guards that a database in memory is one database for all who use the pool.

use std::time::Duration;

use larder_database_url::SqliteTarget;
use sqlx::{
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

use super::error;
use crate::{DatabaseOptions, QueryError};

fn connect_options(target: &SqliteTarget, options: &DatabaseOptions) -> SqliteConnectOptions {
    let connect = target.connect_options().busy_timeout(options.busy_timeout);
    if options.wal && !target.in_memory() && !target.read_only() {
        connect.journal_mode(SqliteJournalMode::Wal)
    } else {
        connect
    }
}

/// Opens the pool and its first connection.
pub(super) async fn open(
    target: &SqliteTarget,
    options: &DatabaseOptions,
) -> Result<SqlitePool, QueryError> {
    let pool = PoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        // A connection to a file does not break while it lies in the pool, and asking it every
        // time costs as much as a short statement.
        .test_before_acquire(false);
    let pool = if target.in_memory() {
        // The database lives as long as its connection, which is therefore never replaced.
        pool.max_connections(1)
            .min_connections(1)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
    } else {
        pool.max_connections(options.connections_max.max(1))
    };
    pool.connect_with(connect_options(target, options))
        .await
        .map_err(|source| error::map(source).into())
}
