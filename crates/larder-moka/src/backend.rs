//! The contract, verb by verb. No verb waits for anything, so none is ever half done when its
//! future is dropped.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, EntryId, Epoch, Error, ErrorKind, FillOutcome,
    Generation, Health, Key, Lease, LeaseOutcome, LeaseRequest, Operation, ReadRequest, Result,
    Snapshot, Stamp, Tag, Tick, Ttl, WatchStream,
};

use crate::{
    MokaConfig,
    counters::Counters,
    entries::{Entries, Entry},
    feed::Feed,
    generations::Generations,
    leases::Leases,
};

const NAME: &str = "moka";

/// A backend whose entries live in this process and end with it.
///
/// Share one handle by `Arc`; two handles are two caches. Nothing runs in the background: moka
/// does its upkeep a little at a time, on the threads that call it.
///
/// # Cancel safety
/// Every verb but [`watch`](CacheBackend::watch)'s stream is done when it is first polled.
pub struct MokaBackend {
    config: MokaConfig,
    epoch: Epoch,
    entries: Entries,
    leases: Leases,
    generations: Generations,
    feed: Feed,
    counters: Arc<Counters>,
}

impl MokaBackend {
    /// An empty backend with the given limits.
    #[must_use]
    pub fn new(config: MokaConfig) -> Self {
        let counters = Arc::new(Counters::default());
        Self {
            epoch: Epoch::random(),
            entries: Entries::new(&config, Arc::clone(&counters)),
            leases: Leases::new(config.leases_max),
            generations: Generations::new(config.tags_max),
            feed: Feed::new(),
            counters,
            config,
        }
    }

    fn now(&self) -> Tick {
        self.config.clock.now()
    }

    const fn stamp(&self, generation: Generation) -> Stamp {
        Stamp { generation, epoch: self.epoch }
    }

    fn check_size(&self, operation: Operation, value: &Bytes) -> Result<()> {
        let limit = self.config.value_limit();
        if value.len() <= limit {
            return Ok(());
        }
        Counters::add(&self.counters.errors, 1);
        Err(Error::new(ErrorKind::TooLarge, NAME, operation)
            .with_detail(format!("{} bytes, the limit is {limit}", value.len())))
    }

    /// Takes a new entry for the current namespace. The namespace is read here, under the lock
    /// of the lane: if a `clear` comes between this and the store, the entry is born dead.
    fn entry(&self, value: Bytes, now: Tick, ttl: Ttl) -> Entry {
        let expires = now.after(ttl.as_duration());
        Entry { value, expires, namespace: self.entries.namespace() }
    }

    fn snapshot(&self, key: &Key, tags: &[Tag]) -> Snapshot {
        let value = self.entries.live(key, self.now()).map(|entry| entry.value);
        Counters::add(&self.counters.reads, 1);
        Counters::add(&self.counters.found, u64::from(value.is_some()));
        let stamp = |tag| self.generations.get(tag).map(|found| self.stamp(found));
        Snapshot::new(value, tags.iter().map(stamp).collect(), self.epoch)
    }

    fn remove_one(&self, key: &Key) -> bool {
        let mut lane = self.leases.lane(key);
        lane.end(key);
        let was_live = self.entries.remove(key, self.now());
        Counters::add(&self.counters.removed, u64::from(was_live));
        was_live
    }
}

