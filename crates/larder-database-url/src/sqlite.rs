//! What a URL says about a SQLite database.
//!
//! Guards that a file is created only if the URL says so, and that no statement text goes into a
//! log.

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

use crate::{DatabaseUrl, UrlError, percent::percent_decode};

const PARAMETERS: &str = "mode=ro|rw|rwc|memory, immutable=true|false";

/// Where the database is, and what may be done with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteTarget {
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

impl SqliteTarget {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`] if a parameter is not known or the path is not encoded correctly.
    pub fn parse(url: &DatabaseUrl) -> Result<Self, UrlError> {
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

    /// Whether it is a database of its one connection, which ends with it.
    #[must_use]
    pub fn in_memory(&self) -> bool {
        self.mode == Mode::Memory
    }

    /// Whether nothing may be written.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.mode == Mode::ReadOnly || self.immutable
    }

    /// The options for a connection, with references enforced. A file's journal stays as it is.
    #[must_use]
    pub fn connect_options(&self) -> SqliteConnectOptions {
        let connect = SqliteConnectOptions::new()
            .foreign_keys(true)
            // Statements may hold secrets as literals.
            .disable_statement_logging();
        if self.in_memory() {
            // Private to its one connection, so the name does not matter.
            return connect.filename(":memory:").in_memory(true);
        }
        connect
            .filename(&self.path)
            .read_only(self.read_only())
            .immutable(self.immutable)
            .create_if_missing(self.mode == Mode::ReadWriteCreate && !self.immutable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<SqliteTarget, UrlError> {
        SqliteTarget::parse(&url.parse()?)
    }

    #[test]
    fn paths_and_parameters_are_read() {
        let check = |url, path: &str, mode, immutable| {
            let expected = SqliteTarget { path: path.into(), mode, immutable };
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
