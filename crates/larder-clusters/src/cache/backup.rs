//! Copies of a file that is in use.
//!
//! Guards that a copy appears whole or not at all, replaces nothing, and can be read by nobody
//! else.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use larder_sqlite_file::{
    FileError, FileOptions,
    rusqlite::{
        self, Connection, ErrorCode,
        backup::{Backup, StepResult},
        ffi,
    },
};

use super::ClusterCache;
use crate::{Error, Result, error::Fault};

impl ClusterCache {
    /// Copies the whole file, as it is at one moment, while others go on; the size of the copy in
    /// bytes.
    ///
    /// The copy is one file of mode 0600 without a log beside it.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is something at the path, which stays as it is; [`Error::File`]
    /// for either of the two.
    pub fn backup(&self, to: &Path) -> Result<u64> {
        if fs::symlink_metadata(to).is_ok() {
            return Err(Error::Exists { path: to.to_owned() });
        }
        let draft = Draft::beside(to)?;
        let source = self.store().connection()?;
        draft.fill(&source, self.file().path())?;
        drop(source);
        draft.publish(to)
    }
}

/// A file under construction, which is removed unless it was published.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// A new, empty file in the same directory, with a name of its own.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{:016x}.part", rand::random::<u64>()));
        let draft = Self { path: path.with_file_name(name) };
        // The one way of opening creates it with the right mode. A page size of its own and a log
        // would be in the way of the copy.
        let connection = FileOptions::new(&draft.path).open()?;
        draft.unlog(&connection)?;
        Ok(draft)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies a database into it.
    pub(super) fn fill(&self, source: &Connection, source_path: &Path) -> Result<()> {
        let at = |error: rusqlite::Error| match error.sqlite_error_code() {
            // Only the copy is written.
            Some(ErrorCode::DiskFull | ErrorCode::ReadOnly) => self.fault(error),
            _ => Fault::from(error).at(source_path),
        };
        let mut target = Connection::open(&self.path).map_err(|error| self.fault(error))?;
        let outcome = Backup::new(source, &mut target).and_then(|backup| backup.step(-1));
        match outcome.map_err(at)? {
            StepResult::Done => {}
            _ => {
                let code = ffi::Error::new(ffi::SQLITE_BUSY);
                return Err(at(rusqlite::Error::SqliteFailure(code, None)));
            }
        }
        self.unlog(&target)
    }

    /// Puts the file where it belongs; its size in bytes.
    fn publish(self, to: &Path) -> Result<u64> {
        let io = |source| Error::from(FileError::Io { path: to.to_owned(), source });
        let file = fs::File::open(&self.path).map_err(io)?;
        file.sync_all().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        drop(file);
        // Unlike a rename, a link replaces nothing.
        fs::hard_link(&self.path, to).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists { path: to.to_owned() },
            _ => io(error),
        })?;
        drop(self);
        sync_directory(to).map_err(io)?;
        Ok(bytes)
    }

    /// Makes it a database without a write-ahead log, which is one file and nothing else.
    fn unlog(&self, connection: &Connection) -> Result<()> {
        let sql = "PRAGMA journal_mode = DELETE";
        let mode: rusqlite::Result<String> = connection.query_row(sql, [], |row| row.get(0));
        mode.map(drop).map_err(|error| self.fault(error))
    }

    fn fault(&self, error: rusqlite::Error) -> Error {
        Fault::from(error).at(&self.path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = OsString::from(&self.path);
            name.push(suffix);
            // What can not be removed is not in anybody's way.
            let _ = fs::remove_file(name);
        }
    }
}

/// Has the new name survive a power cut.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
