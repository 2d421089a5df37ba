//! What the backend counts, without a lock on the way of a read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use larder_core::BackendStats;

/// What one transaction did. It counts only once the transaction is committed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) bumps: u64,
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) fills: u64,
    pub(crate) puts: u64,
    pub(crate) refused: u64,
    pub(crate) removed: u64,
    /// Entries and bytes in the file afterwards.
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// Everything but the reads, which each connection counts for itself.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    bumps: AtomicU64,
    evicted: AtomicU64,
    expired: AtomicU64,
    fills: AtomicU64,
    puts: AtomicU64,
    refused: AtomicU64,
    removed: AtomicU64,
    errors: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn add(&self, tally: &Tally) {
        for (counter, more) in [
            (&self.bumps, tally.bumps),
            (&self.evicted, tally.evicted),
            (&self.expired, tally.expired),
            (&self.fills, tally.fills),
            (&self.puts, tally.puts),
            (&self.refused, tally.refused),
            (&self.removed, tally.removed),
        ] {
            counter.fetch_add(more, Relaxed);
        }
        self.entries.store(tally.entries, Relaxed);
        self.bytes.store(tally.bytes, Relaxed);
    }

    pub(crate) fn count_error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    pub(crate) fn stats(&self) -> BackendStats {
        let mut stats = BackendStats::default();
        stats.bumps = self.bumps.load(Relaxed);
        stats.evicted = self.evicted.load(Relaxed);
        stats.expired = self.expired.load(Relaxed);
        stats.fills = self.fills.load(Relaxed);
        stats.puts = self.puts.load(Relaxed);
        stats.refused = self.refused.load(Relaxed);
        stats.removed = self.removed.load(Relaxed);
        stats.errors = self.errors.load(Relaxed);
        stats.entries = Some(self.entries.load(Relaxed));
        stats.bytes = Some(self.bytes.load(Relaxed));
        stats
    }
}
