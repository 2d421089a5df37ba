//! Why a history can not be taken over.

use crate::{FileVersion, HistorySource, MigrateError, SessionError};

/// Why a history can not be taken over. Nothing has been written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Files that are not what the tool applied.
    #[error("{} files are not what {tool} applied: {}", versions.len(), list(versions))]
    Changed {
        /// The tool.
        tool: HistorySource,
        /// The versions.
        versions: Vec<FileVersion>,
    },
    /// The tool says that a migration failed half-way: finish or undo it with that tool first.
    #[error("{tool} says that migration {version} did not end well; mend that with {tool} first")]
    Dirty {
        /// The tool.
        tool: HistorySource,
        /// The migration.
        version: String,
    },
    /// The registry could not be written.
    #[error("the registry could not be written")]
    Migrate {
        /// Why.
        source: Box<MigrateError>,
    },
    /// The tool has left no table.
    #[error("there is no table of {tool}")]
    NoHistory {
        /// The tool.
        tool: HistorySource,
    },
    /// The table could not be read.
    #[error("the table of {tool} could not be read")]
    Session {
        /// The tool.
        tool: HistorySource,
        /// The database's own error.
        source: SessionError,
    },
    /// A row that the tool would not have written.
    #[error("the table of {tool} has a version {version:?}, which is none of its own")]
    Version {
        /// The tool.
        tool: HistorySource,
        /// The version.
        version: String,
    },
}

impl From<MigrateError> for ImportError {
    fn from(source: MigrateError) -> Self {
        Self::Migrate { source: Box::new(source) }
    }
}

pub(crate) fn list(versions: &[FileVersion]) -> String {
    let texts: Vec<_> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
