//! Why a file was not opened: one variant for each thing that a caller can do about it.
//!
//! Invariant: every variant that is about a file names it, and none of them is the result of
//! having changed it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// Why a SQLite file was not opened.
///
/// Nothing was deleted or overwritten in any of these cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another process holds the lock for longer than the busy timeout. Try again later.
    #[error("file {path:?} is locked by another process")]
    Busy {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The content is damaged, or it is no SQLite database. Restore it, or move it away.
    #[error("file {path:?} is damaged or no SQLite database")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The directory that should hold the file does not exist. Create it.
    #[error("directory {path:?} does not exist")]
    DirectoryMissing {
        /// The directory.
        path: PathBuf,
    },
    /// The file or its directory can be written by every user. Take the right away
    /// (`chmod o-w`), or choose another directory.
    #[error("{path:?} can be written by every user")]
    Exposed {
        /// The file or the directory.
        path: PathBuf,
    },
    /// The database belongs to another program. Choose another path.
    #[error("file {path:?} belongs to another program ({found})")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found there: an application id, a table.
        found: String,
    },
    /// The file has other names, so what is written here appears elsewhere. Remove them.
    #[error("file {path:?} has {links} hard links")]
    HardLinked {
        /// The file.
        path: PathBuf,
        /// The number of names, at least 2.
        links: u64,
    },
    /// The operating system refused.
    #[error("can not access {path:?}")]
    Io {
        /// The file or the directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no such file, and creating it was not asked for.
    #[error("file {path:?} does not exist")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file lies on a network file system, where processes can not share memory and locks
    /// are not dependable. Choose a local one.
    #[error("file {path:?} is on a network file system")]
    NetworkFileSystem {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space is left for {path:?}")]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The path names something that is no regular file.
    #[error("{path:?} is {kind} instead of a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// Another user owns the file.
    #[error("file {path:?} is owned by user {owner}")]
    NotOwned {
        /// The file.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// The file, or the file system under it, can not be written.
    #[error("file {path:?} is read-only")]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another version of this program made the file. Use that version, or move the file away.
    #[error("file {path:?} has schema version {found}, this program writes {expected}")]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i32,
        /// The version that this program knows.
        expected: i32,
    },
    /// Anything else; the source says what.
    #[error("SQLite refused file {path:?}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The linked SQLite can damage a write-ahead log that several processes share.
    #[error("SQLite {found} is linked, a shared write-ahead log needs {needed} or later")]
    SqliteTooOld {
        /// The version that is linked.
        found: &'static str,
        /// The first version that will do.
        needed: &'static str,
    },
    /// The file can not have a write-ahead log.
    #[error("file {path:?} stays in journal mode {mode:?}")]
    WalUnavailable {
        /// The file.
        path: PathBuf,
        /// The journal mode that it has instead.
        mode: String,
    },
}

/// What a path names, if it is no regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A directory.
    Directory,
    /// Nothing that has a name: an empty path, or one that ends in `..`.
    Nameless,
    /// A pipe, a socket, a device.
    Special,
    /// A symbolic link.
    SymbolicLink,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Nameless => "no file name",
            Self::Special => "a pipe, a socket or a device",
            Self::SymbolicLink => "a symbolic link",
        })
    }
}

impl FileError {
    /// What SQLite's answer means for this file.
    #[must_use]
    pub fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let failure = source.sqlite_error().copied();
        if failure.map(|failure| failure.extended_code)
            == Some(rusqlite::ffi::SQLITE_CANTOPEN_SYMLINK)
        {
            let kind = FileKind::SymbolicLink;
            return Self::NotAFile { path, kind };
        }
        match failure.map(|failure| failure.code) {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { path, source }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { path, source }
            }
            Some(ErrorCode::DiskFull) => Self::NoSpace { path, source },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path, source },
            _ => Self::Sqlite { path, source },
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> FileError {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        FileError::from_sqlite(Path::new("/x/cache.db"), error)
    }

    #[test]
    fn every_answer_of_sqlite_has_its_variant() {
        use rusqlite::ffi;
        assert!(matches!(sqlite(ffi::SQLITE_BUSY), FileError::Busy { .. }));
        assert!(matches!(sqlite(ffi::SQLITE_BUSY_RECOVERY), FileError::Busy { .. }));
        assert!(matches!(sqlite(ffi::SQLITE_NOTADB), FileError::Corrupt { .. }));
        assert!(matches!(sqlite(ffi::SQLITE_CORRUPT), FileError::Corrupt { .. }));
        assert!(matches!(sqlite(ffi::SQLITE_FULL), FileError::NoSpace { .. }));
        assert!(matches!(sqlite(ffi::SQLITE_READONLY_DBMOVED), FileError::ReadOnly { .. }));
        assert!(matches!(
            sqlite(ffi::SQLITE_CANTOPEN_SYMLINK),
            FileError::NotAFile { kind: FileKind::SymbolicLink, .. }
        ));
        assert!(matches!(sqlite(ffi::SQLITE_CANTOPEN), FileError::Sqlite { .. }));
    }

    #[test]
    fn message_names_the_file_and_leaves_the_source_alone() {
        let error = sqlite(rusqlite::ffi::SQLITE_NOTADB);
        assert_eq!(error.to_string(), "file \"/x/cache.db\" is damaged or no SQLite database");
        assert!(std::error::Error::source(&error).is_some());
    }
}
