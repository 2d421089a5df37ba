//! Why files can not be used, before a database has been asked for anything.

use std::io;

use super::{DirectiveError, FileVersion, Objection, Position, SplitError};

/// Why files can not be used. Nothing has been run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A directive without a meaning.
    #[error("{path}, line {line}: {error}")]
    Directive {
        /// The file.
        path: String,
        /// Where the directive stands.
        line: usize,
        /// What is wrong with it.
        error: DirectiveError,
    },
    /// A file that takes back what no file makes.
    #[error("{path} takes back what no file makes")]
    DownWithoutUp {
        /// The file.
        path: String,
    },
    /// Two files of one version.
    #[error("{one} and {other} are both version {version}")]
    Duplicate {
        /// The version.
        version: FileVersion,
        /// The file that comes first by its path.
        one: String,
        /// The other one.
        other: String,
    },
    /// A file that was to be created is there already.
    #[error("{path} is there already")]
    Exists {
        /// The file.
        path: String,
    },
    /// A file or folder that can not be read or written.
    #[error("{path} can not be read or written")]
    Io {
        /// The file or folder.
        path: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file of SQL whose name has no version, so that it would never run.
    #[error(
        "{path} has no version in its name: write <version>_<name>.sql, or .up.sql and .down.sql"
    )]
    Name {
        /// The file.
        path: String,
    },
    /// A name from which no file's name can be made.
    #[error("{name:?} has neither a letter nor a digit in it")]
    NewName {
        /// The name.
        name: String,
    },
    /// A text that is not UTF-8.
    #[error("{path} is not UTF-8")]
    NotUtf8 {
        /// The file.
        path: String,
    },
    /// A text that can not be cut into statements.
    #[error("{path}, {error}")]
    Split {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: SplitError,
    },
    /// A statement that can not run as the file says.
    #[error("{path}, {at}: statement {number} can not run as the file says: {objection}")]
    Statement {
        /// The file.
        path: String,
        /// The statement's number, from 1.
        number: usize,
        /// Where the statement begins.
        at: Position,
        /// What is wrong with it, and the mend.
        objection: Objection,
    },
}

impl FileError {
    pub(crate) fn directive(path: &str, line: usize, error: DirectiveError) -> Self {
        Self::Directive { path: path.to_owned(), line, error }
    }

    pub(crate) fn split(path: &str, error: SplitError) -> Self {
        Self::Split { path: path.to_owned(), error }
    }

    pub(crate) fn io(path: impl Into<String>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
