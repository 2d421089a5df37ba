//! Whose file it is: the application id, the schema version and the exact schema.
//!
//! Invariant: a file is taken over only if it is empty; anything else is compared, never changed.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction};

use crate::{Owner, Recognised};

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

impl Owner for Application {
    fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised> {
        let id = pragma(connection, "application_id")?;
        let found = objects(connection)?;
        if id == 0 && found.is_empty() {
            return Ok(Recognised::Vacant);
        }
        if id != self.id {
            return Ok(Recognised::Foreign { found: format!("application id {id:#010x}") });
        }
        let version = pragma(connection, "user_version")?;
        if version != self.version {
            return Ok(Recognised::OtherVersion { found: version, expected: self.version });
        }
        let model = Connection::open_in_memory()?;
        model.execute_batch(self.schema)?;
        let expected = objects(&model)?;
        Ok(match expected.symmetric_difference(&found).next() {
            None => Recognised::Current,
            Some((kind, name, _)) => {
                Recognised::Foreign { found: format!("unexpected or missing {kind} {name:?}") }
            }
        })
    }

    fn upgrade(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.execute_batch(self.schema)?;
        transaction.pragma_update(None, "application_id", self.id)?;
        transaction.pragma_update(None, "user_version", self.version)
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
