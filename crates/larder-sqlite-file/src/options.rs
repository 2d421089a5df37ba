//! How a file is opened: plain data with defaults that are safe to share between processes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{Application, Owner};

/// How a SQLite file is opened.
///
/// ```
/// use larder_sqlite_file::{FileOptions, Synchronous};
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("registry.db");
///
/// let connection = FileOptions::new(&path)
///     .with_synchronous(Synchronous::Full)
///     .open()?;
/// connection.execute_batch("CREATE TABLE cluster(name TEXT PRIMARY KEY) STRICT")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileOptions {
    /// The file. Relative paths count from the working directory at the time of the call.
    pub path: PathBuf,
    /// What the connection may do. Default: [`Access::Create`].
    pub access: Access,
    /// Whose file it has to be. Default: `None`, anybody's.
    pub application: Option<Application>,
    /// How long a statement waits for another process's lock. Default: 30 s.
    pub busy_timeout: Duration,
    /// The page cache of the connection, in bytes. Default: 8 MiB.
    pub cache_bytes: u32,
    /// Whether a new file can give pages back with `PRAGMA incremental_vacuum`; it costs a few
    /// percent of a write. Default: `false`.
    pub incremental_vacuum: bool,
    /// Who says whose file it is, in place of [`application`](Self::application). Default: `None`.
    pub owner: Option<Arc<dyn Owner>>,
    /// Prepared statements that the connection keeps. Default: 64.
    pub statements_max: usize,
    /// What is flushed to the disk, and when. Default: [`Synchronous::Normal`].
    pub synchronous: Synchronous,
    /// The size, in bytes, to which the write-ahead log is cut back when it starts over.
    /// Default: 16 MiB.
    pub wal_bytes: u32,
}

/// What a connection may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Read and write; the file is created if there is none.
    #[default]
    Create,
    /// Read and write a file that exists.
    Existing,
    /// Read a file that exists; a statement that writes is refused.
    Read,
}

/// What is flushed to the disk, and when (`PRAGMA synchronous`, with a write-ahead log).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// Every commit: it survives a power cut.
    Full,
    /// Every checkpoint: a commit survives the end of the process, however it ends, and a power
    /// cut may take the last ones back. The file is whole either way.
    #[default]
    Normal,
}

impl FileOptions {
    /// A file with the defaults.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            access: Access::default(),
            application: None,
            busy_timeout: Duration::from_secs(30),
            cache_bytes: 8 << 20,
            incremental_vacuum: false,
            owner: None,
            statements_max: 64,
            synchronous: Synchronous::default(),
            wal_bytes: 16 << 20,
        }
    }

    /// Sets what the connection may do.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets whose file it has to be. A new file becomes theirs.
    #[must_use]
    pub const fn with_application(mut self, application: Application) -> Self {
        self.application = Some(application);
        self
    }

    /// Sets how long a statement waits for another process's lock.
    #[must_use]
    pub const fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Sets the page cache of the connection, in bytes.
    #[must_use]
    pub const fn with_cache_bytes(mut self, cache_bytes: u32) -> Self {
        self.cache_bytes = cache_bytes;
        self
    }

    /// Sets whether a new file can give pages back.
    #[must_use]
    pub const fn with_incremental_vacuum(mut self, incremental_vacuum: bool) -> Self {
        self.incremental_vacuum = incremental_vacuum;
        self
    }

    /// Sets who says whose file it is. A new file becomes theirs, an older one is upgraded.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Owner + 'static) -> Self {
        self.owner = Some(Arc::new(owner));
        self
    }

    /// Sets how many prepared statements the connection keeps.
    #[must_use]
    pub const fn with_statements_max(mut self, statements_max: usize) -> Self {
        self.statements_max = statements_max;
        self
    }

    /// Sets what is flushed to the disk, and when.
    #[must_use]
    pub const fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets the size, in bytes, to which the write-ahead log is cut back.
    #[must_use]
    pub const fn with_wal_bytes(mut self, wal_bytes: u32) -> Self {
        self.wal_bytes = wal_bytes;
        self
    }
}
