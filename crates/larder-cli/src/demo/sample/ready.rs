//! A sample that can be asked.

use std::{path::PathBuf, time::Duration};

use super::{dialect::Dialect, server::Lock, spec::Spec};

/// A sample that is ready, and nobody else's for as long as this lives.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Its path, or its URL without credentials.
    pub(crate) shown: String,
    /// Its URL, with its password.
    pub(super) url: String,
    /// Where the cache file lies unless told otherwise; `None` if there is no place for one.
    pub(crate) cache: Option<PathBuf>,
    pub(crate) dialect: Dialect,
    pub(crate) spec: Spec,
    pub(crate) checksum: String,
    /// `None` if it was there already.
    pub(crate) build_time: Option<Duration>,
    pub(crate) size_bytes: u64,
    pub(super) hold: Hold,
}

/// What keeps other demos away.
#[derive(Debug)]
pub(super) enum Hold {
    File { _lock: std::fs::File },
    Server(Box<Lock>),
}

impl Sample {
    /// What it is connected to by. It may hold a password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it lies in tables of a server.
    pub(crate) const fn is_on_server(&self) -> bool {
        matches!(self.hold, Hold::Server(_))
    }

    /// Lets other demos have it.
    pub(crate) async fn release(self) {
        if let Hold::Server(lock) = self.hold {
            lock.release().await;
        }
    }
}
