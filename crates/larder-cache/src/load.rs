//! The miss: snapshot, lease, load, fill.
//!
//! Invariant: the state of the tags, here and in the far tier, is read before the loader starts.
//! Whatever is invalidated afterwards makes the stored entry dead on arrival.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use larder_core::{
    EntryId, Key, Lease, LeaseOutcome, LeaseRequest, Operation, Snapshot, Stamp, Tag, Tick,
};

use crate::{
    Args, Family, Loaded, Source, Tier,
    entry::Entry,
    error::Failure,
    far::{Budget, Far},
    request::Mode,
    store::Stored,
    view::Token,
};

/// Everything that a load needs to know about its entry.
pub(crate) struct Plan<T> {
    pub(crate) family: Family<T>,
    pub(crate) key: Key,
    pub(crate) hash: u128,
    pub(crate) tags: Arc<[Tag]>,
    /// The local view before anything was read.
    pub(crate) token: Token,
    /// When that was.
    pub(crate) started: Tick,
    /// Whether a lease that somebody else holds is ended instead of waited for: its holder began
    /// before something that this load has to see.
    pub(crate) takes_over: bool,
}

/// What the caller already learned from the far tier.
#[derive(Debug)]
pub(crate) enum Known {
    /// Nothing was asked.
    Nothing,
    /// It was asked: the snapshot of the miss, or nothing if it did not answer.
    Read { snapshot: Option<Box<Snapshot>>, budget: Budget },
}

impl Known {
    pub(crate) fn read(snapshot: Option<Snapshot>, budget: Budget) -> Self {
        Self::Read { snapshot: snapshot.map(Box::new), budget }
    }
}

/// The right to fill, with the snapshot that precedes the load.
pub(crate) struct Right {
    pub(crate) lease: Lease,
    pub(crate) stamps: Vec<Stamp>,
}

/// How the far tier takes part in this load.
enum Part<T> {
    /// Somebody else filled the entry meanwhile.
    Found(Arc<Entry<T>>),
    /// Load and fill.
    Fill(Right),
    /// Load without filling: there is no far tier, it does not answer, or somebody else holds
    /// the lease for too long.
    Stay,
}

type Answer<T> = Result<(Arc<Entry<T>>, Source), Failure>;

/// Runs one load, from the snapshot to the fill.
pub(crate) async fn run<T, E, F>(
    mut plan: Plan<T>,
    args: Args<'_>,
    mode: Mode,
    known: Known,
    load: impl FnOnce() -> F,
) -> Answer<T>
where
    T: Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: Future<Output = Result<Loaded<T>, E>> + Send,
{
    if mode == Mode::Get
        && let Some(entry) = plan.family.inner.near_entry(args)
    {
        // Another flight landed between this caller's look and its take-off.
        return Ok((entry, Source::Hit(Tier::Near)));
    }
    let engine = Arc::clone(&plan.family.inner.engine);
    let far = engine.far.as_ref().filter(|_| !engine.pending.concerns(&plan.key, &plan.tags));
    let part = match far {
        Some(far) => plan.take_part(far, args, mode, known).await,
        None => Part::Stay,
    };
    let right = match part {
        Part::Found(entry) => return Ok((entry, Source::Hit(Tier::Far))),
        Part::Fill(right) => Some(right),
        Part::Stay => None,
    };

    let before = engine.clock.now();
    let created_ms = engine.clock.unix_millis();
    let loaded = plan.load(far.zip(right.as_ref()), load).await;
    let load_time = engine.clock.now().since(before);
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(failure) => {
            plan.give_back(far.zip(right)).await;
            return Err(failure);
        }
    };
    let stored = Stored { created_ms, load_time };
    Ok((plan.store(args, mode, far.zip(right), loaded, stored).await, mode.source()))
}

impl Mode {
    const fn source(self) -> Source {
        match self {
            Self::Get => Source::Miss,
            Self::Refresh => Source::Refresh,
        }
    }
}

