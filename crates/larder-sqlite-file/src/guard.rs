//! What is checked about a path before SQLite sees it, and how a new file comes to be.
//!
//! Invariant: a file that exists is never opened here. On POSIX systems, closing any descriptor
//! of a file drops all locks that the process holds on it, those of a SQLite connection in
//! another thread too; so existing files are only looked at, by name.

use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Access, FileError, FileKind, FileOptions};

/// Files that SQLite keeps beside a database and trusts as much.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Held while a new file is made: nobody else in this process may have locks on it by the time
/// that the descriptor which made it is closed.
static CREATION: Mutex<()> = Mutex::new(());

/// Checks the path, creates the file if that is asked for, and returns its absolute form.
pub(crate) fn admit(options: &FileOptions) -> Result<PathBuf, FileError> {
    let _guard: MutexGuard<'_, ()> = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    let path = absolute(&options.path)?;
    match look(&path)? {
        Some(metadata) => {
            platform::check(&path, &metadata)?;
            check_length(&path, metadata.len())?;
        }
        None if options.access != Access::Create => return Err(FileError::Missing { path }),
        None => create(&path)?,
    }
    for suffix in COMPANIONS {
        let companion = with_suffix(&path, suffix);
        if let Some(metadata) = look(&companion)? {
            platform::check(&companion, &metadata)?;
        }
    }
    Ok(path)
}

/// The name of a file beside the database.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The directory is resolved, because SQLite is told to follow no symbolic link at all and a
/// system's own directories may be such links. The file's own name is not resolved.
fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    let Some(name) = path.file_name() else {
        let (path, kind) = (path.to_owned(), FileKind::Nameless);
        return Err(FileError::NotAFile { path, kind });
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let resolved = parent.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            FileError::DirectoryMissing { path: parent.to_owned() }
        }
        _ => FileError::io(parent, error),
    })?;
    let metadata = fs::metadata(&resolved).map_err(|error| FileError::io(&resolved, error))?;
    if !metadata.is_dir() {
        return Err(FileError::DirectoryMissing { path: resolved });
    }
    platform::check_directory(&resolved, &metadata)?;
    Ok(resolved.join(name))
}

/// What is at the path; anything but a regular file is refused.
fn look(path: &Path) -> Result<Option<Metadata>, FileError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io(path, error)),
    };
    let file_type = metadata.file_type();
    let kind = if file_type.is_file() {
        return Ok(Some(metadata));
    } else if file_type.is_symlink() {
        FileKind::SymbolicLink
    } else if file_type.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Special
    };
    let path = path.to_owned();
    Err(FileError::NotAFile { path, kind })
}

/// SQLite takes a file of a single byte for an empty one and would overwrite it. The smallest
/// database is one page of 512 bytes.
fn check_length(path: &Path, length: u64) -> Result<(), FileError> {
    if (1..512).contains(&length) {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
        let source = rusqlite::Error::SqliteFailure(code, None);
        return Err(FileError::from_sqlite(path, source));
    }
    Ok(())
}

fn create(path: &Path) -> Result<(), FileError> {
    match platform::create_private(path) {
        Ok(()) => Ok(()),
        // Another process was faster; its file has to pass the same checks.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match look(path)? {
            Some(metadata) => platform::check(path, &metadata),
            None => Err(FileError::io(path, error)),
        },
        Err(error) => Err(FileError::io(path, error)),
    }
}

#[cfg(unix)]
mod platform {
    use std::{
        fs::{Metadata, OpenOptions, Permissions},
        io,
        os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
        path::Path,
    };

    use crate::FileError;

    const WRITABLE_BY_OTHERS: u32 = 0o002;

    /// SQLite gives the files that it puts beside the database the database's own mode, so this
    /// is the one place that decides who may read any of them.
    pub(super) fn create_private(path: &Path) -> io::Result<()> {
        // Creating exclusively never follows a symbolic link.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        // The umask may have taken more away than was meant.
        file.set_permissions(Permissions::from_mode(0o600))
    }

    pub(super) fn check(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
        let path_owned = || path.to_owned();
        if metadata.nlink() > 1 {
            return Err(FileError::HardLinked { path: path_owned(), links: metadata.nlink() });
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(FileError::NotOwned { path: path_owned(), owner: metadata.uid() });
        }
        if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
            return Err(FileError::Exposed { path: path_owned() });
        }
        Ok(())
    }

    /// In a directory that everybody can write, `/tmp` for example, anybody can put a log beside
    /// the database, and SQLite would play it back.
    pub(super) fn check_directory(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
        if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
            return Err(FileError::Exposed { path: path.to_owned() });
        }
        if is_network(path) {
            return Err(FileError::NetworkFileSystem { path: path.to_owned() });
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn is_network(path: &Path) -> bool {
        // The numbers stand in statfs(2): NFS, SMB, CIFS, SMB2, AFS, Ceph.
        const NETWORK: [i128; 6] =
            [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400];
        // The field's type and sign differ between architectures; the numbers are 32 bits wide.
        rustix::fs::statfs(path)
            .is_ok_and(|found| NETWORK.contains(&(i128::from(found.f_type) & 0xffff_ffff)))
    }

    #[cfg(not(target_os = "linux"))]
    fn is_network(_path: &Path) -> bool {
        false
    }
}

#[cfg(not(unix))]
mod platform {
    use std::{
        fs::{Metadata, OpenOptions},
        io,
        path::Path,
    };

    use crate::FileError;

    pub(super) fn create_private(path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(path).map(drop)
    }

    pub(super) fn check(_path: &Path, _metadata: &Metadata) -> Result<(), FileError> {
        Ok(())
    }

    pub(super) fn check_directory(_path: &Path, _metadata: &Metadata) -> Result<(), FileError> {
        Ok(())
    }
}
