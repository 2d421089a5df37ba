//! Where servers are, and how they belong together.

use std::{fmt, path::PathBuf};

/// The port of Redis and Valkey.
pub(crate) const DEFAULT_PORT: u16 = 6379;

/// The port of Sentinel.
pub(crate) const DEFAULT_SENTINEL_PORT: u16 = 26379;

/// Where one server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "Redis listens on nothing else")]
pub enum Address {
    /// A host name or an IP address (an IPv6 address without brackets), and a port.
    Tcp {
        /// The host, which is also the name that a certificate has to carry.
        host: Box<str>,
        /// The port.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// A host and a port.
    #[must_use]
    pub fn tcp(host: impl Into<Box<str>>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// Reads `host:port` as servers write it in redirections; the host may hold colons.
    pub(crate) fn parse_announced(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        // Later servers append a bus port and a host name: `10.0.0.1:6379@16379,host`.
        let port = port.split(['@', ',']).next()?;
        Some(Self::tcp(host, port.parse().ok()?))
    }

    /// The same port of another one's host, if this one has none.
    pub(crate) fn or_host_of(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Tcp { host, port }, Self::Tcp { host: other, .. }) if host.is_empty() => {
                Self::tcp(other.clone(), port)
            }
            (own, _) => own,
        }
    }

    /// Whether what is sent there stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp { host, .. } => {
                let ip = host.parse::<std::net::IpAddr>();
                &**host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
            }
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// How the servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deployment {
    /// A Redis Cluster, with some of its nodes to ask for the others.
    Cluster(Vec<Address>),
    /// A master that Sentinels watch.
    Sentinel {
        /// The Sentinels; one that answers is enough.
        sentinels: Vec<Address>,
        /// The name under which they know the master.
        master: String,
    },
    /// One server. It has to be a master; replicas beside it are its own affair.
    Single(Address),
}

impl Deployment {
    /// Every address that the configuration names.
    pub(crate) fn addresses(&self) -> &[Address] {
        match self {
            Self::Cluster(seeds) => seeds,
            Self::Sentinel { sentinels, .. } => sentinels,
            Self::Single(address) => std::slice::from_ref(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_addresses_are_read_as_servers_write_them() {
        for (text, address) in [
            ("10.0.0.1:6379", Some(Address::tcp("10.0.0.1", 6379))),
            ("10.0.0.1:6379@16379", Some(Address::tcp("10.0.0.1", 6379))),
            ("10.0.0.1:6379@16379,cache.example", Some(Address::tcp("10.0.0.1", 6379))),
            ("::1:7000", Some(Address::tcp("::1", 7000))),
            (":7000", Some(Address::tcp("", 7000))),
            ("nowhere", None),
            ("host:port", None),
        ] {
            assert_eq!(Address::parse_announced(text), address, "{text}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_is_local() {
        for (host, local) in
            [("localhost", true), ("127.0.0.9", true), ("::1", true), ("10.0.0.1", false)]
        {
            assert_eq!(Address::tcp(host, 1).is_local(), local, "{host}");
        }
    }
}
