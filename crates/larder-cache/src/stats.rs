//! What the engine counted, per keyspace and per tier.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use larder_core::{BackendStats, Counter, StripedCounter};

use crate::histogram::{Histogram, Recorder};

/// Labels beyond this many are counted together, so that a label made of user input can not
/// exhaust the memory.
const KEYSPACES_MAX: usize = 256;
const OVERFLOW: &str = "(other)";

/// The live counters of one keyspace.
#[derive(Debug, Default)]
pub(crate) struct Keyspace {
    pub(crate) near_hits: StripedCounter,
    pub(crate) far_hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) refreshes: Counter,
    pub(crate) bypasses: Counter,
    pub(crate) loads: Counter,
    pub(crate) load_errors: Counter,
    pub(crate) refused: Counter,
    pub(crate) rejected: Counter,
    pub(crate) invalidations: Counter,
    pub(crate) bytes_filled: Counter,
    pub(crate) latency: Recorder,
    /// The latest sample of a near hit: seconds, and in the lower half nanoseconds, because
    /// every near hit reports it and a division is not free.
    near_latency: AtomicU64,
}

impl Keyspace {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(crate) fn near_latency(&self) -> Duration {
        let sample = self.near_latency.load(Ordering::Relaxed);
        Duration::new(sample >> 32, sample as u32)
    }

    pub(crate) fn sample_near(&self, latency: Duration) {
        let seconds = latency.as_secs().min(u64::from(u32::MAX));
        let sample = seconds << 32 | u64::from(latency.subsec_nanos());
        self.near_latency.store(sample, Ordering::Relaxed);
        self.latency.record(latency);
    }

    fn snapshot(&self) -> KeyspaceStats {
        KeyspaceStats {
            near_hits: self.near_hits.sum(),
            far_hits: self.far_hits.get(),
            misses: self.misses.get(),
            refreshes: self.refreshes.get(),
            bypasses: self.bypasses.get(),
            loads: self.loads.get(),
            load_errors: self.load_errors.get(),
            refused: self.refused.get(),
            rejected: self.rejected.get(),
            invalidations: self.invalidations.get(),
            bytes_filled: self.bytes_filled.get(),
            latency: self.latency.snapshot(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<BTreeMap<Arc<str>, Arc<Keyspace>>>);

impl Registry {
    pub(crate) fn keyspace(&self, label: &str) -> Arc<Keyspace> {
        let mut keyspaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keyspaces.contains_key(label) || keyspaces.len() < KEYSPACES_MAX;
        let label = if known { label } else { OVERFLOW };
        if let Some(keyspace) = keyspaces.get(label) {
            return Arc::clone(keyspace);
        }
        let keyspace = Arc::new(Keyspace::default());
        keyspaces.insert(label.into(), Arc::clone(&keyspace));
        keyspace
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<Arc<str>, KeyspaceStats> {
        let keyspaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keyspaces.iter().map(|(label, keyspace)| (Arc::clone(label), keyspace.snapshot())).collect()
    }
}

/// What was counted since the cache was built.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheStats {
    /// Per keyspace, by its label. Beyond 256 labels, the rest is counted as `(other)`.
    pub keyspaces: BTreeMap<Arc<str>, KeyspaceStats>,
    /// The near tier, if there is one.
    pub near: Option<NearStats>,
    /// The far tier, if there is one.
    pub far: Option<FarStats>,
}

/// The counters of one keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyspaceStats {
    /// Answers from the near tier.
    pub near_hits: u64,
    /// Answers from the far tier.
    pub far_hits: u64,
    /// Answers that needed a load, one's own or another caller's.
    pub misses: u64,
    /// Answers that were loaded because the caller insisted.
    pub refreshes: u64,
    /// Answers that did not go through the cache.
    pub bypasses: u64,
    /// Loads that were started.
    pub loads: u64,
    /// Loads that failed.
    pub load_errors: u64,
    /// Fills that the far tier refused, because the key was invalidated during the load or the
    /// lease was lost.
    pub refused: u64,
    /// Far entries that were not served: invalidated, expired, corrupt or foreign.
    pub rejected: u64,
    /// Entries invalidated by key.
    pub invalidations: u64,
    /// Bytes of payload stored in the far tier.
    pub bytes_filled: u64,
    /// How long calls took. Near hits count by their samples, one in 1,024.
    pub latency: Histogram,
}

impl KeyspaceStats {
    /// Answers from either tier.
    #[must_use]
    pub const fn hits(&self) -> u64 {
        self.near_hits + self.far_hits
    }

    /// The share of answers that came from the cache, `0.0..=1.0`; `None` before the first.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn hit_rate(&self) -> Option<f64> {
        let all = self.hits() + self.misses;
        (all > 0).then(|| self.hits() as f64 / all as f64)
    }
}

/// The near tier now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearStats {
    /// Entries held, dead ones included.
    pub entries: u64,
    /// Their weight, in bytes.
    pub weight_bytes: u64,
    /// The limit, in bytes.
    pub weight_bytes_max: u64,
    /// Entries dropped for want of room.
    pub evicted: u64,
}

/// The far tier as the engine saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FarStats {
    /// The backend's own description.
    pub backend: String,
    /// Calls that failed or took too long.
    pub errors: u64,
    /// Calls that were not made because the circuit breaker was open.
    pub skipped: u64,
    /// Values that were not stored because the backend takes no such large ones.
    pub too_large: u64,
    /// Whether the circuit breaker is open now.
    pub is_open: bool,
    /// Invalidations that the far tier has not acknowledged yet.
    pub pending_invalidations: u64,
    /// The backend's own counters.
    pub counters: BackendStats,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_the_limit_are_counted_together() {
        let registry = Registry::default();
        for label in 0..10 * KEYSPACES_MAX {
            registry.keyspace(&label.to_string()).misses.increment();
        }
        let snapshot = registry.snapshot();
        assert_eq!(snapshot.len(), KEYSPACES_MAX + 1);
        assert_eq!(snapshot[OVERFLOW].misses, 9 * KEYSPACES_MAX as u64);
        assert_eq!(snapshot["0"].hit_rate(), Some(0.0));
    }
}
