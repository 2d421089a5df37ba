//! The reference backend: the contract, executable, in one mutex.
//!
//! It is written to be read and to be compared with, not to be fast. Invariant: an entry or a
//! lease counts only while its namespace generation is the current one and its time is not over.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::broadcast;

use crate::{
    BackendStats, CacheBackend, Capability, Clock, EntryId, Epoch, Error, ErrorKind, FillOutcome,
    Generation, Health, Key, Lease, LeaseOutcome, LeaseRequest, LeaseToken, Operation, ReadRequest,
    Result, Snapshot, Stamp, SystemClock, Tag, Tick, Ttl, WatchEvent, WatchStream,
};

const NAME: &str = "memory";

/// The limits of a [`MemoryBackend`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemoryConfig {
    /// The most entries, and the most leases, held at once. Default: 100,000.
    pub entries_max: usize,
    /// The most tags whose generation is remembered. Default: 100,000.
    pub tags_max: usize,
    /// The largest value, in bytes. Default: 16 MiB.
    pub value_bytes_max: usize,
    /// Where the time comes from. Default: [`SystemClock`].
    pub clock: Arc<dyn Clock>,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            entries_max: 100_000,
            tags_max: 100_000,
            value_bytes_max: 16 << 20,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl MemoryConfig {
    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the most entries.
    #[must_use]
    pub const fn with_entries_max(mut self, entries_max: usize) -> Self {
        self.entries_max = entries_max;
        self
    }
}

/// The reference backend.
///
/// Its entries live in this process and end with it. When it is full, the entry that would
/// expire first makes room, found by a walk over all of them: take `larder-moka` for service.
pub struct MemoryBackend {
    config: MemoryConfig,
    epoch: Epoch,
    state: Mutex<State>,
    feed: broadcast::Sender<Vec<Tag>>,
}

#[derive(Debug)]
struct State {
    namespace: Generation,
    entries: HashMap<Key, Entry>,
    leases: HashMap<Key, Held>,
    generations: BTreeMap<Tag, Generation>,
    stats: BackendStats,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    expires: Tick,
    namespace: Generation,
}

#[derive(Debug)]
struct Held {
    token: LeaseToken,
    expires: Tick,
    namespace: Generation,
}

