//! What every case works with: a handle whose verbs must answer, and the rules about lifetimes.
//!
//! The one place where a backend's error turns into a failed test.

use std::{fmt::Debug, sync::Arc, time::Duration};

use bytes::Bytes;
use larder_core::{
    CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Key, Lease,
    LeaseOutcome, LeaseRequest, ReadRequest, Snapshot, Stamp, Tag, Tick, Ttl, WatchStream,
};

use crate::{Fixture, Time};

/// A lifetime that no case outlives by accident.
pub(crate) const LONG: Duration = Duration::from_secs(3_600);

/// How far a server's clock may differ from ours over the few seconds that a case waits.
const REAL_MARGIN: Duration = Duration::from_millis(100);

/// The longest that a case waits where time can not be moved.
const REAL_PATIENCE: Duration = Duration::from_secs(5);

/// A store, one handle on it, and its time.
pub(crate) struct Bench<'a> {
    pub(crate) fixture: &'a dyn Fixture,
    pub(crate) cache: Handle,
    pub(crate) capability: Capability,
    pub(crate) time: Time,
}

impl<'a> Bench<'a> {
    pub(crate) async fn open(fixture: &'a dyn Fixture) -> Self {
        let backend = fixture.open().await;
        Self {
            fixture,
            capability: backend.capability(),
            cache: Handle(backend),
            time: fixture.time(),
        }
    }

    pub(crate) async fn second(&self) -> Handle {
        Handle(self.fixture.open().await)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.time.clock()
    }

    pub(crate) fn now(&self) -> Tick {
        self.clock().now()
    }

    /// The longest that something of this lifetime may last: rounded up to the resolution, plus
    /// the one tick that a coarse clock needs so as not to be early.
    pub(crate) fn longest(&self, lifetime: Duration) -> Duration {
        longest(lifetime, self.capability.ttl_resolution)
    }

    /// Whether a case can wait until something of this lifetime is over.
    pub(crate) fn can_outlast(&self, lifetime: Duration) -> bool {
        self.time.is_manual() || self.longest(lifetime) <= REAL_PATIENCE
    }

    /// Lets time pass until something of this lifetime, begun before now, is over for certain.
    pub(crate) async fn outlast(&self, lifetime: Duration) {
        self.time.pass(self.longest(lifetime) + self.margin()).await;
    }

    pub(crate) fn margin(&self) -> Duration {
        if self.time.is_manual() { Duration::ZERO } else { REAL_MARGIN }
    }

    /// A lifetime that a case can outlast and that does not end while it looks the other way.
    pub(crate) fn short(&self) -> Duration {
        self.capability.ttl_resolution.max(Duration::from_millis(200))
    }

    /// A length that the backend takes, as close to the wanted one as it allows.
    pub(crate) fn fitting(&self, bytes: usize) -> usize {
        let limit = self.capability.value_bytes_max;
        limit.map_or(bytes, |limit| bytes.min(limit))
    }

    /// Says aloud what a case could not look at.
    #[expect(clippy::print_stderr, reason = "a run that skips something shows it")]
    pub(crate) fn skipped(&self, what: &str) {
        eprintln!("skipped on {}: {what}", self.cache.0);
    }
}

