//! The entries: which of them are live, and what they weigh.
//!
//! Invariant: [`Entries::live`] returns an entry only while its time is not over by the
//! configured clock and its namespace is the current one. moka decides about room, not about
//! truth: what it drops, early or late, is at worst a miss.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use larder_core::{Clock, Key, Tick};
use moka::{Expiry, notification::RemovalCause, sync::Cache};

use crate::{MokaConfig, counters::Counters};

/// What moka keeps per entry beside key and value, in bytes: table, queues, expiry timer.
const OVERHEAD_BYTES: usize = 260;

/// How long after its end an entry is dropped, should nothing else have driven it out. moka
/// measures time by itself, and the configured clock may stand still: the delay keeps the two
/// from disagreeing about an entry that still has time to live.
const RECLAIM_DELAY: Duration = Duration::from_secs(60);

/// The entries of one backend.
#[derive(Debug)]
pub(crate) struct Entries {
    cache: Cache<Key, Entry>,
    /// The number of times that the namespace was cleared. It never returns to an old value and
    /// is seen by this process alone, so a counter serves as the namespace's generation.
    namespace: AtomicU64,
}

/// One stored entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) expires: Tick,
    pub(crate) namespace: u64,
}

impl Entries {
    pub(crate) fn new(config: &MokaConfig, counters: Arc<Counters>) -> Self {
        let count = move |_: Arc<Key>, _: Entry, cause: RemovalCause| match cause {
            RemovalCause::Expired => Counters::add(&counters.expired, 1),
            RemovalCause::Size => Counters::add(&counters.evicted, 1),
            RemovalCause::Explicit | RemovalCause::Replaced => {}
        };
        let cache = Cache::builder()
            .name("larder entries")
            .max_capacity(config.capacity_bytes)
            .weigher(weight)
            .expire_after(Reclaim(Arc::clone(&config.clock)))
            .eviction_listener(count)
            .build();
        Self { cache, namespace: AtomicU64::new(0) }
    }

    /// The generation that an entry or a lease must carry to count.
    pub(crate) fn namespace(&self) -> u64 {
        self.namespace.load(Ordering::SeqCst)
    }

    pub(crate) fn live(&self, key: &Key, now: Tick) -> Option<Entry> {
        self.cache.get(key).filter(|entry| self.is_live(entry, now))
    }

    pub(crate) fn store(&self, key: &Key, entry: Entry) {
        self.cache.insert(*key, entry);
    }

    /// `true` if a live entry was removed.
    pub(crate) fn remove(&self, key: &Key, now: Tick) -> bool {
        self.cache.remove(key).is_some_and(|entry| self.is_live(&entry, now))
    }

    /// Ends the life of every entry and every lease there is.
    pub(crate) fn clear(&self) {
        self.namespace.fetch_add(1, Ordering::SeqCst);
        // From here on nothing old counts; this only gives the memory back, bit by bit.
        self.cache.invalidate_all();
    }

    /// The number of entries and their weight in bytes, dead ones included.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.cache.run_pending_tasks();
        (self.cache.entry_count(), self.cache.weighted_size())
    }

    fn is_live(&self, entry: &Entry, now: Tick) -> bool {
        entry.expires > now && entry.namespace == self.namespace()
    }
}

fn weight(_: &Key, entry: &Entry) -> u32 {
    let bytes = entry.value.len() + size_of::<Key>() + size_of::<Entry>() + OVERHEAD_BYTES;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Tells moka when the memory of an entry may be taken back.
struct Reclaim(Arc<dyn Clock>);

impl Reclaim {
    fn delay(&self, entry: &Entry) -> Option<Duration> {
        Some(entry.expires.since(self.0.now()) + RECLAIM_DELAY)
    }
}

impl Expiry<Key, Entry> for Reclaim {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: Instant) -> Option<Duration> {
        self.delay(entry)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.delay(entry)
    }
}
