//! Where the servers are and what may be used of them: plain data, every field a bound or a choice.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use larder_core::{Clock, SystemClock};

use crate::{Credentials, KetamaLabels, ServerAddress};

/// Where the servers are and what may be used of them.
///
/// A URL makes one, too; see the crate's page for the grammar. `Debug` shows no credentials.
///
/// ```
/// use larder_memcached::MemcachedConfig;
/// use std::time::Duration;
///
/// let config: MemcachedConfig = "memcached://user:secret@one:11211,two:11211".parse()?;
/// let config = config.with_namespace("shop").with_time_limit(Duration::from_millis(250));
/// assert_eq!(config.servers.len(), 2);
/// assert!(!format!("{config:?}").contains("secret"));
/// # Ok::<(), larder_memcached::ConfigError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct MemcachedConfig {
    /// A file of certificates to trust beside the system's, as PEM. Default: none.
    pub ca: Option<PathBuf>,
    /// Where the time comes from, for latencies and for the distance to the servers' clocks;
    /// what expires is decided by each server's own clock. Default: [`SystemClock`].
    pub clock: Arc<dyn Clock>,
    /// The connections to each server. One carries all requests at once; more of them pay where
    /// values are large. Default: 1.
    pub connections_per_server: usize,
    /// User and password. Default: none.
    pub credentials: Option<Credentials>,
    /// The most requests that one connection has under way; further ones are refused as
    /// [`Busy`](larder_core::ErrorKind::Busy). Default: 32,768.
    pub in_flight_max: usize,
    /// How the points of a server on the ring are named. Only for several servers.
    /// Default: [`KetamaLabels::Libmemcached`].
    pub ketama_labels: KetamaLabels,
    /// The first part of the name of every item: 1 to 32 letters, digits, `-`, `_` and `.`.
    /// Caches with different namespaces share nothing. Default: `larder`.
    pub namespace: String,
    /// The most bytes that wait to be written on one connection, beyond which requests are
    /// refused as [`Busy`](larder_core::ErrorKind::Busy). Default: 64 MiB.
    pub output_bytes_max: usize,
    /// Which commands are used. Default: [`ProtocolMode::Auto`].
    pub protocol: ProtocolMode,
    /// The servers. Entries and tags have a place among them that depends on nothing but this
    /// list, so all processes need the same one.
    pub servers: Vec<ServerAddress>,
    /// The longest that making a connection may take, and the longest that a reply may take after
    /// that. A connection whose reply is late is closed, at the limit or up to a quarter of it
    /// earlier. Default: 1 s.
    pub time_limit: Duration,
    /// Whether connections are encrypted, with verified certificates. Default: no.
    pub tls: bool,
    /// The largest value, in bytes. Default: what the servers say that they take, less 1 KiB for
    /// the name and the server's own records.
    pub value_bytes_max: Option<usize>,
}

/// Which commands are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolMode {
    /// The meta commands where the server's version has them all (1.6.12), else the classic ones.
    #[default]
    Auto,
    /// `gets`, `add`, `cas` and `delete`, which every server has.
    Classic,
    /// The meta commands, whatever the server's version.
    Meta,
}

impl MemcachedConfig {
    /// One or several servers, with the defaults.
    #[must_use]
    pub fn new(servers: impl IntoIterator<Item = ServerAddress>) -> Self {
        Self {
            ca: None,
            clock: Arc::new(SystemClock::new()),
            connections_per_server: 1,
            credentials: None,
            in_flight_max: 32_768,
            ketama_labels: KetamaLabels::default(),
            namespace: "larder".into(),
            output_bytes_max: 64 << 20,
            protocol: ProtocolMode::default(),
            servers: servers.into_iter().collect(),
            time_limit: Duration::from_secs(1),
            tls: false,
            value_bytes_max: None,
        }
    }

