//! What can go wrong, one variant for each thing that a caller can do about it.
//!
//! Invariant: trouble with the file carries its path.

use std::path::Path;

use larder_sqlite_file::{FileError, rusqlite};

/// The result of an operation on a cluster file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a cluster file or what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file was not opened, or SQLite refused to read or write it. The inner error names the
    /// file; nothing was written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What ends a piece of work inside a transaction: SQLite's own error, to which the store adds
/// the path, or one of ours.
#[derive(Debug)]
pub(crate) enum Fault {
    Error(Error),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Fault {
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Sqlite(error) => FileError::from_sqlite(path, error).into(),
        }
    }
}
