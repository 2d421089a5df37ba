//! What was run.

use std::time::Duration;

use crate::FileVersion;

/// What was run, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// The files.
    pub files: Vec<RunFile>,
}

/// A file that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFile {
    /// The version.
    pub version: FileVersion,
    /// The file's path within its folder.
    pub path: String,
    /// How many statements ran now; fewer than the file has if it was resumed.
    pub statements: usize,
    /// Whether one that comes after it had been applied before.
    pub out_of_order: bool,
    /// How long it took, without waiting for the lock.
    pub elapsed: Duration,
}

impl FileReport {
    /// The versions that were run.
    #[must_use]
    pub fn versions(&self) -> Vec<FileVersion> {
        self.files.iter().map(|file| file.version.clone()).collect()
    }
}
