//! From a URL and options to a pool.
//!
//! Guards that a file is created only if the URL says so, that a database in memory is one
//! database for all who use the pool, and that no statement text goes into a log.

use std::time::Duration;

use sqlx::{
    ConnectOptions as _,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool},
};

use super::error;
use crate::{DatabaseOptions, DatabaseUrl, QueryError, UrlError, url::percent_decode};

const PARAMETERS: &str = "mode=ro|rw|rwc|memory, immutable=true|false";

/// What a URL says about a SQLite database.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    path: String,
    mode: Mode,
    immutable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Memory,
    ReadOnly,
    ReadWrite,
    ReadWriteCreate,
}

impl Target {
    pub(super) fn parse(url: &DatabaseUrl) -> Result<Self, UrlError> {
        let (path, parameters) = url.path_and_parameters();
        let mut target =
            Self { path: percent_decode(path)?, mode: Mode::ReadWrite, immutable: false };
        if target.path == ":memory:" {
            target.mode = Mode::Memory;
        }
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            match parameter {
                "mode=memory" => target.mode = Mode::Memory,
                "mode=ro" => target.mode = Mode::ReadOnly,
                "mode=rw" => target.mode = Mode::ReadWrite,
                "mode=rwc" => target.mode = Mode::ReadWriteCreate,
                "immutable=true" | "immutable=1" => target.immutable = true,
                "immutable=false" | "immutable=0" => target.immutable = false,
                _ => {
                    return Err(UrlError::Parameter { expected: PARAMETERS });
                }
            }
        }
        Ok(target)
    }

    pub(super) fn in_memory(&self) -> bool {
        self.mode == Mode::Memory
    }

    pub(super) fn read_only(&self) -> bool {
        self.mode == Mode::ReadOnly || self.immutable
    }

    fn connect_options(&self, options: &DatabaseOptions) -> SqliteConnectOptions {
        let connect = SqliteConnectOptions::new()
            .busy_timeout(options.busy_timeout)
            .foreign_keys(true)
            // Statements may hold secrets as literals.
            .disable_statement_logging();
        if self.in_memory() {
            // Private to its one connection, so the name does not matter.
            return connect.filename(":memory:").in_memory(true);
        }
        let connect = connect
            .filename(&self.path)
            .read_only(self.read_only())
            .immutable(self.immutable)
            .create_if_missing(self.mode == Mode::ReadWriteCreate && !self.immutable);
        if options.wal && !self.read_only() {
            connect.journal_mode(SqliteJournalMode::Wal)
        } else {
            connect
        }
    }
}

/// Opens the pool and its first connection.
pub(super) async fn open(
    target: &Target,
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
    pool.connect_with(target.connect_options(options))
        .await
        .map_err(|source| error::map(source).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, UrlError> {
        Target::parse(&url.parse()?)
    }

    #[test]
    fn paths_and_parameters_are_read() {
        let check = |url, path: &str, mode, immutable| {
            let expected = Target { path: path.into(), mode, immutable };
            assert_eq!(target(url), Ok(expected), "{url}");
        };
        check("sqlite://a.db", "a.db", Mode::ReadWrite, false);
        check("sqlite:///a.db?mode=rwc", "/a.db", Mode::ReadWriteCreate, false);
        check("sqlite:a%20%3F%23.db?mode=ro", "a ?#.db", Mode::ReadOnly, false);
        check("sqlite:a?mode=rw&immutable=1", "a", Mode::ReadWrite, true);
        check("sqlite::memory:", ":memory:", Mode::Memory, false);
        check("sqlite://:memory:?", ":memory:", Mode::Memory, false);
        check("sqlite://x?mode=memory", "x", Mode::Memory, false);
    }

    #[test]
    fn unknown_parameters_are_refused_without_an_echo() {
        for url in ["sqlite:a?mode=hunter2", "sqlite:a?hunter2", "sqlite:a?key=hunter2"] {
            let error = target(url).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(target("sqlite:%zz"), Err(UrlError::Encoding));
    }
}
