//! Where the file lies and how it is used: plain data, every bound readable here.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use larder_core::{Clock, SystemClock};
use larder_sqlite_file::Access;

/// How a cluster file is opened and used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClusterFileOptions {
    /// The file. Its directory has to exist.
    pub path: PathBuf,
    /// Whether a missing file is created. Default: [`Access::Create`].
    pub access: Access,
    /// How long a call waits for another process's write. Default: 30 s.
    pub busy_timeout: Duration,
    /// Where the time comes from. Default: [`SystemClock`].
    ///
    /// What the processes compare are readings of its wall clock.
    pub clock: Arc<dyn Clock>,
    /// The size, in bytes, from which a cluster's configuration is stored compressed.
    /// Default: 1 KiB.
    pub compress_above_bytes: usize,
    /// The most connections that are open at a time; further calls wait for one. Default: 4.
    pub connections_max: usize,
    /// How long a cached cluster is valid unless its caller says otherwise. Default: 1 h.
    pub default_expiry: Duration,
    /// The most events that the file remembers; the oldest make room. Default: 10,000.
    pub history_max: u32,
}

impl ClusterFileOptions {
    /// A file with the defaults.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            access: Access::default(),
            busy_timeout: Duration::from_secs(30),
            clock: Arc::new(SystemClock::new()),
            compress_above_bytes: 1 << 10,
            connections_max: 4,
            default_expiry: Duration::from_secs(3_600),
            history_max: 10_000,
        }
    }

    /// Sets whether a missing file is created.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets how long a call waits for another process's write.
    #[must_use]
    pub const fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Sets where the time comes from.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the size, in bytes, from which a configuration is stored compressed.
    #[must_use]
    pub const fn with_compress_above_bytes(mut self, bytes: usize) -> Self {
        self.compress_above_bytes = bytes;
        self
    }

    /// Sets the most connections; zero counts as one.
    #[must_use]
    pub const fn with_connections_max(mut self, connections_max: usize) -> Self {
        self.connections_max = connections_max;
        self
    }

    /// Sets how long a cached cluster is valid unless its caller says otherwise.
    #[must_use]
    pub const fn with_default_expiry(mut self, default_expiry: Duration) -> Self {
        self.default_expiry = default_expiry;
        self
    }

    /// Sets the most events that the file remembers.
    #[must_use]
    pub const fn with_history_max(mut self, history_max: u32) -> Self {
        self.history_max = history_max;
        self
    }
}