#[async_trait]
impl CacheBackend for MokaBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        Ok(self.snapshot(key, tags))
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        let snapshot = |request: &ReadRequest<'_>| self.snapshot(request.key, request.tags);
        Ok(requests.iter().map(snapshot).collect())
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let stamp = |tag: &Tag| self.stamp(self.generations.get_or_create(*tag));
        Ok(tags.iter().map(stamp).collect())
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        let mut lane = self.leases.lane(key);
        let (now, namespace) = (self.now(), self.entries.namespace());
        if let Some(entry) = self.entries.live(key, now) {
            let id = EntryId::peek(&entry.value);
            if id.is_none() || id != request.dead {
                return Ok(LeaseOutcome::Found(entry.value));
            }
        }
        if lane.is_held(key, now, namespace) {
            return Ok(LeaseOutcome::Held);
        }
        let token = lane.grant(key, now, now.after(request.time), namespace);
        Ok(LeaseOutcome::Won(Lease { token, epoch: self.epoch }))
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let mut lane = self.leases.lane(key);
        let now = self.now();
        let held = lane.holds(key, lease.token, now, self.entries.namespace());
        if held {
            lane.renew(key, now.after(time.max(LeaseRequest::MIN_TIME)));
        }
        Ok(held)
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        let mut lane = self.leases.lane(key);
        let held = lane.holds(key, lease.token, self.now(), self.entries.namespace());
        if held {
            lane.end(key);
        }
        Ok(held)
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        self.check_size(Operation::Fill, &value)?;
        let mut lane = self.leases.lane(key);
        let now = self.now();
        let entry = self.entry(value, now, ttl);
        // The entry's own namespace is the one to check: a `clear` after it was read makes the
        // entry dead, and one before it makes the lease lost.
        let held = lane.holds(key, lease.token, now, entry.namespace);
        if lease.epoch != self.epoch || !held {
            Counters::add(&self.counters.refused, 1);
            return Ok(FillOutcome::Refused);
        }
        self.entries.store(key, entry);
        lane.end(key);
        Counters::add(&self.counters.fills, 1);
        Ok(FillOutcome::Stored)
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        self.check_size(Operation::Put, &value)?;
        let mut lane = self.leases.lane(key);
        lane.end(key);
        self.entries.store(key, self.entry(value, self.now(), ttl));
        Counters::add(&self.counters.puts, 1);
        Ok(())
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        self.check_size(Operation::Add, &value)?;
        let mut lane = self.leases.lane(key);
        let now = self.now();
        let absent = self.entries.live(key, now).is_none();
        if absent {
            lane.end(key);
            self.entries.store(key, self.entry(value, now, ttl));
            Counters::add(&self.counters.puts, 1);
        }
        Ok(absent)
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        let _lane = self.leases.lane(key);
        let now = self.now();
        let Some(entry) = self.entries.live(key, now) else {
            return Ok(false);
        };
        // The entry keeps its namespace: a `clear` in between is not to be undone.
        let expires = now.after(ttl.as_duration());
        self.entries.store(key, Entry { expires, ..entry });
        Ok(true)
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        Ok(self.remove_one(key))
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        Ok(keys.iter().filter(|key| self.remove_one(key)).count() as u64)
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let stamp = |tag: &Tag| self.stamp(self.generations.bump(*tag));
        let stamps = tags.iter().map(stamp).collect();
        Counters::add(&self.counters.bumps, tags.len() as u64);
        // Announced after the change: whoever asks anew when it hears of it finds the new state.
        self.feed.announce(tags);
        Ok(stamps)
    }

    async fn clear(&self) -> Result<()> {
        self.entries.clear();
        self.feed.announce_everything();
        Ok(())
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        Ok(self.feed.subscribe(clock))
    }

    async fn epoch(&self) -> Result<Epoch> {
        Ok(self.epoch)
    }

    async fn health(&self) -> Result<Health> {
        let before = self.now();
        let (entries, bytes) = self.entries.size();
        let latency = self.now().since(before);
        Ok(Health::new(latency, format!("moka in this process, {entries} entries, {bytes} bytes")))
    }

    fn stats(&self) -> BackendStats {
        let (entries, bytes) = self.entries.size();
        let mut stats = self.counters.stats();
        stats.entries = Some(entries);
        stats.bytes = Some(bytes);
        stats
    }

    fn capability(&self) -> Capability {
        let mut capability = Capability::protocol_only();
        capability.add = true;
        capability.batch = true;
        capability.clear = true;
        capability.touch = true;
        capability.watch = true;
        capability.value_bytes_max = Some(self.config.value_limit());
        capability
    }
}

impl fmt::Debug for MokaBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MokaBackend").field("config", &self.config).finish_non_exhaustive()
    }
}

impl fmt::Display for MokaBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
