//! Which file a path names right now, so that a file that was replaced can be told.

use std::path::Path;

/// The identity of a file, independent of its name.
///
/// A program that keeps a database open compares the identity that it opened with what the path
/// names now: after somebody removed or replaced the file, the two differ, and the program alone
/// still sees the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// The identity of what the path names; `None` if there is nothing.
    ///
    /// Where the system has no such numbers, every existing file has the same identity.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some(Self::from_metadata(&metadata))
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    fn from_metadata(_metadata: &std::fs::Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}
