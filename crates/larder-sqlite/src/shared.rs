//! What the handle, the writing thread and the watchers share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{SqliteConfig, counters::Counters, reader::Readers};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SqliteConfig,
    pub(crate) counters: Counters,
    pub(crate) presence: Presence,
    pub(crate) readers: Readers,
}

impl Shared {
    pub(crate) fn new(config: SqliteConfig) -> Self {
        Self {
            readers: Readers::new(&config),
            counters: Counters::default(),
            presence: Presence::default(),
            config,
        }
    }
}

/// Whether the file is still the one that was opened, and whether anybody still wants it.
///
/// The number goes up each time that the file is opened anew; 0 means that there is none.
/// A connection of another number belongs to a file that somebody removed, and is dropped.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    current: AtomicU64,
    closed: AtomicBool,
}

impl Presence {
    /// The number of the file that counts, if there is one.
    pub(crate) fn current(&self) -> Option<u64> {
        let current = self.current.load(Ordering::Acquire);
        (current != 0).then_some(current)
    }

    pub(crate) fn set(&self, number: Option<u64>) {
        self.current.store(number.unwrap_or(0), Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