impl MemoryBackend {
    /// An empty backend with the given limits.
    #[must_use]
    pub fn new(config: MemoryConfig) -> Self {
        let state = State {
            namespace: Generation::random(),
            entries: HashMap::new(),
            leases: HashMap::new(),
            generations: BTreeMap::new(),
            stats: BackendStats::default(),
        };
        let (feed, _) = broadcast::channel(1_024);
        Self { config, epoch: Epoch::random(), state: Mutex::new(state), feed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, so a panic elsewhere does not taint it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiry(&self, time: Duration) -> Tick {
        self.config.clock.now().after(time)
    }

    fn check_size(&self, operation: Operation, value: &Bytes) -> Result<()> {
        if value.len() <= self.config.value_bytes_max {
            return Ok(());
        }
        self.state().stats.errors += 1;
        let limit = self.config.value_bytes_max;
        Err(Error::new(ErrorKind::TooLarge, NAME, operation)
            .with_detail(format!("{} bytes, the limit is {limit}", value.len())))
    }

    fn stamp(&self, generation: Generation) -> Stamp {
        Stamp { generation, epoch: self.epoch }
    }
}

impl State {
    fn live_entry(&self, key: &Key, now: Tick) -> Option<&Entry> {
        self.entries
            .get(key)
            .filter(|entry| entry.expires > now && entry.namespace == self.namespace)
    }

    fn holds(&self, key: &Key, token: LeaseToken, now: Tick) -> bool {
        self.live_lease(key, now).is_some_and(|held| held.token == token)
    }

    fn live_lease(&self, key: &Key, now: Tick) -> Option<&Held> {
        self.leases.get(key).filter(|held| held.expires > now && held.namespace == self.namespace)
    }

    fn store(&mut self, key: &Key, value: Bytes, expires: Tick, now: Tick, entries_max: usize) {
        self.leases.remove(key);
        if entries_max == 0 {
            return;
        }
        let entry = Entry { value, expires, namespace: self.namespace };
        self.entries.insert(*key, entry);
        if self.entries.len() > entries_max {
            self.make_room(key, now);
        }
    }

    /// Drops everything dead or, if nothing is, the other entry that would expire first.
    fn make_room(&mut self, newcomer: &Key, now: Tick) {
        let before = self.entries.len();
        let namespace = self.namespace;
        self.entries.retain(|_, entry| entry.expires > now && entry.namespace == namespace);
        self.stats.expired += (before - self.entries.len()) as u64;
        if self.entries.len() < before {
            return;
        }
        let others = self.entries.iter().filter(|(key, _)| *key != newcomer);
        let victim = others.min_by_key(|(_, entry)| entry.expires).map(|(key, _)| *key);
        if let Some(victim) = victim {
            self.entries.remove(&victim);
            self.stats.evicted += 1;
        }
    }

    /// Ends the lease that would end first, if there is no room. Its holder's fill is refused.
    fn make_room_for_lease(&mut self, now: Tick, leases_max: usize) {
        if self.leases.len() < leases_max {
            return;
        }
        let namespace = self.namespace;
        self.leases.retain(|_, held| held.expires > now && held.namespace == namespace);
        if self.leases.len() >= leases_max {
            let first = self.leases.iter().min_by_key(|(_, held)| held.expires);
            if let Some(key) = first.map(|(key, _)| *key) {
                self.leases.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &Key, now: Tick) -> bool {
        self.leases.remove(key);
        let was_live = self.live_entry(key, now).is_some();
        self.entries.remove(key);
        self.stats.removed += u64::from(was_live);
        was_live
    }

    /// Forgetting generations is safe at any time: a missing one is a miss.
    fn set_generation(&mut self, tag: Tag, tags_max: usize) -> Generation {
        if self.generations.len() >= tags_max && !self.generations.contains_key(&tag) {
            self.generations.pop_first();
        }
        let generation = Generation::random();
        self.generations.insert(tag, generation);
        generation
    }
}

#[async_trait]
impl CacheBackend for MemoryBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        let now = self.config.clock.now();
        let mut state = self.state();
        let value = state.live_entry(key, now).map(|entry| entry.value.clone());
        state.stats.reads += 1;
        state.stats.found += u64::from(value.is_some());
        let generation = |tag| state.generations.get(tag).map(|found| self.stamp(*found));
        let stamps = tags.iter().map(generation).collect();
        Ok(Snapshot::new(value, stamps, self.epoch))
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(requests.len());
        for ReadRequest { key, tags } in requests {
            snapshots.push(self.read(key, tags).await?);
        }
        Ok(snapshots)
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let mut state = self.state();
        let mut stamps = Vec::with_capacity(tags.len());
        for tag in tags {
            let known = state.generations.get(tag).copied();
            let current = known.unwrap_or_else(|| state.set_generation(*tag, self.config.tags_max));
            stamps.push(self.stamp(current));
        }
        Ok(stamps)
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        let now = self.config.clock.now();
        let mut state = self.state();
        if let Some(entry) = state.live_entry(key, now) {
            let id = EntryId::peek(&entry.value);
            if id.is_none() || id != request.dead {
                return Ok(LeaseOutcome::Found(entry.value.clone()));
            }
        }
        if state.live_lease(key, now).is_some() {
            return Ok(LeaseOutcome::Held);
        }
        state.make_room_for_lease(now, self.config.entries_max);
        let token = LeaseToken::random();
        let namespace = state.namespace;
        state.leases.insert(*key, Held { token, expires: now.after(request.time), namespace });
        Ok(LeaseOutcome::Won(Lease { token, epoch: self.epoch }))
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let now = self.config.clock.now();
        let mut state = self.state();
        let held = state.holds(key, lease.token, now);
        if held && let Some(slot) = state.leases.get_mut(key) {
            slot.expires = now.after(time.max(LeaseRequest::MIN_TIME));
        }
        Ok(held)
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        let now = self.config.clock.now();
        let mut state = self.state();
        let held = state.holds(key, lease.token, now);
        if held {
            state.leases.remove(key);
        }
        Ok(held)
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        self.check_size(Operation::Fill, &value)?;
        let now = self.config.clock.now();
        let mut state = self.state();
        if lease.epoch != self.epoch || !state.holds(key, lease.token, now) {
            state.stats.refused += 1;
            return Ok(FillOutcome::Refused);
        }
        state.store(key, value, now.after(ttl.as_duration()), now, self.config.entries_max);
        state.stats.fills += 1;
        Ok(FillOutcome::Stored)
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        self.check_size(Operation::Put, &value)?;
        let expires = self.expiry(ttl.as_duration());
        let now = self.config.clock.now();
        let mut state = self.state();
        state.store(key, value, expires, now, self.config.entries_max);
        state.stats.puts += 1;
        Ok(())
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        self.check_size(Operation::Add, &value)?;
        let now = self.config.clock.now();
        let mut state = self.state();
        let absent = state.live_entry(key, now).is_none();
        if absent {
            state.store(key, value, now.after(ttl.as_duration()), now, self.config.entries_max);
            state.stats.puts += 1;
        }
        Ok(absent)
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        let now = self.config.clock.now();
        let mut state = self.state();
        let live = state.live_entry(key, now).is_some();
        if live && let Some(entry) = state.entries.get_mut(key) {
            entry.expires = now.after(ttl.as_duration());
        }
        Ok(live)
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        let now = self.config.clock.now();
        Ok(self.state().remove(key, now))
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        let now = self.config.clock.now();
        let mut state = self.state();
        Ok(keys.iter().filter(|key| state.remove(key, now)).count() as u64)
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let mut state = self.state();
        let mut stamps = Vec::with_capacity(tags.len());
        for tag in tags {
            let generation = state.set_generation(*tag, self.config.tags_max);
            stamps.push(self.stamp(generation));
        }
        state.stats.bumps += tags.len() as u64;
        if !tags.is_empty() {
            // Sent under the lock, so that the feed has the order of the bumps. Nobody listening
            // is no error.
            let _ = self.feed.send(tags.to_vec());
        }
        Ok(stamps)
    }

    async fn clear(&self) -> Result<()> {
        let mut state = self.state();
        state.namespace = Generation::random();
        // No tags at all stand for "everything" on this channel.
        let _ = self.feed.send(Vec::new());
        Ok(())
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        let feed = self.feed.subscribe();
        Ok(stream::unfold((feed, clock), |(mut feed, clock)| async {
            let event = next_event(&mut feed, &*clock).await?;
            Some((event, (feed, clock)))
        })
        .boxed())
    }

    async fn epoch(&self) -> Result<Epoch> {
        Ok(self.epoch)
    }

    async fn health(&self) -> Result<Health> {
        let before = self.config.clock.now();
        let entries = self.state().entries.len();
        let latency = self.config.clock.now().since(before);
        Ok(Health::new(latency, format!("memory, {entries} entries")))
    }

    fn stats(&self) -> BackendStats {
        let state = self.state();
        let bytes = state.entries.values().map(|entry| entry.value.len() as u64).sum();
        BackendStats {
            entries: Some(state.entries.len() as u64),
            bytes: Some(bytes),
            ..state.stats
        }
    }

    fn capability(&self) -> Capability {
        Capability {
            add: true,
            batch: true,
            clear: true,
            persistent: false,
            shared: false,
            touch: true,
            watch: true,
            value_bytes_max: Some(self.config.value_bytes_max),
            ttl_resolution: Duration::from_millis(1),
        }
    }
}

/// How often a silent feed says that it is alive.
const ALIVE_INTERVAL: Duration = Duration::from_millis(250);

async fn next_event(
    feed: &mut broadcast::Receiver<Vec<Tag>>,
    clock: &dyn Clock,
) -> Option<WatchEvent> {
    use broadcast::error::{RecvError, TryRecvError};

    let received = match tokio::time::timeout(ALIVE_INTERVAL, feed.recv()).await {
        Ok(received) => received,
        Err(_silence) => {
            // The tick comes first: what was bumped before it is in the channel by now.
            let tick = clock.now();
            match feed.try_recv() {
                Err(TryRecvError::Empty) => return Some(WatchEvent::Alive(tick)),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Ok(tags) => Ok(tags),
            }
        }
    };
    match received {
        Ok(tags) if tags.is_empty() => Some(WatchEvent::Reset),
        Ok(tags) => Some(WatchEvent::Bumped(tags)),
        Err(RecvError::Lagged(_)) => Some(WatchEvent::Reset),
        Err(RecvError::Closed) => None,
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend").field("config", &self.config).finish_non_exhaustive()
    }
}

impl fmt::Display for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
