//! Whose file it is, by a check that the program brings along.
//!
//! Invariant: a file is changed only if its program calls it vacant or its own older work, and
//! then in one transaction, before which the same question was answered under the write lock.

use std::{fmt, path::Path, time::Duration};

use rusqlite::{Connection, Transaction};

use crate::{FileError, Retry, immediate};

/// A program that recognises its files by a check of its own.
///
/// [`Application`](crate::Application) does so by comparing the whole schema. A program whose
/// files have a longer history, or which shares them with another one, implements this.
pub trait Owner: fmt::Debug + Send + Sync {
    /// Says whose file it is.
    ///
    /// The connection must not be written through: the file may be somebody else's. It is in a
    /// transaction, so that all questions are asked of one state of the file.
    ///
    /// # Errors
    /// Those of SQLite.
    fn recognise(&self, connection: &Connection) -> rusqlite::Result<Recognised>;

    /// Makes a file that is [`Vacant`](Recognised::Vacant) or [`Older`](Recognised::Older)
    /// [`Current`](Recognised::Current).
    ///
    /// It runs in a transaction that holds the write lock and is rolled back on an error.
    ///
    /// # Errors
    /// Those of SQLite.
    fn upgrade(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
}

/// What a program says about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a sixth answer would change how a file is opened")]
pub enum Recognised {
    /// Its own, as it writes them now.
    Current,
    /// Somebody else's, or its own with something in it that should not be there.
    Foreign {
        /// What gave it away: an application id, a table.
        found: String,
    },
    /// Its own, as an older version or a predecessor wrote them.
    Older,
    /// Its own, in a version of the schema that can not be used.
    OtherVersion {
        /// The version in the file.
        found: i32,
        /// The version that the program knows.
        expected: i32,
    },
    /// Nobody's: there is nothing in it.
    Vacant,
}

/// Refuses a file that is neither ours nor vacant, and leaves it as it is.
pub(crate) fn admit(
    owner: &dyn Owner,
    connection: &Connection,
    path: &Path,
) -> Result<(), FileError> {
    recognise(owner, connection, path).map(drop)
}

/// Makes a vacant or older file ours, and refuses any other.
pub(crate) fn claim(
    owner: &dyn Owner,
    connection: &mut Connection,
    path: &Path,
    busy_timeout: Duration,
) -> Result<(), FileError> {
    if recognise(owner, connection, path)? == Recognised::Current {
        return Ok(());
    }
    immediate(connection, &Retry::within(busy_timeout), |transaction| {
        // Another process may have been faster.
        match owner.recognise(transaction)? {
            Recognised::Older | Recognised::Vacant => owner.upgrade(transaction),
            Recognised::Current | Recognised::Foreign { .. } | Recognised::OtherVersion { .. } => {
                Ok(())
            }
        }
    })
    .map_err(|error| FileError::from_sqlite(path, error))?;
    match recognise(owner, connection, path)? {
        Recognised::Current => Ok(()),
        other => {
            let found = format!("still {other:?} after its upgrade");
            Err(FileError::Foreign { path: path.to_owned(), found })
        }
    }
}

fn recognise(
    owner: &dyn Owner,
    connection: &Connection,
    path: &Path,
) -> Result<Recognised, FileError> {
    let path = || path.to_owned();
    // In one transaction, because another process that makes the file its own would otherwise do
    // so between two of the questions.
    let asked = connection.unchecked_transaction().and_then(|asking| owner.recognise(&asking));
    match asked {
        Err(error) => Err(FileError::from_sqlite(&path(), error)),
        Ok(Recognised::Foreign { found }) => Err(FileError::Foreign { path: path(), found }),
        Ok(Recognised::OtherVersion { found, expected }) => {
            Err(FileError::SchemaVersion { path: path(), found, expected })
        }
        Ok(recognised) => Ok(recognised),
    }
}
