//! The contract that every cache backend keeps.

use std::{
    fmt::{Debug, Display},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use crate::{
    Capability, Clock, Epoch, FillOutcome, Key, Lease, LeaseOutcome, LeaseRequest, Result, Stamp,
    Tag, Tick, Ttl,
};

/// A store of opaque entries that carries the consistency protocol.
///
/// The shared handle is `Arc<dyn CacheBackend>`; consumers know this trait and never a backend.
/// A backend stores bytes and compares tokens. What the bytes mean, and whether an entry may
/// be served, is decided above it, by [`EnvelopeHeader::check`](crate::EnvelopeHeader::check).
///
/// # The protocol
/// - **Hit**: [`read`](Self::read) returns the entry and the state of its tags in one round trip.
/// - **Miss**: [`generations`](Self::generations) (the snapshot, creating what is missing) →
///   [`lease`](Self::lease) → the load → [`fill`](Self::fill). The snapshot precedes the load;
///   an invalidation in between makes the filled entry dead on arrival.
/// - **Invalidation**: [`bump`](Self::bump) for tags, [`remove`](Self::remove) for one key,
///   [`clear`](Self::clear) for everything.
///
/// # Ordering and atomicity
/// Each verb is atomic per key and per tag. A `read` need not be atomic across the entry and its
/// tags, but **every tag is read during the call, not before it**. Once `bump`, `remove`, `put`
/// or `clear` returned `Ok`, every `read` that starts later, in any process, sees its effect or
/// reports another [`Epoch`]; that is the promise on which everything above rests.
///
/// # Errors
/// Every verb may fail with the kinds of [`ErrorKind`](crate::ErrorKind). After
/// [`Timeout`](crate::ErrorKind::Timeout) or [`Unavailable`](crate::ErrorKind::Unavailable) it
/// is unknown whether a write took effect. What a backend can not do at all is
/// [`Unsupported`](crate::ErrorKind::Unsupported), and its [`Capability`] says so.
///
/// # Cancel safety
/// Every future may be dropped at any point. The operation then took effect or did not, as a
/// whole; the connection that it used is not handed to another caller with a reply outstanding.
///
/// # Implementing
/// Run the conformance suite of `larder-testkit`. A wrapper implements every method; there are
/// no default bodies, so a new verb can not be forgotten.
#[async_trait]
pub trait CacheBackend: Debug + Display + Send + Sync + 'static {
    /// Reads one entry and the stamps of the given tags, in one round trip.
    ///
    /// The snapshot has one stamp per tag, in order; a missing generation is `None` and is not
    /// created. An expired, removed or cleared entry is `None`.
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot>;

    /// Reads many entries, each with its tags; one round trip per node where
    /// [`Capability::batch`] says so. The snapshots come in the order of the requests.
    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>>;

    /// Returns the stamps of the given tags, creating the missing ones.
    ///
    /// Creating is atomic: of two callers that find a tag missing, both get the generation of
    /// the one that came first.
    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>>;

    /// Asks for the right to load a key.
    ///
    /// At most one lease per key is held at any time, across all processes. A lease ends when it
    /// fills, is released, or has run out, and when the key is removed, put or cleared. An entry
    /// other than [`LeaseRequest::dead`] is returned as [`LeaseOutcome::Found`] instead.
    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome>;

    /// Extends a lease by `time` from now. `false` if it is no longer held.
    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool>;

    /// Gives a lease back without filling, so that the next loader need not wait for it to run
    /// out. `false` if it was no longer held.
    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool>;

    /// Stores a loaded value and ends the lease, in one atomic step.
    ///
    /// [`FillOutcome::Refused`] if the lease is no longer held: it ran out, or the key was
    /// removed, put or cleared since, or the node's epoch changed.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) for a value beyond
    /// [`Capability::value_bytes_max`]: nothing is stored and the lease is still held.
    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome>;

    /// Stores a value whatever is there, and ends any lease on the key.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge): nothing is stored and what was there stays.
    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()>;

    /// Stores a value only if there is none; then ends any lease on the key. `false` if there
    /// was one.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool>;

    /// Gives an entry a new time-to-live, counted from now. `false` if there is none.
    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool>;

    /// Removes an entry and ends any lease on the key, so that a fill under way is refused.
    /// `true` if a live entry was removed.
    async fn remove(&self, key: &Key) -> Result<bool>;

    /// Removes many entries as [`remove`](Self::remove) does and returns how many live entries
    /// there were.
    async fn remove_many(&self, keys: &[Key]) -> Result<u64>;

    /// Gives each tag a new random generation, whether or not it had one, and returns the stamps
    /// in order. One small write per tag, however many entries depend on it.
    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>>;

    /// Invalidates every entry and ends every lease of the namespace, in constant time.
    async fn clear(&self) -> Result<()>;

    /// Subscribes to the tags that are bumped from now on, by anyone.
    ///
    /// `clock` times the [`WatchEvent::Alive`] events. Dropping the stream ends the subscription.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) unless [`Capability::watch`].
    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream>;

    /// Asks the node for its epoch. For several nodes: the epoch of all of them together.
    async fn epoch(&self) -> Result<Epoch>;

    /// Makes one real round trip and says what was found.
    async fn health(&self) -> Result<Health>;

    /// Counts since this handle was opened. Costs no round trip.
    fn stats(&self) -> BackendStats;

    /// What this backend can do. Constant over the life of the handle.
    fn capability(&self) -> Capability;
}

