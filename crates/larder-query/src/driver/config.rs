//! How connections are opened and pooled: plain data.

use std::time::Duration;

/// How a [`Database`](crate::Database) opens and pools its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseOptions {
    /// The most connections at a time; at least 1. Default: 8. A SQLite database in memory
    /// always has exactly one, because each connection would be a database of its own.
    pub connections_max: u32,
    /// How long to wait for a free connection, and for a new one to open. Default: 30 s.
    pub acquire_timeout: Duration,
    /// How long SQLite waits for a lock that somebody else holds. Default: 30 s.
    pub busy_timeout: Duration,
    /// Whether a SQLite file that may be written is put into WAL mode, so that readers and the
    /// writer do not wait for each other. The file stays in that mode. Default: yes.
    pub wal: bool,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            connections_max: 8,
            acquire_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(30),
            wal: true,
        }
    }
}

impl DatabaseOptions {
    /// Sets [`connections_max`](Self::connections_max); 0 counts as 1.
    #[must_use]
    pub const fn with_connections_max(mut self, connections: u32) -> Self {
        self.connections_max = if connections == 0 { 1 } else { connections };
        self
    }

    /// Sets [`acquire_timeout`](Self::acquire_timeout).
    #[must_use]
    pub const fn with_acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// Sets [`busy_timeout`](Self::busy_timeout).
    #[must_use]
    pub const fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets [`wal`](Self::wal).
    #[must_use]
    pub const fn with_wal(mut self, wal: bool) -> Self {
        self.wal = wal;
        self
    }
}
