//! How migrations are run.
//!
//! Guards nothing by itself; every wait that the crate makes has its bound here.

use std::{fmt, sync::Arc, time::Duration};

use larder_core::{Clock, SystemClock};

/// How migrations are run on one database.
#[derive(Clone)]
#[non_exhaustive]
pub struct MigrateOptions {
    /// Whose models they are, where several applications share one registry; at most 255
    /// characters. Default: empty.
    pub application: String,
    /// PostgreSQL: the schema in which the registry lives, and the tables of models that name
    /// none. The other databases ignore it. Default: `public`.
    pub schema: String,
    /// What the names of the registry's tables begin with. With the longest of their ends, which
    /// has 14 characters, at most 63 bytes on PostgreSQL and 64 characters on MySQL and MariaDB; a
    /// longer one is refused with [`MigrateError::Registry`](crate::MigrateError::Registry) before
    /// anything runs. Default: `dataflow_`.
    pub prefix: String,
    /// How long to wait for others that migrate, from the first try. Default: 30 s.
    pub lock_timeout: Duration,
    /// After how much time without a heartbeat a holder of the lock counts as stopped, so that
    /// its connection is ended. Shorter than [`lock_timeout`](Self::lock_timeout), so that a
    /// stopped holder makes nobody fail. Default: 15 s.
    pub lease: Duration,
    /// How often a holder of the lock renews its lease. Default: 3 s.
    pub heartbeat: Duration,
    /// How long one statement waits for a table that somebody else uses, before it lets those
    /// behind it pass and tries again. In milliseconds on PostgreSQL, rounded up to whole seconds
    /// on MySQL and MariaDB. Default: 3 s.
    pub statement_lock_timeout: Duration,
    /// How often a plan is tried again that somebody else's statements got in the way of.
    /// Default: 10.
    pub retries: u32,
    /// Where the time comes from. Times that are stored come from the database instead.
    pub clock: Arc<dyn Clock>,
}

impl MigrateOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            application: String::new(),
            schema: "public".to_owned(),
            prefix: "dataflow_".to_owned(),
            lock_timeout: Duration::from_secs(30),
            lease: Duration::from_secs(15),
            heartbeat: Duration::from_secs(3),
            statement_lock_timeout: Duration::from_secs(3),
            retries: 10,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sets [`application`](Self::application).
    #[must_use]
    pub fn with_application(mut self, application: impl Into<String>) -> Self {
        self.application = application.into();
        self
    }

    /// Sets [`schema`](Self::schema).
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets [`prefix`](Self::prefix).
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets [`lock_timeout`](Self::lock_timeout).
    #[must_use]
    pub const fn with_lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// Sets [`lease`](Self::lease) and, with a fifth of it, [`heartbeat`](Self::heartbeat).
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self.heartbeat = lease / 5;
        self
    }

    /// Sets [`heartbeat`](Self::heartbeat).
    #[must_use]
    pub const fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets [`statement_lock_timeout`](Self::statement_lock_timeout).
    #[must_use]
    pub const fn with_statement_lock_timeout(mut self, timeout: Duration) -> Self {
        self.statement_lock_timeout = timeout;
        self
    }

    /// Sets [`retries`](Self::retries).
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets [`clock`](Self::clock).
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Default for MigrateOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MigrateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrateOptions")
            .field("application", &self.application)
            .field("schema", &self.schema)
            .field("prefix", &self.prefix)
            .field("lock_timeout", &self.lock_timeout)
            .field("lease", &self.lease)
            .field("heartbeat", &self.heartbeat)
            .field("statement_lock_timeout", &self.statement_lock_timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}
