//! The sizes of a file and of what SQLite keeps beside it.
//!
//! Guards that a file is only looked at by name: to open and close a database that is in use would
//! drop the locks of this process.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::ClusterCache;

/// The sizes of a file and of what SQLite keeps beside it, in bytes; `None` for what is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// The file, in its absolute form.
    pub path: PathBuf,
    /// The database.
    pub database_bytes: Option<u64>,
    /// The write-ahead log.
    pub wal_bytes: Option<u64>,
    /// The index of the log, which the processes share.
    pub shm_bytes: Option<u64>,
}

impl FileInfo {
    /// Looks at a file, which need not be there.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let length = |suffix| {
            let mut name = OsString::from(&path);
            name.push(suffix);
            match fs::metadata(name) {
                Ok(metadata) => Ok(Some(metadata.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        Ok(Self {
            database_bytes: length("")?,
            wal_bytes: length("-wal")?,
            shm_bytes: length("-shm")?,
            path,
        })
    }

    /// All three together, in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        let all = [self.database_bytes, self.wal_bytes, self.shm_bytes];
        all.into_iter().flatten().sum()
    }
}

impl ClusterCache {
    /// The sizes of the file and of what SQLite keeps beside it.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) if the operating system does not say.
    pub fn file_info(&self) -> crate::Result<FileInfo> {
        let path = self.file().path();
        FileInfo::of(path).map_err(|source| {
            larder_sqlite_file::FileError::Io { path: path.to_owned(), source }.into()
        })
    }
}
