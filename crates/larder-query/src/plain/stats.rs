//! What plain mode counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one [`PlainQueries`](super::PlainQueries) and its clones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainStats {
    /// Answers from the store.
    pub hits: u64,
    /// Answers that were loaded because the store had none.
    pub misses: u64,
    /// Answers that were loaded because the caller insisted.
    pub refreshes: u64,
    /// Answers that were loaded past the store because their statement may not be cached.
    pub bypasses: u64,
    /// Entries stored.
    pub stored: u64,
    /// Answers that were not stored because an invalidation came in between.
    pub superseded: u64,
    /// Answers that were not stored because JSON has no form for one of their numbers.
    pub unstorable: u64,
    /// Entries that were no list of objects with the same names.
    pub malformed: u64,
    /// Reads of the store that failed or took too long.
    pub read_errors: u64,
    /// Writes to the store that failed or took too long.
    pub store_errors: u64,
    /// Calls that left out the store because it had failed shortly before.
    pub skipped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters behind [`PlainStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) refreshes: Counter,
    pub(super) bypasses: Counter,
    pub(super) stored: Counter,
    pub(super) superseded: Counter,
    pub(super) unstorable: Counter,
    pub(super) malformed: Counter,
    pub(super) read_errors: Counter,
    pub(super) store_errors: Counter,
    pub(super) skipped: Counter,
}

impl Counters {
    pub(super) fn snapshot(&self) -> PlainStats {
        PlainStats {
            hits: self.hits.get(),
            misses: self.misses.get(),
            refreshes: self.refreshes.get(),
            bypasses: self.bypasses.get(),
            stored: self.stored.get(),
            superseded: self.superseded.get(),
            unstorable: self.unstorable.get(),
            malformed: self.malformed.get(),
            read_errors: self.read_errors.get(),
            store_errors: self.store_errors.get(),
            skipped: self.skipped.get(),
        }
    }
}
