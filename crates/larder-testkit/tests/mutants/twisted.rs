//! The reference backend with one twist: a planted flaw, or an honest difference that the checkers
//! must put up with.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt as _;
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Health,
    Key, KeySpace, Lease, LeaseOutcome, LeaseRequest, LeaseToken, MemoryBackend, MemoryConfig,
    Operation, ReadRequest, Result, Snapshot, Stamp, Tag, Tick, Ttl, WatchEvent, WatchStream,
    async_trait, bytes::Bytes,
};
use larder_testkit::{Fixture, Time};

use crate::twist::{TWISTS, Twist};

/// A store of [`Twisted`] backends. Its handles are one backend, so it counts as shared and as
/// persistent.
pub(crate) struct Store<const TWIST: usize> {
    time: Time,
    backend: Arc<Twisted>,
}

#[async_trait]
impl<const TWIST: usize> Fixture for Store<TWIST> {
    async fn create() -> Self {
        static ONLY: Mutex<Option<Arc<Twisted>>> = Mutex::new(None);
        let time = match TWISTS[TWIST] {
            Twist::RealTime | Twist::RealTimeForEver => Time::real(),
            _ => Time::manual(),
        };
        let mut backend = Arc::new(Twisted::new(TWISTS[TWIST], &time));
        if TWISTS[TWIST] == Twist::StoresAreShared {
            let mut only = ONLY.lock().unwrap();
            backend = Arc::clone(only.get_or_insert(backend));
        }
        Self { time, backend }
    }

    async fn open(&self) -> Arc<dyn CacheBackend> {
        Arc::<Twisted>::clone(&self.backend)
    }

    fn time(&self) -> Time {
        self.time.clone()
    }

    async fn remaining(&self, key: &Key) -> Option<Duration> {
        self.backend.remaining(key)
    }

    fn may_evict(&self) -> bool {
        self.backend.has(Twist::Forgets)
    }
}

pub(crate) struct Twisted {
    inner: MemoryBackend,
    twist: Twist,
    /// Leases that a flaw keeps alive beyond their end.
    kept: Mutex<HashSet<LeaseToken>>,
    granted: Mutex<Vec<(Key, Lease)>>,
    last_key: Mutex<String>,
    clock: Arc<dyn Clock>,
    /// When entries end, as a server would say it; kept for those whose time is real.
    ends: Mutex<HashMap<Key, Tick>>,
}

impl Twisted {
    fn new(twist: Twist, time: &Time) -> Self {
        let mut config = MemoryConfig::default().with_clock(time.clock());
        config.value_bytes_max = limit(twist) + usize::from(twist == Twist::LimitIsIgnored);
        if twist == Twist::Forgets {
            config.entries_max = 2;
            config.tags_max = 2;
        }
        Self {
            inner: MemoryBackend::new(config),
            twist,
            kept: Mutex::default(),
            granted: Mutex::default(),
            last_key: Mutex::default(),
            clock: time.clock(),
            ends: Mutex::default(),
        }
    }

    fn has(&self, twist: Twist) -> bool {
        self.twist == twist
    }

    fn key(&self, key: &Key) -> Key {
        *self.last_key.lock().unwrap() = key.visible().to_string();
        match self.twist {
            Twist::KeyIsTruncated => {
                let mut digest = *key.digest();
                digest[16..].fill(0);
                Key::from_digest(key.space(), digest)
            }
            Twist::SpaceIsIgnored => Key::from_digest(KeySpace::Object, *key.digest()),
            _ => *key,
        }
    }

    fn tags(&self, tags: &[Tag]) -> Vec<Tag> {
        let cut = |tag: &Tag| {
            let mut bytes = *tag.as_bytes();
            if self.has(Twist::TagIsTruncated) {
                bytes[8..].fill(0);
            }
            Tag::from_bytes(bytes)
        };
        tags.iter().map(cut).collect()
    }

    /// The time of a lease, as coarse as the clock.
    fn lease_time(&self, time: Duration) -> Duration {
        if self.has(Twist::CoarseClock) { whole_seconds(time) } else { time }
    }

    fn unsupported(&self, operation: Operation, lacks: bool) -> Result<()> {
        if lacks || self.has(Twist::ProtocolOnly) {
            return Err(Error::new(ErrorKind::Unsupported, "twisted", operation));
        }
        Ok(())
    }

    fn remaining(&self, key: &Key) -> Option<Duration> {
        let end = *self.ends.lock().unwrap().get(key)?;
        let ends = end < Tick::NEVER;
        Some(if ends { end.since(self.clock.now()) } else { Duration::MAX })
    }