impl<T: Send + Sync + 'static> Plan<T> {
    /// Snapshot and lease.
    async fn take_part(&self, far: &Far, args: Args<'_>, mode: Mode, known: Known) -> Part<T> {
        let (snapshot, mut budget) = match known {
            Known::Nothing => {
                let mut budget = far.budget();
                let read = far.backend.read(&self.key, &self.tags);
                (far.attempt(&mut budget, Operation::Read, read).await, budget)
            }
            Known::Read { snapshot, budget } => (snapshot.map(|snapshot| *snapshot), budget),
        };
        let Some(snapshot) = snapshot else {
            return Part::Stay;
        };
        let complete: Option<Vec<Stamp>> = snapshot.stamps.iter().copied().collect();
        let mut stamps = match complete {
            Some(stamps) => stamps,
            None => match self.generations(far, &mut budget).await {
                Some(stamps) => stamps,
                None => return Part::Stay,
            },
        };
        let mut dead = snapshot.value.as_deref().and_then(EntryId::peek);
        if snapshot.value.is_some() && dead.is_none() {
            // Bytes that are no envelope can not be named as dead, only removed.
            let remove = far.backend.remove(&self.key);
            far.attempt(&mut budget, Operation::Remove, remove).await;
        }

        let limits = self.family.inner.engine.limits;
        let (mut pause, mut waited, mut turns) = (POLL_FIRST, Duration::ZERO, 0);
        loop {
            let request = LeaseRequest::new(limits.lease).with_dead(dead);
            let lease = far.backend.lease(&self.key, request);
            match far.attempt(&mut budget, Operation::Lease, lease).await {
                None => return Part::Stay,
                Some(LeaseOutcome::Won(lease)) => return Part::Fill(Right { lease, stamps }),
                Some(LeaseOutcome::Found(stored)) => {
                    let read = far.backend.read(&self.key, &self.tags);
                    let snapshot = far.attempt(&mut budget, Operation::Read, read).await;
                    let Some(snapshot) = snapshot else {
                        return Part::Stay;
                    };
                    if mode == Mode::Get
                        && let Some(entry) = self.accept(&snapshot, args)
                    {
                        return Part::Found(entry);
                    }
                    dead = snapshot.value.as_deref().and_then(EntryId::peek);
                    if dead.is_none() && EntryId::peek(&stored).is_none() {
                        let remove = far.backend.remove(&self.key);
                        far.attempt(&mut budget, Operation::Remove, remove).await;
                    }
                }
                Some(LeaseOutcome::Held) if self.takes_over => {
                    // Removing ends the lease; what its holder is loading was missing anyway.
                    let remove = far.backend.remove(&self.key);
                    far.attempt(&mut budget, Operation::Remove, remove).await;
                    dead = None;
                }
                Some(LeaseOutcome::Held) => {
                    let jittered = pause.mul_f64(0.5 + rand::random::<f64>() / 2.0);
                    tokio::time::sleep(jittered).await;
                    waited += jittered;
                    pause = (pause * 2).min(POLL_LAST);
                    // The wait was for another loader, not for the far tier.
                    budget = far.budget();
                    match self.generations(far, &mut budget).await {
                        Some(fresh) => stamps = fresh,
                        None => return Part::Stay,
                    }
                }
            }
            if waited >= limits.lease_wait || turns == TURNS_MAX {
                return Part::Stay;
            }
            turns += 1;
        }
    }

    async fn generations(&self, far: &Far, budget: &mut Budget) -> Option<Vec<Stamp>> {
        let generations = far.backend.generations(&self.tags);
        far.attempt(budget, Operation::Generations, generations).await
    }

    /// Runs the loader within its time limit, keeping the lease alive meanwhile.
    async fn load<E, F>(
        &self,
        right: Option<(&Arc<Far>, &Right)>,
        load: impl FnOnce() -> F,
    ) -> Result<Loaded<T>, Failure>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let keyspace = &self.family.inner.keyspace;
        keyspace.loads.increment();
        let limit = self.family.inner.engine.limits.load;
        let load = AssertUnwindSafe(async { load().await }).catch_unwind();
        let load = tokio::time::timeout(limit, load);
        let landed = match right {
            None => load.await,
            Some((far, right)) => tokio::select! {
                landed = load => landed,
                never = self.keep_alive(far, right.lease) => match never {},
            },
        };
        let outcome = match landed {
            Err(_elapsed) => Err(Failure::TimedOut(limit)),
            Ok(Err(panic)) => Err(Failure::from_panic(&*panic)),
            Ok(Ok(Err(error))) => Err(Failure::Loader(Arc::new(error))),
            Ok(Ok(Ok(loaded))) => Ok(loaded),
        };
        if outcome.is_err() {
            keyspace.load_errors.increment();
        }
        outcome
    }

    /// Renews the lease at a third of its time. A lease that is lost anyway only means that the
    /// fill will be refused.
    async fn keep_alive(&self, far: &Far, lease: Lease) -> std::convert::Infallible {
        let time = self.family.inner.engine.limits.lease;
        loop {
            tokio::time::sleep(time / 3).await;
            let renew = far.backend.renew(&self.key, &lease, time);
            far.attempt(&mut far.budget(), Operation::Renew, renew).await;
        }
    }
}

/// How often a loader asks for a lease, should a far tier keep answering with entries that turn
/// out to be dead.
const TURNS_MAX: u32 = 1_000;
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LAST: Duration = Duration::from_millis(100);
