//! A history, as the tools have it in common.

use crate::{FileVersion, HistorySource};

/// What another tool says that it applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The tool.
    pub tool: HistorySource,
    /// The table, as it is written in a statement.
    pub table: String,
    /// The migrations that are applied, in the order of their versions.
    pub entries: Vec<HistoryEntry>,
    /// Everything up to this version counts as applied, whether or not it has an entry of its
    /// own: golang-migrate keeps no more than that, and Flyway a baseline.
    pub up_to: Option<FileVersion>,
}

/// A migration that another tool applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The version.
    pub version: FileVersion,
    /// The name, if the tool keeps it.
    pub name: Option<String>,
    /// The checksum as the tool computes it, if it keeps one.
    pub checksum: Option<String>,
    /// When it was applied, as the tool wrote it.
    pub applied_at: Option<String>,
}

impl History {
    pub(super) fn entry(&self, version: &FileVersion) -> Option<&HistoryEntry> {
        self.entries.iter().find(|entry| entry.version == *version)
    }

    /// Whether the tool says that a version is applied.
    #[must_use]
    pub fn has(&self, version: &FileVersion) -> bool {
        self.entry(version).is_some() || self.up_to.as_ref().is_some_and(|up_to| version <= up_to)
    }
}