    /// Adds a file of certificates to trust.
    #[must_use]
    pub fn with_ca(mut self, ca: impl Into<PathBuf>) -> Self {
        self.ca = Some(ca.into());
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the connections to each server.
    #[must_use]
    pub fn with_connections_per_server(mut self, connections_per_server: usize) -> Self {
        self.connections_per_server = connections_per_server;
        self
    }

    /// Sets user and password.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets the most requests under way on one connection.
    #[must_use]
    pub fn with_in_flight_max(mut self, in_flight_max: usize) -> Self {
        self.in_flight_max = in_flight_max;
        self
    }

    /// Sets how the points of a server on the ring are named.
    #[must_use]
    pub fn with_ketama_labels(mut self, ketama_labels: KetamaLabels) -> Self {
        self.ketama_labels = ketama_labels;
        self
    }

    /// Sets the namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the most bytes that wait to be written on one connection.
    #[must_use]
    pub fn with_output_bytes_max(mut self, output_bytes_max: usize) -> Self {
        self.output_bytes_max = output_bytes_max;
        self
    }

    /// Sets which commands are used.
    #[must_use]
    pub fn with_protocol(mut self, protocol: ProtocolMode) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the longest that a connection and a reply may take.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Sets whether connections are encrypted.
    #[must_use]
    pub fn with_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Sets the largest value, in bytes.
    #[must_use]
    pub fn with_value_bytes_max(mut self, value_bytes_max: usize) -> Self {
        self.value_bytes_max = Some(value_bytes_max);
        self
    }

    /// Why this can not be used.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let distinct = |index: usize, server| !self.servers[..index].contains(server);
        let objections = [
            (!(1..=32).contains(&self.namespace.len()), "the namespace has 1 to 32 characters"),
            (
                !self.namespace.bytes().all(named),
                "the namespace is made of letters, digits, '-', '_' and '.'",
            ),
            (self.servers.is_empty(), "there is no server"),
            (self.servers.len() > SERVERS_MAX, "there are more than 1,024 servers"),
            (
                !self.servers.iter().enumerate().all(|(index, server)| distinct(index, server)),
                "a server is named twice",
            ),
            (
                self.tls && self.servers.iter().any(is_unix),
                "a connection through a socket file can not be encrypted",
            ),
            (
                !(1..=64).contains(&self.connections_per_server),
                "there are 1 to 64 connections to each server",
            ),
            (self.in_flight_max == 0, "no request may be under way"),
            (self.output_bytes_max == 0, "nothing may be written"),
            (self.time_limit < Duration::from_millis(4), "the time limit is shorter than 4 ms"),
            (self.value_bytes_max == Some(0), "no value is small enough"),
            (
                self.credentials.as_ref().is_some_and(|known| known.token().is_none()),
                "user or password are empty or hold a character that the protocol has no room for",
            ),
        ];
        objections.into_iter().find(|(applies, _)| *applies).map(|(_, objection)| objection)
    }
}

const SERVERS_MAX: usize = 1_024;

fn is_unix(server: &ServerAddress) -> bool {
    matches!(server, ServerAddress::Unix { .. })
}

impl fmt::Debug for MemcachedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedConfig")
            .field("ca", &self.ca)
            .field("clock", &self.clock)
            .field("connections_per_server", &self.connections_per_server)
            .field("credentials", &self.credentials)
            .field("in_flight_max", &self.in_flight_max)
            .field("ketama_labels", &self.ketama_labels)
            .field("namespace", &self.namespace)
            .field("output_bytes_max", &self.output_bytes_max)
            .field("protocol", &self.protocol)
            .field("servers", &self.servers)
            .field("time_limit", &self.time_limit)
            .field("tls", &self.tls)
            .field("value_bytes_max", &self.value_bytes_max)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> MemcachedConfig {
        MemcachedConfig::new([ServerAddress::tcp("localhost", 1)])
    }

    #[test]
    fn no_credentials_are_printed() {
        let config = config().with_credentials(Credentials::new("canary", "canary"));
        assert!(!format!("{config:?} {config:#?}").contains("canary"));
    }

    #[test]
    fn what_can_not_work_is_objected_to() {
        assert_eq!(config().objection(), None);
        let unix = ServerAddress::unix("/run/memcached.sock");
        let twice = [ServerAddress::tcp("a", 1), ServerAddress::tcp("a", 1)];
        for (wrong, about) in [
            (config().with_namespace(""), "namespace"),
            (config().with_namespace("a:b"), "namespace"),
            (config().with_namespace("a b"), "namespace"),
            (config().with_namespace("n".repeat(33)), "namespace"),
            (MemcachedConfig::new([]), "no server"),
            (MemcachedConfig::new(twice), "twice"),
            (MemcachedConfig::new([unix]).with_tls(true), "encrypted"),
            (config().with_connections_per_server(0), "connections"),
            (config().with_connections_per_server(65), "connections"),
            (config().with_in_flight_max(0), "under way"),
            (config().with_output_bytes_max(0), "written"),
            (config().with_time_limit(Duration::ZERO), "time limit"),
            (config().with_value_bytes_max(0), "value"),
            (config().with_credentials(Credentials::new("u", "a\r\nb")), "password"),
        ] {
            let objection = wrong.objection().unwrap_or("none");
            assert!(objection.contains(about), "{objection}");
        }
    }
}