/// One element of [`CacheBackend::read_many`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the arguments of `read`")]
pub struct ReadRequest<'a> {
    /// The entry to read.
    pub key: &'a Key,
    /// The tags whose stamps are wanted.
    pub tags: &'a [Tag],
}

/// What one read saw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The stored bytes, if there is a live entry.
    pub value: Option<Bytes>,
    /// One stamp per requested tag, in order; `None` where the tag has no generation.
    pub stamps: Vec<Option<Stamp>>,
    /// The epoch of the node that stores (or would store) the entry.
    pub epoch: Epoch,
}

impl Snapshot {
    /// What a read saw.
    #[must_use]
    pub const fn new(value: Option<Bytes>, stamps: Vec<Option<Stamp>>, epoch: Epoch) -> Self {
        Self { value, stamps, epoch }
    }
}

/// The feed of [`CacheBackend::watch`].
pub type WatchStream = Pin<Box<dyn Stream<Item = WatchEvent> + Send>>;

/// An element of the feed. The stream's end means that nothing more will be heard: the same as
/// [`WatchEvent::Reset`], for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a feed that says more than this is another protocol")]
pub enum WatchEvent {
    /// Every bump that was acknowledged before this tick has been delivered.
    Alive(Tick),
    /// These tags were bumped.
    Bumped(Vec<Tag>),
    /// Something may have been missed, or everything was cleared: forget all you know.
    Reset,
}

/// What a round trip found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// How long the round trip took.
    pub latency: Duration,
    /// What answered: product, version, file. No secrets.
    pub server: String,
    /// What else was found, in the order in which people want to read it. No secrets.
    pub facts: Vec<Fact>,
    /// What will not work well and how to mend it; empty if all is well.
    pub advice: Vec<String>,
}

/// One thing that a round trip found, for people: `("eviction policy", "volatile-lru")`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a name and a value")]
pub struct Fact {
    /// What it is, in lower case, such as `"replication"`.
    pub name: &'static str,
    /// How it is, such as `"primary with 1 replica"`.
    pub value: String,
}

impl Health {
    /// A round trip without facts and advice.
    #[must_use]
    pub const fn new(latency: Duration, server: String) -> Self {
        Self { latency, server, facts: Vec::new(), advice: Vec::new() }
    }

    /// Adds what was found.
    #[must_use]
    pub fn with_fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push(Fact { name, value: value.into() });
        self
    }

    /// Adds what will not work well and how to mend it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// Counters of one backend handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendStats {
    /// Entries asked for.
    pub reads: u64,
    /// Entries found.
    pub found: u64,
    /// Fills stored.
    pub fills: u64,
    /// Fills refused.
    pub refused: u64,
    /// Values stored by `put` and `add`.
    pub puts: u64,
    /// Entries removed by `remove` and `remove_many`.
    pub removed: u64,
    /// Tags bumped.
    pub bumps: u64,
    /// Entries dropped for want of room, where the backend knows.
    pub evicted: u64,
    /// Entries dropped because their time was over, where the backend knows.
    pub expired: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Entries stored now, dead ones included, where the backend knows without a round trip.
    pub entries: Option<u64>,
    /// Bytes stored now, where the backend knows without a round trip.
    pub bytes: Option<u64>,
}