    /// The lifetime that is really given to this entry.
    fn ttl(&self, key: &Key, ttl: Ttl) -> Ttl {
        let kept = self.kept_ttl(ttl);
        let end = match self.twist {
            Twist::RealTime => self.clock.now().after(kept.as_duration()),
            Twist::RealTimeForEver if kept.as_duration() > Duration::from_secs(60) => Tick::NEVER,
            _ => return kept,
        };
        self.ends.lock().unwrap().insert(*key, end);
        kept
    }

    fn kept_ttl(&self, ttl: Ttl) -> Ttl {
        let thirty_days = Duration::from_secs(30 * 24 * 60 * 60);
        match self.twist {
            Twist::CoarseClock => Ttl::new(whole_seconds(ttl.as_duration())).unwrap_or(Ttl::MAX),
            Twist::TtlIsIgnored => Ttl::MAX,
            Twist::TtlRoundsDown => {
                Ttl::new(Duration::from_secs(ttl.as_duration().as_secs())).unwrap_or(Ttl::MIN)
            }
            Twist::LongLifeEndsAtOnce if ttl.as_duration() > thirty_days => Ttl::MIN,
            _ => ttl,
        }
    }

    fn value(&self, mut value: Bytes) -> Bytes {
        if self.has(Twist::ValueIsTruncated) {
            value.truncate(65_535);
        }
        value
    }

    /// Keeps the leases of a key alive for `fill`.
    fn keep_leases(&self, key: &Key) {
        let granted = self.granted.lock().unwrap();
        let of_key = granted.iter().filter(|(leased, _)| leased == key);
        self.kept.lock().unwrap().extend(of_key.map(|(_, lease)| lease.token));
    }
}

