//! Where the servers are and what may be asked of them: plain data, every bound readable here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use larder_core::{Clock, SystemClock, Ttl};

use crate::{Address, Deployment, Secret, address::DEFAULT_PORT, secret::Credentials};

/// Where the cache is and how it is used.
///
/// It is read from a URL ([`FromStr`](std::str::FromStr)) or built field by field; `Debug` shows
/// neither user nor password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisConfig {
    /// Files with further root certificates (PEM), beside those of the system. Default: none.
    pub ca_files: Vec<PathBuf>,
    /// Where the time comes from. Default: [`SystemClock`].
    pub clock: Arc<dyn Clock>,
    /// The number of the database; a cluster has number 0 only. Default: 0.
    pub database: u32,
    /// The servers. Default: one on `localhost:6379`.
    pub deployment: Deployment,
    /// How long the generation of a tag is remembered without being used. Default: 30 days.
    ///
    /// It is renewed by loads, in its second half. Entries with a longer lifetime than half of it
    /// may become misses early; nothing becomes stale.
    pub generation_ttl: Duration,
    /// Whether each read makes sure that it speaks to a master. Default:
    /// [`MastershipCheck::Auto`].
    pub mastership: MastershipCheck,
    /// What sets this cache apart from others on the same servers: 1 to 32 letters, digits,
    /// `_`, `.` and `-`. Default: `larder`.
    pub namespace: String,
    /// The most reads that share one command. Default: 128.
    pub read_batch_max: usize,
    /// Whether the connection is encrypted, with the server's certificate verified.
    /// Default: `false`.
    pub tls: bool,
    /// How long an answer may take, and how long connecting may. Default: 1 s.
    ///
    /// A call that finds its connection lost may take that long once more; a connection on which
    /// an answer is overdue by an eighth of it is closed.
    pub time_limit: Duration,
    /// The largest value, in bytes. Default: 16 MiB.
    pub value_bytes_max: usize,
    /// How old the knowledge may be that the server is a master with an unbroken history; a read
    /// that finds it older renews it in the same round trip. Default: 1 s.
    pub verify_interval: Duration,
    /// How many pushed messages a [`watch`](larder_core::CacheBackend::watch) holds for a listener
    /// that is slow; one more is a reset. Default: 4,096.
    pub watch_backlog_max: usize,
    /// How often `watch` says that it is alive. Default: 250 ms.
    pub watch_interval: Duration,
    pub(crate) credentials: Credentials,
    pub(crate) sentinel_credentials: Credentials,
}

/// Whether each read makes sure, in its own round trip, that it speaks to a master.
///
/// A server that was demoted while the connection was open goes on answering reads. With the
/// check, a read is preceded by a write that changes nothing (`DEL` of a key that never exists),
/// which a replica refuses. Without it, a demotion is noticed within
/// [`RedisConfig::verify_interval`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MastershipCheck {
    /// Where there is a replica that could have been promoted, but not in a cluster, whose nodes
    /// refuse by themselves what is not theirs.
    #[default]
    Auto,
    /// On every read.
    Always,
    /// On no read.
    Never,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            ca_files: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            database: 0,
            deployment: Deployment::Single(Address::tcp("localhost", DEFAULT_PORT)),
            generation_ttl: Duration::from_secs(30 * 24 * 60 * 60),
            mastership: MastershipCheck::default(),
            namespace: "larder".into(),
            read_batch_max: 128,
            tls: false,
            time_limit: Duration::from_secs(1),
            value_bytes_max: 16 << 20,
            verify_interval: Duration::from_secs(1),
            watch_backlog_max: 4_096,
            watch_interval: Duration::from_millis(250),
            credentials: Credentials::default(),
            sentinel_credentials: Credentials::default(),
        }
    }
}

