//! What this handle did, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use larder_core::BackendStats;

/// Counters that threads add to without waiting for each other.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bumps: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) fills: AtomicU64,
    pub(crate) found: AtomicU64,
    pub(crate) puts: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) removed: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Relaxed);
    }

    /// What a server evicts, expires and holds it does not tell without being asked.
    pub(crate) fn stats(&self) -> BackendStats {
        let mut stats = BackendStats::default();
        stats.bumps = self.bumps.load(Relaxed);
        stats.errors = self.errors.load(Relaxed);
        stats.fills = self.fills.load(Relaxed);
        stats.found = self.found.load(Relaxed);
        stats.puts = self.puts.load(Relaxed);
        stats.reads = self.reads.load(Relaxed);
        stats.refused = self.refused.load(Relaxed);
        stats.removed = self.removed.load(Relaxed);
        stats
    }
}
