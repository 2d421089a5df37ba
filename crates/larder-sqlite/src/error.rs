//! The one place where trouble with the file becomes an [`Error`].

use std::{path::Path, sync::Arc};

use larder_core::{Error, ErrorKind, Operation};
use larder_sqlite_file::{
    FileError,
    rusqlite::{self, ErrorCode},
};

pub(crate) const NAME: &str = "sqlite";

/// What went wrong. Cloned for every write of a transaction that failed as a whole.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The backend is being dropped, or its thread is gone.
    Closed,
    /// The file could not be opened.
    File(Arc<FileError>),
    /// The file was removed or replaced, and could not be opened anew yet.
    Gone,
    /// There is no runtime to offload a read to.
    NoRuntime,
    /// A statement failed.
    Sqlite(Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Self {
        Self::File(Arc::new(error))
    }
}

impl Trouble {
    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Closed | Self::Gone => ErrorKind::Unavailable,
            Self::File(error) => file_kind(error),
            Self::NoRuntime => ErrorKind::InvalidInput,
            Self::Sqlite(error) => error.sqlite_error_code().map_or(ErrorKind::Other, sqlite_kind),
        }
    }

    /// Whether a transaction that failed like this may have failed because of one of its writes,
    /// so that the others deserve a try of their own.
    pub(crate) fn may_be_one_writes_fault(&self) -> bool {
        matches!(self, Self::Sqlite(_))
            && matches!(self.kind(), ErrorKind::NoSpace | ErrorKind::Other | ErrorKind::TooLarge)
    }

    pub(crate) fn into_error(self, operation: Operation, path: &Path) -> Error {
        let error = Error::new(self.kind(), NAME, operation);
        let detail = |what: &str| format!("file {path:?}{what}");
        match self {
            Self::Closed => error.with_detail("the backend is closed"),
            Self::File(source) => error.with_detail(detail("")).with_source(source),
            Self::Gone => error.with_detail(detail(" was removed or replaced")),
            Self::NoRuntime => error.with_detail("offloaded reads need a tokio runtime"),
            Self::Sqlite(source) => error.with_detail(detail("")).with_source(source),
        }
    }
}

fn sqlite_kind(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => ErrorKind::Unavailable,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => ErrorKind::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SchemaChanged => {
            ErrorKind::Corrupt
        }
        ErrorCode::DiskFull => ErrorKind::NoSpace,
        ErrorCode::ReadOnly => ErrorKind::ReadOnly,
        ErrorCode::TooBig => ErrorKind::TooLarge,
        _ => ErrorKind::Other,
    }
}

fn file_kind(error: &FileError) -> ErrorKind {
    match error {
        FileError::Busy { .. } => ErrorKind::Busy,
        FileError::Corrupt { .. } | FileError::Foreign { .. } | FileError::SchemaVersion { .. } => {
            ErrorKind::Corrupt
        }
        FileError::Missing { .. } => ErrorKind::Unavailable,
        FileError::NoSpace { .. } => ErrorKind::NoSpace,
        FileError::ReadOnly { .. } => ErrorKind::ReadOnly,
        FileError::Io { source, .. } => io_kind(source.kind()),
        FileError::Sqlite { source, .. } => {
            source.sqlite_error_code().map_or(ErrorKind::Other, sqlite_kind)
        }
        FileError::DirectoryMissing { .. }
        | FileError::Exposed { .. }
        | FileError::HardLinked { .. }
        | FileError::NetworkFileSystem { .. }
        | FileError::NotAFile { .. }
        | FileError::NotOwned { .. }
        | FileError::WalUnavailable { .. } => ErrorKind::InvalidInput,
        FileError::SqliteTooOld { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    }
}

fn io_kind(kind: std::io::ErrorKind) -> ErrorKind {
    use std::io::ErrorKind as Io;

    match kind {
        Io::PermissionDenied => ErrorKind::Authentication,
        Io::QuotaExceeded | Io::StorageFull => ErrorKind::NoSpace,
        Io::ReadOnlyFilesystem => ErrorKind::ReadOnly,
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, io, path::PathBuf};

    use larder_sqlite_file::{FileKind, rusqlite::ffi};

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_code_of_sqlite_has_its_kind() {
        for (code, kind) in [
            (ffi::SQLITE_BUSY, ErrorKind::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::Busy),
            (ffi::SQLITE_LOCKED, ErrorKind::Busy),
            (ffi::SQLITE_PROTOCOL, ErrorKind::Busy),
            (ffi::SQLITE_CORRUPT, ErrorKind::Corrupt),
            (ffi::SQLITE_NOTADB, ErrorKind::Corrupt),
            (ffi::SQLITE_FULL, ErrorKind::NoSpace),
            (ffi::SQLITE_READONLY, ErrorKind::ReadOnly),
            (ffi::SQLITE_READONLY_DBMOVED, ErrorKind::ReadOnly),
            (ffi::SQLITE_IOERR_WRITE, ErrorKind::Unavailable),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Unavailable),
            (ffi::SQLITE_TOOBIG, ErrorKind::TooLarge),
            (ffi::SQLITE_MISUSE, ErrorKind::Other),
        ] {
            assert_eq!(Trouble::from(sqlite(code)).kind(), kind, "code {code}");
        }
    }

    #[test]
    fn every_refused_file_has_its_kind() {
        let path = || PathBuf::from("/x/cache.db");
        let io = |kind: io::ErrorKind| FileError::Io { path: path(), source: kind.into() };
        for (error, kind) in [
            (FileError::Missing { path: path() }, ErrorKind::Unavailable),
            (FileError::Exposed { path: path() }, ErrorKind::InvalidInput),
            (
                FileError::NotAFile { path: path(), kind: FileKind::SymbolicLink },
                ErrorKind::InvalidInput,
            ),
            (FileError::Foreign { path: path(), found: "x".into() }, ErrorKind::Corrupt),
            (FileError::from_sqlite(&path(), sqlite(ffi::SQLITE_NOTADB)), ErrorKind::Corrupt),
            (FileError::from_sqlite(&path(), sqlite(ffi::SQLITE_BUSY)), ErrorKind::Busy),
            (FileError::from_sqlite(&path(), sqlite(ffi::SQLITE_CANTOPEN)), ErrorKind::Unavailable),
            (io(io::ErrorKind::PermissionDenied), ErrorKind::Authentication),
            (io(io::ErrorKind::StorageFull), ErrorKind::NoSpace),
            (io(io::ErrorKind::ReadOnlyFilesystem), ErrorKind::ReadOnly),
        ] {
            let text = error.to_string();
            assert_eq!(Trouble::from(error).kind(), kind, "{text}");
        }
    }

    #[test]
    fn message_names_the_file_and_keeps_the_source() {
        let trouble = Trouble::from(sqlite(ffi::SQLITE_CORRUPT));
        let error = trouble.into_error(Operation::Read, Path::new("/x/cache.db"));
        assert_eq!(
            error.to_string(),
            "sqlite read: the stored data is damaged or foreign: file \"/x/cache.db\""
        );
        assert!(error.source().is_some());
    }
}
