//! What a database said, by what a caller can do about it.

use std::error::Error as StdError;

use larder_database_url::UrlError;

/// A statement that failed, or a connection that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", kind.as_str(), code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct SessionError {
    kind: SessionErrorKind,
    code: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a caller can do about an error of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// Wait and try again: somebody else holds a lock.
    Busy,
    /// The connection could not be made or broke.
    Connection,
    /// Try again: another program did the same at the same time (PostgreSQL's 23505 of a catalog,
    /// 40001, 40P01; MySQL's 1213).
    Conflict,
    /// There is something of that name already.
    Exists,
    /// The role may not do that.
    Permission,
    /// Everything else.
    Statement,
    /// A column that is not there.
    UndefinedColumn,
    /// A table, or another object, that is not there.
    UndefinedTable,
    /// The crate was built without this database, or the URL is of no database.
    Unsupported,
}

impl SessionErrorKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "somebody else holds a lock",
            Self::Conflict => "another program did the same at the same time",
            Self::Connection => "the connection could not be made or broke",
            Self::Exists => "there is something of that name already",
            Self::Permission => "the role may not do that",
            Self::Statement => "a statement failed",
            Self::UndefinedColumn => "a column is not there",
            Self::UndefinedTable => "a table is not there",
            Self::Unsupported => "no such database is supported by this build",
        }
    }
}

impl SessionError {
    /// An error of this kind; `code` is the database's own code.
    #[must_use]
    pub fn new(
        kind: SessionErrorKind,
        code: Option<String>,
        source: Option<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, code, source }
    }

    /// A URL that leads to no database of this build.
    pub(super) fn url(source: UrlError) -> Self {
        Self::new(SessionErrorKind::Unsupported, None, Some(source.into()))
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> SessionErrorKind {
        self.kind
    }

    /// The database's own code: a SQLSTATE, MySQL's number, SQLite's extended code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}
