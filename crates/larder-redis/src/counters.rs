//! What the backend counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use larder_core::BackendStats;

/// The counts since the handle was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) found: AtomicU64,
    pub(crate) fills: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) puts: AtomicU64,
    pub(crate) removed: AtomicU64,
    pub(crate) bumps: AtomicU64,
    pub(crate) errors: AtomicU64,
}

/// Adds to a count.
pub(crate) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(more as u64, Relaxed);
}

impl Counters {
    pub(crate) fn stats(&self) -> BackendStats {
        let mut stats = BackendStats::default();
        stats.reads = self.reads.load(Relaxed);
        stats.found = self.found.load(Relaxed);
        stats.fills = self.fills.load(Relaxed);
        stats.refused = self.refused.load(Relaxed);
        stats.puts = self.puts.load(Relaxed);
        stats.removed = self.removed.load(Relaxed);
        stats.bumps = self.bumps.load(Relaxed);
        stats.errors = self.errors.load(Relaxed);
        stats
    }
}
