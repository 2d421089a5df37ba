//! What a server says about itself in `INFO`, as far as it matters here.

use std::{collections::HashMap, fmt};

use larder_core::Epoch;
use redis::Value;

use crate::error::Trouble;

/// The sections of an answer to `INFO`, as names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Info(HashMap<Box<str>, Box<str>>);

impl Info {
    /// Adds what a server answered.
    pub(crate) fn absorb(&mut self, answer: &Value) -> Result<(), Trouble> {
        let text = match answer {
            Value::BulkString(bytes) => String::from_utf8_lossy(bytes),
            Value::VerbatimString { text, .. } => text.as_str().into(),
            Value::ServerError(error) => return Err(Trouble::Server(error.clone())),
            _ => return Err(Trouble::Answer("INFO was answered with something else")),
        };
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        self.0.extend(fields.map(|(name, value)| (name.into(), value.trim_end().into())));
        Ok(())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

/// Who answers at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) product: Product,
    pub(crate) version: Version,
    pub(crate) mode: Mode,
    /// What the process that answers and its history are called.
    pub(crate) epoch: Epoch,
    pub(crate) replication_id: Box<str>,
}

/// Who made the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Redis,
    Valkey,
}

/// Whether the server is part of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Cluster,
    Standalone,
}

/// A version of a server, for comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

/// What a server can do beyond the oldest one that we speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Natives {
    /// `SET … IFEQ`: a write if the value is still the same.
    pub(crate) set_if_equal: bool,
    /// A removal if the value is still the same, by either name.
    pub(crate) delete_if_equal: Option<DeleteIfEqual>,
}

/// The command that removes a key if its value is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeleteIfEqual {
    /// `DELEX key IFEQ value`
    Delex,
    /// `DELIFEQ key value`
    Delifeq,
}

/// The oldest server that is tested; older ones get no more security fixes.
const OLDEST: Version = Version(6, 2, 0);

impl Server {
    /// Reads the sections `server` and `replication`.
    pub(crate) fn from_info(info: &Info) -> Result<Self, Trouble> {
        let missing = Trouble::Answer("INFO does not say who answers");
        let compatible = info.text("redis_version").ok_or_else(|| missing.clone())?;
        let is_recent = Version::parse(compatible).is_some_and(|version| version >= OLDEST);
        if !is_recent {
            return Err(Trouble::TooOld(shown(compatible).into()));
        }
        let (product, version) = match info.text("valkey_version") {
            Some(version) => (Product::Valkey, version),
            None => (Product::Redis, compatible),
        };
        let mode = match info.text("redis_mode") {
            Some("cluster") => Mode::Cluster,
            _ => Mode::Standalone,
        };
        let run_id = info.text("run_id").ok_or_else(|| missing.clone())?;
        let replication_id = info.text("master_replid").ok_or_else(|| missing.clone())?;
        Ok(Self {
            product,
            version: Version::parse(version).ok_or(missing)?,
            mode,
            epoch: Epoch::derive(&[run_id.as_bytes(), replication_id.as_bytes()]),
            replication_id: replication_id.into(),
        })
    }

    pub(crate) fn natives(&self) -> Natives {
        let (set, delete) = match self.product {
            Product::Redis => {
                let has = self.version >= Version(8, 4, 0);
                (has, has.then_some(DeleteIfEqual::Delex))
            }
            Product::Valkey => {
                let has_delete = self.version >= Version(9, 0, 0);
                (self.version >= Version(8, 1, 0), has_delete.then_some(DeleteIfEqual::Delifeq))
            }
        };
        Natives { set_if_equal: set, delete_if_equal: delete }
    }
}

/// Whether the section `replication` speaks of a master, and how many replicas follow it.
pub(crate) fn replicas_of_master(info: &Info) -> Result<u64, Trouble> {
    match info.text("role") {
        Some("master") => Ok(info.number("connected_slaves").unwrap_or_default()),
        Some(_) => Err(Trouble::Replica),
        None => Err(Trouble::Answer("INFO does not say which role the server has")),
    }
}