#[async_trait]
impl CacheBackend for Twisted {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        let tags = self.tags(tags);
        if self.has(Twist::ReadCreatesGenerations) {
            self.inner.generations(&tags).await?;
        }
        let mut snapshot = self.inner.read(&self.key(key), &tags).await?;
        if self.has(Twist::EmptyIsMiss) {
            snapshot.value = snapshot.value.filter(|value| !value.is_empty());
        }
        if self.has(Twist::EpochIsNotStable) {
            snapshot.epoch = Epoch::random();
        }
        Ok(snapshot)
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::new();
        for request in requests {
            snapshots.push(self.read(request.key, request.tags).await?);
        }
        if self.has(Twist::ReadManyIsUnordered) {
            snapshots.reverse();
        }
        Ok(snapshots)
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let tags = self.tags(tags);
        if !self.has(Twist::CreationIsNotAtomic) {
            return self.inner.generations(&tags).await;
        }
        let mut stamps = Vec::new();
        for tag in tags {
            let seen = self.inner.read(&Key::object("any"), &[tag]).await?.stamps[0];
            tokio::task::yield_now().await;
            let created = match seen {
                Some(stamp) => stamp,
                None => self.inner.bump(&[tag]).await?[0],
            };
            stamps.push(created);
        }
        Ok(stamps)
    }

    async fn lease(&self, key: &Key, mut request: LeaseRequest) -> Result<LeaseOutcome> {
        let key = self.key(key);
        if self.has(Twist::DeadEntryIsFound) {
            request.dead = None;
        }
        request.time = self.lease_time(request.time);
        let mut outcome = self.inner.lease(&key, request).await?;
        if self.has(Twist::LeaseIsGrantedTwice) && outcome == LeaseOutcome::Held {
            outcome = LeaseOutcome::Won(Lease {
                token: LeaseToken::random(),
                epoch: self.inner.epoch().await?,
            });
        }
        if let LeaseOutcome::Won(lease) = outcome {
            self.granted.lock().unwrap().push((key, lease));
        }
        Ok(outcome)
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let key = self.key(key);
        match self.twist {
            Twist::RenewDoesNothing => Ok(true),
            Twist::LeaseOfZeroIsForEver if time.is_zero() => {
                self.inner.renew(&key, lease, Duration::MAX).await
            }
            _ => self.inner.renew(&key, lease, self.lease_time(time)).await,
        }
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        if self.has(Twist::ReleaseDoesNothing) {
            return Ok(true);
        }
        self.inner.release(&self.key(key), lease).await
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        let (ttl, key, value) = (self.ttl(key, ttl), self.key(key), self.value(value));
        let kept = self.kept.lock().unwrap().remove(&lease.token);
        if self.has(Twist::FillIgnoresToken) || kept {
            self.inner.put(&key, value, ttl).await?;
            return Ok(FillOutcome::Stored);
        }
        let mut lease = *lease;
        if self.has(Twist::FillIgnoresEpoch) {
            lease.epoch = self.inner.epoch().await?;
        }
        self.inner.fill(&key, &lease, value, ttl).await
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        let (ttl, key, value) = (self.ttl(key, ttl), self.key(key), self.value(value));
        match self.twist {
            Twist::PutKeepsLease => self.keep_leases(&key),
            Twist::PutIsNotAtomic => {
                self.inner.put(&key, value.slice(..value.len() / 2), ttl).await?;
                tokio::task::yield_now().await;
            }
            _ => {}
        }
        self.inner.put(&key, value, ttl).await
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        self.unsupported(Operation::Add, false)?;
        let (ttl, key, value) = (self.ttl(key, ttl), self.key(key), self.value(value));
        match self.twist {
            Twist::AddOverwrites => {
                self.inner.put(&key, value, ttl).await?;
                Ok(true)
            }
            Twist::AddIsNotAtomic => {
                let absent = self.inner.read(&key, &[]).await?.value.is_none();
                tokio::task::yield_now().await;
                if absent {
                    self.inner.put(&key, value, ttl).await?;
                }
                Ok(absent)
            }
            _ => self.inner.add(&key, value, ttl).await,
        }
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        self.unsupported(Operation::Touch, self.has(Twist::ClaimsWhatItLacks))?;
        let (ttl, key) = (self.ttl(key, ttl), self.key(key));
        match self.twist {
            Twist::TouchDoesNothing => Ok(self.inner.read(&key, &[]).await?.value.is_some()),
            _ => self.inner.touch(&key, ttl).await,
        }
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        let key = self.key(key);
        if self.has(Twist::RemoveKeepsLease) {
            self.keep_leases(&key);
        }
        self.inner.remove(&key).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        let mapped: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        let removed = self.inner.remove_many(&mapped).await?;
        if self.has(Twist::RemoveManyCountsRequests) {
            return Ok(keys.len() as u64);
        }
        Ok(removed)
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        if self.has(Twist::BumpDoesNothing) {
            return self.inner.generations(tags).await;
        }
        self.inner.bump(&self.tags(tags)).await
    }

    async fn clear(&self) -> Result<()> {
        self.unsupported(Operation::Clear, false)?;
        if self.has(Twist::ClearDoesNothing) {
            return Ok(());
        }
        self.inner.clear().await
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        self.unsupported(Operation::Watch, false)?;
        let feed = self.inner.watch(clock).await?;
        if !self.has(Twist::WatchIsDeaf) {
            return Ok(feed);
        }
        let deaf = feed.filter(|event| std::future::ready(matches!(event, WatchEvent::Alive(_))));
        Ok(deaf.boxed())
    }

    async fn epoch(&self) -> Result<Epoch> {
        self.inner.epoch().await
    }

    async fn health(&self) -> Result<Health> {
        self.inner.health().await
    }

    fn stats(&self) -> BackendStats {
        if self.has(Twist::StatsAreEmpty) {
            return BackendStats::default();
        }
        self.inner.stats()
    }

    fn capability(&self) -> Capability {
        let mut capability = self.inner.capability();
        if self.has(Twist::ProtocolOnly) {
            capability = Capability::protocol_only();
        }
        if self.has(Twist::CoarseClock) {
            capability.ttl_resolution = Duration::from_secs(1);
        }
        capability.value_bytes_max = Some(limit(self.twist));
        capability.shared = true;
        capability.persistent = true;
        if self.has(Twist::LacksClaims) {
            capability.add = false;
            capability.watch = false;
        }
        capability
    }
}

impl fmt::Debug for Twisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Twisted");
        if self.has(Twist::DebugShowsKeys) {
            shown.field("last_key", &self.last_key.lock().unwrap());
        }
        shown.finish_non_exhaustive()
    }
}

impl fmt::Display for Twisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("twisted")
    }
}

/// The largest value; small, so that the cases that exceed it are quick.
fn limit(twist: Twist) -> usize {
    match twist {
        Twist::SmallValues => 2 << 10,
        _ => 1 << 20,
    }
}

fn whole_seconds(time: Duration) -> Duration {
    let whole = Duration::from_secs(time.as_secs());
    if whole < time { whole + Duration::from_secs(1) } else { whole }
}
