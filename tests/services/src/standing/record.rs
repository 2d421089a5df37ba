//! What stands, written down line by line, so that a later process finds exactly that.
//!
//! Guards that no other process is taken for a server: a process is known by its id together
//! with the time of its start, which no later process with the same id has.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use crate::{
    client::{Address, Probe},
    error::{Error, Result},
    setup::Setup,
    tree,
};

/// One line of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A process.
    Server { name: String, pid: u32, started_at: u64, signal: i32, probe: Probe },
    /// How the servers of a setup are reached.
    Url { setup: Setup, url: String },
}

impl Entry {
    /// A process that has just been started; `None` if it is gone already.
    pub(crate) fn of(name: &str, pid: u32, signal: Signal, probe: &Probe) -> Option<Self> {
        let started_at = tree::started_at(pid)?;
        let (name, probe) = (name.to_owned(), probe.clone());
        Some(Self::Server { name, pid, started_at, signal: signal.as_raw(), probe })
    }

    /// Whether it is a process, and that very process is there.
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Self::Server { pid, started_at, .. } => tree::started_at(*pid) == Some(*started_at),
            Self::Url { .. } => false,
        }
    }

    /// The setup that it belongs to: a server's name begins with it.
    pub(crate) fn setup(&self) -> Option<Setup> {
        match self {
            Self::Server { name, .. } => name.split('-').next()?.parse().ok(),
            Self::Url { setup, .. } => Some(*setup),
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Server { name, pid, started_at, signal, probe } => {
                let (kind, address) = match probe {
                    Probe::Memcached(address) => ("memcached", address),
                    Probe::Mysql(address) => ("mysql", address),
                    Probe::Postgres(address) => ("postgres", address),
                    Probe::Redis(address) => ("redis", address),
                };
                let address = match address {
                    Address::Port(port) => port.to_string(),
                    Address::Socket(path) => path.display().to_string(),
                };
                format!("server\t{name}\t{pid}\t{started_at}\t{signal}\t{kind}\t{address}\n")
            }
            Self::Url { setup, url } => format!("url\t{setup}\t{url}\n"),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["server", name, pid, started_at, signal, kind, address] => {
                let address = match address.parse() {
                    Ok(port) => Address::Port(port),
                    Err(_) => Address::Socket(PathBuf::from(address)),
                };
                let probe = match kind {
                    "memcached" => Probe::Memcached(address),
                    "mysql" => Probe::Mysql(address),
                    "postgres" => Probe::Postgres(address),
                    "redis" => Probe::Redis(address),
                    _ => return None,
                };
                Some(Self::Server {
                    name: name.to_owned(),
                    pid: pid.parse().ok()?,
                    started_at: started_at.parse().ok()?,
                    signal: signal.parse().ok()?,
                    probe,
                })
            }
            ["url", setup, url] => {
                Some(Self::Url { setup: setup.parse().ok()?, url: url.to_owned() })
            }
            _ => None,
        }
    }
}

/// Adds a line.
pub(crate) fn note(folder: &Path, entry: &Entry) -> Result<()> {
    let path = folder.join(NAME);
    let file = File::options().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(entry.line().as_bytes())).map_err(Error::file(&path))
}

/// All lines. What can not be read as one of ours is none.
pub(crate) fn read(folder: &Path) -> Result<Vec<Entry>> {
    let path = folder.join(NAME);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(Entry::parse).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::file(&path)(error)),
    }
}

/// Replaces all lines, in one step.
pub(crate) fn write(folder: &Path, entries: &[Entry]) -> Result<()> {
    let (path, partial) = (folder.join(NAME), folder.join("record.partial"));
    let text: String = entries.iter().map(Entry::line).collect();
    fs::write(&partial, text).map_err(Error::file(&partial))?;
    fs::rename(&partial, &path).map_err(Error::file(&path))
}

const NAME: &str = "record";

#[cfg(test)]
mod tests {
    use super::*;

    fn server(pid: u32, started_at: u64) -> Entry {
        let probe = Probe::Redis(Address::Socket("/run/redis 1/sock".into()));
        let name = "redis_cluster-4".to_owned();
        Entry::Server { name, pid, started_at, signal: Signal::TERM.as_raw(), probe }
    }

    #[test]
    fn a_line_says_everything() {
        let url = "postgres://larder:larder@127.0.0.1:1/larder".to_owned();
        for entry in [
            server(42, 990),
            Entry::Url { setup: Setup::Postgres, url },
            Entry::Server {
                name: "mysql".to_owned(),
                pid: 1,
                started_at: 2,
                signal: 15,
                probe: Probe::Mysql(Address::Port(10_306)),
            },
        ] {
            assert_eq!(Entry::parse(entry.line().trim_end()), Some(entry));
        }
        assert_eq!(server(1, 1).setup(), Some(Setup::RedisCluster));
        for line in ["", "server\tredis\tx", "url\tredis", "url\tnobody\tx"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_later_process_with_the_same_id_is_another_one() {
        let own = std::process::id();
        let started_at = tree::started_at(own).expect("we run");
        assert!(server(own, started_at).is_alive());
        assert!(!server(own, started_at + 1).is_alive());
    }
}