impl Version {
    /// Reads `7.0.15`, and `255.255.255` and `7.2.4-rc1` as well.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']);
        let mut next = || parts.next()?.parse().ok();
        let (major, minor) = (next()?, next()?);
        Some(Self(major, minor, next().unwrap_or_default()))
    }
}

/// A version as a server wrote it, if it looks like one: it will be part of a message.
fn shown(version: &str) -> &str {
    let is_plain = version.len() <= 20
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    if is_plain { version } else { "that can not be read" }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let product = match self.product {
            Product::Redis => "Redis",
            Product::Valkey => "Valkey",
        };
        write!(f, "{product} {}", self.version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use larder_core::ErrorKind;

    use super::*;

    fn info(text: &str) -> Info {
        let mut info = Info::default();
        info.absorb(&Value::BulkString(text.into())).unwrap();
        info
    }

    fn server(versions: &str) -> Result<Server, Trouble> {
        Server::from_info(&info(&format!(
            "# Server\r\n{versions}\r\nredis_mode:standalone\r\nrun_id:a\r\nmaster_replid:b\r\n"
        )))
    }

    #[test]
    fn old_servers_are_refused_with_their_version() {
        for version in ["6.0.16", "5.0.3", "2.8.4", "nonsense", "6"] {
            let trouble = server(&format!("redis_version:{version}")).unwrap_err();
            assert_eq!(trouble.kind(), ErrorKind::Unsupported, "{version}");
        }
        for version in ["6.2.0", "6.2.20", "7.0.15", "8.0.6", "255.255.255"] {
            assert!(server(&format!("redis_version:{version}")).is_ok(), "{version}");
        }
        let missing = server("other:1").unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Protocol);
    }

    #[test]
    fn products_and_their_own_commands_are_told_apart() {
        let valkey = |version| format!("redis_version:7.2.4\r\nvalkey_version:{version}");
        let redis = |version| format!("redis_version:{version}");
        for (versions, shown, set, delete) in [
            (redis("7.0.15"), "Redis 7.0.15", false, None),
            (redis("8.2.1"), "Redis 8.2.1", false, None),
            (redis("8.4.0"), "Redis 8.4.0", true, Some(DeleteIfEqual::Delex)),
            (valkey("8.0.1"), "Valkey 8.0.1", false, None),
            (valkey("8.1.0"), "Valkey 8.1.0", true, None),
            (valkey("9.0.0"), "Valkey 9.0.0", true, Some(DeleteIfEqual::Delifeq)),
        ] {
            let server = server(&versions).unwrap();
            let natives = Natives { set_if_equal: set, delete_if_equal: delete };
            assert_eq!((server.to_string().as_str(), server.natives()), (shown, natives));
        }
    }

    #[test]
    fn a_master_is_told_from_a_replica() {
        let role = |text| replicas_of_master(&info(text));
        assert_eq!(role("role:master\r\nconnected_slaves:2\r\n").unwrap(), 2);
        assert_eq!(role("role:master\r\n").unwrap(), 0);
        assert_eq!(role("role:slave\r\n").unwrap_err().kind(), ErrorKind::ReadOnly);
        assert_eq!(role("").unwrap_err().kind(), ErrorKind::Protocol);
    }

    #[test]
    fn the_epoch_changes_with_the_process_and_with_its_history() {
        let epoch = |run: &str, history: &str| {
            let text = format!("redis_version:7.0.0\r\nrun_id:{run}\r\nmaster_replid:{history}");
            Server::from_info(&info(&text)).unwrap().epoch
        };
        assert_eq!(epoch("a", "b"), epoch("a", "b"));
        assert_ne!(epoch("a", "b"), epoch("a", "c"));
        assert_ne!(epoch("a", "b"), epoch("c", "b"));
    }
}