pub(crate) fn longest(lifetime: Duration, resolution: Duration) -> Duration {
    let tick = resolution.as_nanos().max(1);
    let nanos = (lifetime.as_nanos().div_ceil(tick) + 1).saturating_mul(tick);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

pub(crate) fn ttl(lifetime: Duration) -> Ttl {
    match Ttl::new(lifetime) {
        Ok(ttl) => ttl,
        Err(error) => panic!("the case itself is wrong: {error}"),
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key::object(name)
}

/// A handle whose verbs must answer.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Arc<dyn CacheBackend>);

impl Handle {
    pub(crate) async fn snapshot(&self, key: &Key, tags: &[Tag]) -> Snapshot {
        answered(self.0.read(key, tags).await)
    }

    pub(crate) async fn read(&self, key: &Key) -> Option<Bytes> {
        self.snapshot(key, &[]).await.value
    }

    pub(crate) async fn stamps(&self, tags: &[Tag]) -> Vec<Option<Stamp>> {
        self.snapshot(&key("only the stamps count"), tags).await.stamps
    }

    pub(crate) async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Vec<Snapshot> {
        answered(self.0.read_many(requests).await)
    }

    pub(crate) async fn generations(&self, tags: &[Tag]) -> Vec<Stamp> {
        answered(self.0.generations(tags).await)
    }

    pub(crate) async fn ask(&self, key: &Key, request: LeaseRequest) -> LeaseOutcome {
        answered(self.0.lease(key, request).await)
    }

    /// Asks for a long lease.
    pub(crate) async fn lease(&self, key: &Key) -> LeaseOutcome {
        self.ask(key, LeaseRequest::new(LONG)).await
    }

    pub(crate) async fn win(&self, key: &Key) -> Lease {
        self.win_for(key, LONG).await
    }

    pub(crate) async fn win_for(&self, key: &Key, time: Duration) -> Lease {
        match self.ask(key, LeaseRequest::new(time)).await {
            LeaseOutcome::Won(lease) => lease,
            other => panic!("the lease was free, but the answer was {}", word(&other)),
        }
    }

    pub(crate) async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> bool {
        answered(self.0.renew(key, lease, time).await)
    }

    pub(crate) async fn release(&self, key: &Key, lease: &Lease) -> bool {
        answered(self.0.release(key, lease).await)
    }

    pub(crate) async fn fill(
        &self,
        key: &Key,
        lease: &Lease,
        value: impl Into<Bytes>,
    ) -> FillOutcome {
        self.fill_for(key, lease, value, LONG).await
    }

    pub(crate) async fn fill_for(
        &self,
        key: &Key,
        lease: &Lease,
        value: impl Into<Bytes>,
        lifetime: Duration,
    ) -> FillOutcome {
        answered(self.0.fill(key, lease, value.into(), ttl(lifetime)).await)
    }

    pub(crate) async fn put(&self, key: &Key, value: impl Into<Bytes>) {
        self.put_for(key, value, LONG).await;
    }

    pub(crate) async fn put_for(&self, key: &Key, value: impl Into<Bytes>, lifetime: Duration) {
        answered(self.0.put(key, value.into(), ttl(lifetime)).await);
    }

    pub(crate) async fn add(&self, key: &Key, value: impl Into<Bytes>) -> bool {
        self.add_for(key, value, LONG).await
    }

    pub(crate) async fn add_for(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        lifetime: Duration,
    ) -> bool {
        answered(self.0.add(key, value.into(), ttl(lifetime)).await)
    }

    pub(crate) async fn touch(&self, key: &Key, lifetime: Duration) -> bool {
        answered(self.0.touch(key, ttl(lifetime)).await)
    }

    pub(crate) async fn remove(&self, key: &Key) -> bool {
        answered(self.0.remove(key).await)
    }

    pub(crate) async fn remove_many(&self, keys: &[Key]) -> u64 {
        answered(self.0.remove_many(keys).await)
    }

    pub(crate) async fn bump(&self, tags: &[Tag]) -> Vec<Stamp> {
        answered(self.0.bump(tags).await)
    }

    pub(crate) async fn clear(&self) {
        answered(self.0.clear().await);
    }

    pub(crate) async fn watch(&self, clock: Arc<dyn Clock>) -> WatchStream {
        answered(self.0.watch(clock).await)
    }

    pub(crate) async fn epoch(&self) -> Epoch {
        answered(self.0.epoch().await)
    }

    #[track_caller]
    pub(crate) fn expect(found: Option<Bytes>, value: impl Into<Bytes>, what: &str) {
        let value = value.into();
        assert!(
            found.as_ref() == Some(&value),
            "{what}: expected {}, read {}",
            gist(Some(&value)),
            gist(found.as_ref()),
        );
    }
}

/// What a verb answered; its error fails the case.
#[track_caller]
pub(crate) fn answered<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error} ({error:?})"),
    }
}

/// The kind of the error that a verb must have answered with.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T, Error>, kind: ErrorKind, what: &str) {
    match result {
        Ok(value) => panic!("{what}: expected {kind:?}, the answer was {value:?}"),
        Err(error) => assert_eq!(error.kind(), kind, "{what}: {error}"),
    }
}

/// A value for people: its length and how it begins.
fn gist(value: Option<&Bytes>) -> String {
    match value {
        None => "nothing".into(),
        Some(value) => {
            format!("{} bytes \"{}\"", value.len(), value.get(..24).unwrap_or(value).escape_ascii())
        }
    }
}

pub(crate) const fn word(outcome: &LeaseOutcome) -> &'static str {
    match outcome {
        LeaseOutcome::Found(_) => "Found",
        LeaseOutcome::Held => "Held",
        LeaseOutcome::Won(_) => "Won",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_round_up_to_the_resolution_and_one_tick() {
        let millis = Duration::from_millis;
        assert_eq!(longest(millis(1), millis(1)), millis(2));
        assert_eq!(longest(millis(999), millis(1_000)), millis(2_000));
        assert_eq!(longest(millis(1_001), millis(1_000)), millis(3_000));
        assert_eq!(longest(millis(5), Duration::ZERO), Duration::from_nanos(5_000_001));
    }
}
