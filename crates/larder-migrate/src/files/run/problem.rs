//! Why files did not run, by what a caller can do about it.

use std::{error::Error, fmt};

use crate::{
    Direction, FileError, FileReport, FileVersion, MigrateError, Position, SessionError,
    import::list,
};

/// Why files did not run, and what had run before.
#[derive(Debug)]
pub struct FileRunError {
    report: FileReport,
    problem: Box<FileProblem>,
}

impl FileRunError {
    pub(crate) fn new(report: FileReport, problem: impl Into<FileProblem>) -> Self {
        Self { report, problem: Box::new(problem.into()) }
    }

    /// What had run before, and stays.
    #[must_use]
    pub const fn report(&self) -> &FileReport {
        &self.report
    }

    /// Why the rest did not.
    #[must_use]
    pub const fn problem(&self) -> &FileProblem {
        &self.problem
    }
}

impl fmt::Display for FileRunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

/// It stands for its problem, so that no text is told twice.
impl Error for FileRunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// Why a file did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// An earlier run failed in the middle of a file.
    #[error(
        "version {version} failed going {direction} after {done} of {total} statements: {error}; \
         mend what stands in its way, and repair it: retry, skip the statement, or say that it is \
         applied or rolled back"
    )]
    Blocked {
        /// The version.
        version: FileVersion,
        /// Which of its files.
        direction: Direction,
        /// How many statements were done and stay done.
        done: u64,
        /// How many statements it had.
        total: u64,
        /// The error, with the statement's number and place.
        error: String,
    },
    /// A file is to be resumed, and the statements that were done are not those in it.
    #[error(
        "the first {done} statements of {path} were done and have been edited since; restore them, \
         or say that the version is applied or rolled back"
    )]
    Changed {
        /// The file.
        path: String,
        /// How many statements were done.
        done: u64,
    },
    /// Files that were applied and edited since.
    #[error(
        "{} edited after being applied: {}; restore the text and write a new file, or accept the \
         edit with repair",
        if versions.len() == 1 { "a file was" } else { "files were" },
        list(versions)
    )]
    Divergent {
        /// The versions.
        versions: Vec<FileVersion>,
    },
    /// The files can not be used. Nothing has been run.
    #[error("the files can not be used")]
    File {
        /// Why.
        source: Box<FileError>,
    },
    /// SQLite: the file leaves rows that refer to rows which are not there. It was rolled back.
    #[error(
        "{path} leaves {rows} {} to rows which are not there",
        if *rows == 1 { "row that refers" } else { "rows that refer" }
    )]
    ForeignKeys {
        /// The file.
        path: String,
        /// How many rows.
        rows: usize,
    },
    /// The process that ran a file ended in the middle of a statement of which the database does
    /// not tell whether it was done.
    #[error(
        "{path}, {at}: whoever ran version {version} ended at statement {number} of {total}, which \
         may or may not be done; look, and repair it: retry or skip the statement"
    )]
    Interrupted {
        /// The version.
        version: FileVersion,
        /// The file.
        path: String,
        /// The statement's number, from 1.
        number: usize,
        /// How many statements the file has.
        total: usize,
        /// Where the statement begins.
        at: Position,
    },
    /// There is no file that takes the version back.
    #[error("version {version} can not be taken back: there is no file that does it")]
    Irreversible {
        /// The version.
        version: FileVersion,
    },
    /// The lock, the registry or the connection.
    #[error("the files could not be run")]
    Migrate {
        /// Why.
        source: Box<MigrateError>,
    },
    /// Files that were applied and are not there any more, though later ones are.
    #[error("applied, and not among the files: {}", list(versions))]
    Missing {
        /// The versions.
        versions: Vec<FileVersion>,
    },
    /// A version whose state needs no such repair.
    #[error("version {version} is {state}, for which there is no such repair")]
    NotRepairable {
        /// The version.
        version: FileVersion,
        /// Its state.
        state: &'static str,
    },
    /// Files that come before one that was applied.
    #[error("not applied, though {latest}, which comes after, is: {}", list(versions))]
    OutOfOrder {
        /// The versions.
        versions: Vec<FileVersion>,
        /// The highest version that was applied.
        latest: FileVersion,
    },
    /// A statement failed.
    #[error(
        "{path}, {at}: statement {number} of {total} failed; {}",
        if *kept == 0 { "nothing of the file was kept".to_owned() }
        else { format!("the {kept} before it stay done") }
    )]
    Statement {
        /// The version.
        version: FileVersion,
        /// The file.
        path: String,
        /// The statement's number, from 1.
        number: usize,
        /// How many statements the file has.
        total: usize,
        /// Where the statement begins.
        at: Position,
        /// How many statements before it stay done; 0 if all were rolled back.
        kept: usize,
        /// The database's own error.
        source: Box<SessionError>,
    },
    /// A version that is neither among the files nor in the history.
    #[error("there is no version {version}")]
    UnknownVersion {
        /// The version.
        version: FileVersion,
    },
}

impl From<FileError> for FileProblem {
    fn from(source: FileError) -> Self {
        Self::File { source: Box::new(source) }
    }
}

impl From<MigrateError> for FileProblem {
    fn from(source: MigrateError) -> Self {
        Self::Migrate { source: Box::new(source) }
    }
}
