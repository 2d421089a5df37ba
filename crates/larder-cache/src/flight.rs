//! Single-flight: at most one load per entry and process, in a task of its own.
//!
//! Invariants: a flight belongs to nobody who waits for it, so a cancelled caller hangs nobody;
//! nobody joins a flight that began before an invalidation they must see; a flight always ends,
//! because its loader has a time limit.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use larder_core::{Tag, Tick};
use smallvec::SmallVec;
use tokio::sync::watch;

use crate::{Args, Source, error::Failure, view::Token};

const SHARDS: usize = 16;

/// What a flight brings back: an `Entry<T>` without its type, or why there is none.
pub(crate) type Outcome = Result<(Arc<dyn Any + Send + Sync>, Source), Failure>;

/// The flights under way.
#[derive(Default)]
pub(crate) struct Flights([Mutex<HashMap<u128, Arc<Flight>>>; SHARDS]);

#[derive(Debug)]
pub(crate) struct Flight {
    hash: u128,
    family: u64,
    args: SmallVec<[u8; 40]>,
    tags: SmallVec<[Tag; 1]>,
    /// What the local view was when the flight began.
    pub(crate) token: Token,
    /// When it began, before anything was read.
    pub(crate) started: Tick,
    landing: watch::Receiver<Option<Outcome>>,
}

/// The right, and the duty, to land a flight. Dropped without landing (a panic of our own, the
/// end of the runtime), it frees the slot and the waiters notice that the channel is closed.
pub(crate) struct Pilot {
    flight: Arc<Flight>,
    flights: Arc<Flights>,
    landing: watch::Sender<Option<Outcome>>,
    /// Whether it took the place of a flight that nobody may join any more.
    pub(crate) supersedes: bool,
}

impl Flight {
    pub(crate) fn new(
        hash: u128,
        family: u64,
        args: Args<'_>,
        token: Token,
        started: Tick,
    ) -> (Self, watch::Sender<Option<Outcome>>) {
        let (sender, landing) = watch::channel(None);
        let flight = Self {
            hash,
            family,
            args: SmallVec::from_slice(args.bytes),
            tags: SmallVec::from_slice(args.tags),
            token,
            started,
            landing,
        };
        (flight, sender)
    }

    /// Waits for the landing; `None` if the flight was lost with its runtime.
    pub(crate) async fn wait(&self) -> Option<Outcome> {
        let mut landing = self.landing.clone();
        let landed = landing.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }

    fn is_for(&self, family: u64, args: Args<'_>) -> bool {
        self.family == family && self.args[..] == *args.bytes && self.tags[..] == *args.tags
    }
}

impl Flights {
    pub(crate) fn find(&self, hash: u128, family: u64, args: Args<'_>) -> Option<Arc<Flight>> {
        self.shard(hash).get(&hash).filter(|flight| flight.is_for(family, args)).cloned()
    }

    /// Starts a flight unless there is one that `may_join` accepts.
    pub(crate) fn start(
        self: &Arc<Self>,
        flight: Flight,
        landing: watch::Sender<Option<Outcome>>,
        may_join: impl FnOnce(&Flight) -> bool,
    ) -> Result<Pilot, Arc<Flight>> {
        let mut shard = self.shard(flight.hash);
        if let Some(other) = shard.get(&flight.hash) {
            let args = Args::new(&flight.args).with_tags(&flight.tags);
            if other.is_for(flight.family, args) && may_join(other) {
                return Err(Arc::clone(other));
            }
        }
        let flight = Arc::new(flight);
        let supersedes = shard.insert(flight.hash, Arc::clone(&flight)).is_some();
        Ok(Pilot { flight, flights: Arc::clone(self), landing, supersedes })
    }

    fn shard(&self, hash: u128) -> MutexGuard<'_, HashMap<u128, Arc<Flight>>> {
        let [.., last] = hash.to_be_bytes();
        // Every critical section leaves the map whole.
        self.0[usize::from(last) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pilot {
    pub(crate) const fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Ends the flight and tells everybody who waits.
    pub(crate) fn land(self, outcome: Outcome) {
        // The slot is freed first: who comes after the landing starts from the tiers.
        self.leave();
        self.landing.send_replace(Some(outcome));
    }

    fn leave(&self) {
        let mut shard = self.flights.shard(self.flight.hash);
        let mine =
            shard.get(&self.flight.hash).is_some_and(|current| Arc::ptr_eq(current, &self.flight));
        if mine {
            shard.remove(&self.flight.hash);
        }
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.leave();
    }
}

tokio::task_local! {
    /// The entries whose loaders this task runs inside of, innermost last.
    static LOADING: Arc<Vec<u128>>;
}

/// Whether this task runs inside the loader of this entry.
pub(crate) fn is_loading(hash: u128) -> bool {
    LOADING.try_with(|chain| chain.contains(&hash)).unwrap_or(false)
}

/// The chain of loaders that a flight started here runs inside of, itself included.
pub(crate) fn chain_with(hash: u128) -> Arc<Vec<u128>> {
    let outer = LOADING.try_with(Arc::clone).unwrap_or_default();
    Arc::new(outer.iter().copied().chain([hash]).collect())
}

/// Runs a flight with its chain in place.
pub(crate) async fn within<F: Future>(chain: Arc<Vec<u128>>, flight: F) -> F::Output {
    LOADING.scope(chain, flight).await
}