impl RedisConfig {
    /// A cache on these servers, with the defaults.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self { deployment, ..Self::default() }
    }

    /// Adds a file with root certificates (PEM).
    #[must_use]
    pub fn with_ca_file(mut self, ca_file: impl Into<PathBuf>) -> Self {
        self.ca_files.push(ca_file.into());
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the number of the database.
    #[must_use]
    pub fn with_database(mut self, database: u32) -> Self {
        self.database = database;
        self
    }

    /// Sets how long the generation of a tag is remembered.
    #[must_use]
    pub fn with_generation_ttl(mut self, generation_ttl: Duration) -> Self {
        self.generation_ttl = generation_ttl;
        self
    }

    /// Sets whether each read makes sure that it speaks to a master.
    #[must_use]
    pub fn with_mastership(mut self, mastership: MastershipCheck) -> Self {
        self.mastership = mastership;
        self
    }

    /// Sets the namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the password.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<Secret>) -> Self {
        self.credentials.password = Some(password.into());
        self
    }

    /// Sets the most reads that share one command.
    #[must_use]
    pub fn with_read_batch_max(mut self, read_batch_max: usize) -> Self {
        self.read_batch_max = read_batch_max;
        self
    }

    /// Sets the user and the password for the Sentinels, which know nothing of those for the
    /// master.
    #[must_use]
    pub fn with_sentinel_credentials(
        mut self,
        username: Option<String>,
        password: impl Into<Secret>,
    ) -> Self {
        self.sentinel_credentials = Credentials { username, password: Some(password.into()) };
        self
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Sets whether the connection is encrypted.
    #[must_use]
    pub fn with_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the ACL user.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.credentials.username = Some(username.into());
        self
    }

    /// Sets the largest value, in bytes.
    #[must_use]
    pub fn with_value_bytes_max(mut self, value_bytes_max: usize) -> Self {
        self.value_bytes_max = value_bytes_max;
        self
    }

    /// Sets how old the knowledge about the server may be.
    #[must_use]
    pub fn with_verify_interval(mut self, verify_interval: Duration) -> Self {
        self.verify_interval = verify_interval;
        self
    }

    /// Sets how many pushed messages wait for a slow listener.
    #[must_use]
    pub fn with_watch_backlog_max(mut self, watch_backlog_max: usize) -> Self {
        self.watch_backlog_max = watch_backlog_max;
        self
    }

    /// Sets how often `watch` says that it is alive.
    #[must_use]
    pub fn with_watch_interval(mut self, watch_interval: Duration) -> Self {
        self.watch_interval = watch_interval;
        self
    }

    /// What makes no sense, if anything does not.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let namespace = self.namespace.as_bytes();
        let generation_ttl = Ttl::new(self.generation_ttl);
        if namespace.is_empty() || namespace.len() > NAMESPACE_BYTES_MAX {
            Some("the namespace has 1 to 32 bytes")
        } else if !namespace.iter().copied().all(allowed) {
            Some("the namespace has letters, digits, '_', '.' and '-' only")
        } else if self.deployment.addresses().is_empty() {
            Some("there is no address")
        } else if self.database != 0 && matches!(self.deployment, Deployment::Cluster(_)) {
            Some("a cluster has database 0 only")
        } else if self.credentials.username.is_some() && self.credentials.password.is_none() {
            Some("there is a user but no password")
        } else if self.tls && self.deployment.addresses().iter().any(is_unix) {
            Some("a Unix socket is not encrypted")
        } else if !self.tls && !self.ca_files.is_empty() {
            Some("there is a root certificate but no TLS")
        } else if self.read_batch_max == 0 || self.watch_backlog_max == 0 {
            Some("read_batch_max and watch_backlog_max are at least 1")
        } else if self.time_limit.is_zero() || self.watch_interval.is_zero() {
            Some("time_limit and watch_interval are not zero")
        } else if generation_ttl.is_err() || self.generation_ttl < Duration::from_secs(60) {
            Some("generation_ttl is between a minute and ten years")
        } else if self.value_bytes_max > VALUE_BYTES_MAX {
            Some("value_bytes_max is at most 511 MiB")
        } else {
            None
        }
    }
}

/// The longest namespace, in bytes.
pub(crate) const NAMESPACE_BYTES_MAX: usize = 32;

/// Servers take 512 MiB by default, of which a few bytes are ours.
const VALUE_BYTES_MAX: usize = 511 << 20;

fn is_unix(address: &Address) -> bool {
    matches!(address, Address::Unix(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_each_absurdity_is_named() {
        let config = RedisConfig::default;
        assert_eq!(config().objection(), None);
        let unix = Deployment::Single(Address::Unix("/run/redis.sock".into()));
        for absurd in [
            config().with_namespace(""),
            config().with_namespace("a:b"),
            config().with_namespace("{a}"),
            config().with_namespace("ä"),
            config().with_namespace("a b"),
            config().with_namespace("a".repeat(33)),
            config().with_username("u"),
            config().with_ca_file("/ca.pem"),
            config().with_time_limit(Duration::ZERO),
            config().with_read_batch_max(0),
            config().with_watch_backlog_max(0),
            config().with_watch_interval(Duration::ZERO),
            config().with_generation_ttl(Duration::from_secs(1)),
            config().with_generation_ttl(Duration::MAX),
            config().with_value_bytes_max(1 << 30),
            RedisConfig::new(unix).with_tls(true),
            RedisConfig::new(Deployment::Cluster(Vec::new())),
            RedisConfig::new(Deployment::Cluster(vec![Address::tcp("a", 1)])).with_database(1),
        ] {
            assert!(absurd.objection().is_some(), "{absurd:?}");
        }
        let longest = config().with_namespace("aZ09_.-".repeat(4) + "1234");
        assert_eq!(longest.objection(), None);
    }

    #[test]
    fn debug_shows_no_credentials() {
        let config = RedisConfig::default()
            .with_username("canary-user")
            .with_password("canary-password")
            .with_sentinel_credentials(Some("canary".into()), "canary");
        assert!(!format!("{config:?} {config:#?}").contains("canary"));
    }
}
