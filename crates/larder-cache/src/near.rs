//! The near tier: typed values in this process, found by a seeded 64-bit hash.
//!
//! Invariant: the hash only finds, it never decides. An entry is served only after its family
//! and arguments were compared, so a collision, even a constructed one, is a miss.

use std::{
    any::Any,
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

use larder_core::Counter;
use quick_cache::{Lifecycle, Weighter, sync::Cache};

use crate::stats::NearStats;

/// How large the near tier may become.
///
/// ```
/// use larder_cache::Near;
///
/// let near = Near::mebibytes(64).with_typical_entry_bytes(2_048);
/// assert_eq!(near.weight_bytes_max(), 64 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    weight_bytes_max: u64,
    typical_entry_bytes: u64,
}

impl Near {
    /// At most this many bytes, counted by the encoded size of the values plus a fixed overhead
    /// of 256 bytes per entry.
    #[must_use]
    pub const fn bytes(weight_bytes_max: u64) -> Self {
        Self { weight_bytes_max, typical_entry_bytes: 1_024 }
    }

    /// At most this many mebibytes.
    #[must_use]
    pub const fn mebibytes(mebibytes: u64) -> Self {
        Self::bytes(mebibytes.saturating_mul(1 << 20))
    }

    /// Tells how large an entry usually is, in bytes. Default: 1,024. Only the initial layout
    /// depends on it.
    #[must_use]
    pub const fn with_typical_entry_bytes(mut self, bytes: u64) -> Self {
        self.typical_entry_bytes = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// The limit, in bytes.
    #[must_use]
    pub const fn weight_bytes_max(&self) -> u64 {
        self.weight_bytes_max
    }
}

/// What the map holds; the concrete type is `Entry<T>`.
pub(crate) trait Weighted: Any + Send + Sync {
    /// What the entry costs, in bytes.
    fn weight(&self) -> u64;
}

pub(crate) struct NearTier {
    map: Cache<Hash, Arc<dyn Weighted>, Weigh, AlreadyHashed, CountEvictions>,
    evicted: Arc<Counter>,
    weight_bytes_max: u64,
}

/// A 128-bit hash in two words: half the alignment of a `u128`, so that more slots of the map
/// share a cache line.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hash([u64; 2]);

impl Hash {
    #[inline(always)]
    const fn new(hash: u128) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        Self([hash as u64, (hash >> 64) as u64])
    }
}

impl std::hash::Hash for Hash {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// What an entry costs beyond its encoded value, in bytes: the entry's own fields, the map's
/// share, and the difference between encoded and decoded sizes of small values.
pub(crate) const OVERHEAD_BYTES: u64 = 256;

impl NearTier {
    pub(crate) fn new(near: Near) -> Self {
        let evicted = Arc::new(Counter::default());
        let items = near.weight_bytes_max / (near.typical_entry_bytes + OVERHEAD_BYTES);
        let items = usize::try_from(items).unwrap_or(usize::MAX).clamp(16, 1 << 24);
        let map = Cache::with(
            items,
            near.weight_bytes_max,
            Weigh,
            AlreadyHashed,
            CountEvictions(Arc::clone(&evicted)),
        );
        Self { map, evicted, weight_bytes_max: near.weight_bytes_max }
    }

    #[inline(always)]
    pub(crate) fn get(&self, hash: u128) -> Option<Arc<dyn Any + Send + Sync>> {
        self.map.get(&Hash::new(hash)).map(|entry| entry as _)
    }

    /// Stores an entry unless its weight is beyond what a shard of the map may hold.
    pub(crate) fn insert(&self, hash: u128, entry: Arc<dyn Weighted>) {
        let hash = Hash::new(hash);
        // First the predecessor goes, because the map takes a replacement for an eviction.
        self.map.remove(&hash);
        self.map.insert(hash, entry);
    }

    pub(crate) fn remove(&self, hash: u128) {
        self.map.remove(&Hash::new(hash));
    }

    pub(crate) fn clear(&self) {
        self.map.clear();
    }

    pub(crate) fn stats(&self) -> NearStats {
        NearStats {
            entries: self.map.len() as u64,
            weight_bytes: self.map.weight(),
            weight_bytes_max: self.weight_bytes_max,
            evicted: self.evicted.get(),
        }
    }
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Hash, Arc<dyn Weighted>> for Weigh {
    fn weight(&self, _hash: &Hash, entry: &Arc<dyn Weighted>) -> u64 {
        entry.weight()
    }
}

#[derive(Clone)]
struct CountEvictions(Arc<Counter>);

impl Lifecycle<Hash, Arc<dyn Weighted>> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, _state: &mut (), _hash: Hash, _entry: Arc<dyn Weighted>) {
        self.0.increment();
    }
}

/// The keys are hashes already; hashing them again would only cost time.
#[derive(Clone, Default)]
struct AlreadyHashed;

#[derive(Default)]
struct Half(u64);

impl BuildHasher for AlreadyHashed {
    type Hasher = Half;

    #[inline(always)]
    fn build_hasher(&self) -> Half {
        Half::default()
    }
}

impl Hasher for Half {
    #[inline(always)]
    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not reached: the map's keys write one word. Correct nevertheless.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        self.0
    }
}
