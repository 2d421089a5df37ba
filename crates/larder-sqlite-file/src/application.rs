//! Whose file it is: the application id, the schema version and the exact schema.
//!
//! Invariant: a file is taken over only if it is empty; anything else is compared, never changed.

use std::{collections::BTreeSet, path::Path, time::Duration};

use rusqlite::Connection;

use crate::{FileError, Retry, immediate};

/// The program that a file belongs to, and the schema that it gives to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written out by every program")]
pub struct Application {
    /// `PRAGMA application_id`: four bytes of the program's choice, not zero.
    pub id: i32,
    /// `PRAGMA user_version`: the version of the schema.
    pub version: i32,
    /// The statements that make the schema of a new file, run in one transaction.
    ///
    /// A file whose tables, indexes, triggers and views are not exactly these is refused, so
    /// that nobody can plant a trigger in it.
    pub schema: &'static str,
}

impl Application {
    /// Makes an empty file ours, and refuses one that is somebody else's.
    pub(crate) fn claim(
        &self,
        connection: &mut Connection,
        path: &Path,
        busy_timeout: Duration,
    ) -> Result<(), FileError> {
        let sqlite = |error| FileError::from_sqlite(path, error);
        if self.is_vacant(connection).map_err(sqlite)? {
            immediate(connection, &Retry::within(busy_timeout), |transaction| {
                // Another process may have been faster.
                if self.is_vacant(transaction)? {
                    transaction.execute_batch(self.schema)?;
                    transaction.pragma_update(None, "application_id", self.id)?;
                    transaction.pragma_update(None, "user_version", self.version)?;
                }
                Ok::<_, rusqlite::Error>(())
            })
            .map_err(sqlite)?;
        }
        self.check(connection, path)
    }

    /// Refuses a file that is neither ours nor empty.
    pub(crate) fn check_or_vacant(
        &self,
        connection: &Connection,
        path: &Path,
    ) -> Result<(), FileError> {
        let vacant = self.is_vacant(connection);
        if vacant.map_err(|error| FileError::from_sqlite(path, error))? {
            return Ok(());
        }
        self.check(connection, path)
    }

    fn is_vacant(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(pragma(connection, "application_id")? == 0 && objects(connection)?.is_empty())
    }

    fn check(&self, connection: &Connection, path: &Path) -> Result<(), FileError> {
        let sqlite = |error| FileError::from_sqlite(path, error);
        let foreign = |found| FileError::Foreign { path: path.to_owned(), found };
        let id = pragma(connection, "application_id").map_err(sqlite)?;
        if id != self.id {
            return Err(foreign(format!("application id {id:#010x}")));
        }
        let version = pragma(connection, "user_version").map_err(sqlite)?;
        if version != self.version {
            return Err(FileError::SchemaVersion {
                path: path.to_owned(),
                found: version,
                expected: self.version,
            });
        }
        let model = Connection::open_in_memory().map_err(sqlite)?;
        model.execute_batch(self.schema).map_err(sqlite)?;
        let expected = objects(&model).map_err(sqlite)?;
        let found = objects(connection).map_err(sqlite)?;
        match expected.symmetric_difference(&found).next() {
            None => Ok(()),
            Some((kind, name, _)) => Err(foreign(format!("unexpected or missing {kind} {name:?}"))),
        }
    }
}

/// Type, name and text of everything in the schema but SQLite's own tables.
type Objects = BTreeSet<(String, String, Option<String>)>;

fn objects(connection: &Connection) -> rusqlite::Result<Objects> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
