//! A call that the near tier could not answer: far tier, somebody else's flight, or a flight of
//! its own.

use std::{future::Future, sync::Arc};

use larder_core::{Key, Operation, Snapshot, Tag, Tick};
use tracing::{Instrument as _, field};

use crate::{
    Args, Family, LoadError, Loaded, Lookup, Source, Tier,
    entry::Entry,
    far::{Budget, Far},
    flight::{self, Flight, Outcome, Pilot},
    load::{self, Known, Plan},
};

/// What the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Get,
    Refresh,
}

/// How often a caller may find that a flight it waited for began too early for it, before it
/// starts one of its own without asking.
const ROUNDS: usize = 4;

/// Who asks for what, since when.
pub(crate) struct Call<'a, T> {
    pub(crate) family: &'a Family<T>,
    pub(crate) args: Args<'a>,
    pub(crate) key: Key,
    pub(crate) tags: Arc<[Tag]>,
    hash: u128,
    started: Tick,
}

pub(crate) async fn get<T, E, F>(
    family: &Family<T>,
    args: Args<'_>,
    mode: Mode,
    load: impl FnOnce() -> F + Send + 'static,
) -> Result<Lookup<T>, LoadError<E>>
where
    T: Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
{
    let call = Call::new(family, args)?;
    let span = tracing::debug_span!(
        "larder.get",
        keyspace = family.label(),
        source = field::Empty,
        tier = field::Empty
    );
    let answer = match mode {
        Mode::Get => call.get(load).instrument(span.clone()).await,
        Mode::Refresh => call.refresh(load).instrument(span.clone()).await,
    };
    let (entry, source) = answer?;
    span.record("source", source.as_str());
    if let Some(tier) = source.tier() {
        span.record("tier", field::debug(tier));
    }
    Ok(call.answer(entry, source))
}

type Found<T> = (Arc<Entry<T>>, Source);

impl<'a, T: Send + Sync + 'static> Call<'a, T> {
    fn new<E>(family: &'a Family<T>, args: Args<'a>) -> Result<Self, LoadError<E>> {
        let inner = &*family.inner;
        let tags: Arc<[Tag]> = inner.tags.iter().chain(args.tags).copied().collect();
        if tags.len() > Tag::MAX_PER_ENTRY {
            return Err(LoadError::TooManyTags { tags: tags.len() });
        }
        let hash = inner.hash(args);
        if flight::is_loading(hash) {
            return Err(LoadError::Reentrant);
        }
        let started = inner.engine.clock.now();
        Ok(Self { family, args, key: inner.key(args), tags, hash, started })
    }

    async fn get<E, F>(
        &self,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Found<T>, LoadError<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        let engine = &self.family.inner.engine;
        for round in 0..ROUNDS {
            if round > 0
                && let Some(entry) = self.family.inner.near_entry(self.args)
            {
                return Ok((entry, Source::Hit(Tier::Near)));
            }
            if let Some(flight) = self.flight_under_way() {
                match self.join(&flight).await? {
                    Some(found) => return Ok(found),
                    None => continue,
                }
            }
            let mut known = Known::Nothing;
            if let Some(far) = self.usable_far() {
                let mut budget = far.budget();
                match self.read_far(far, &mut budget).await {
                    Ok(found) => return Ok(found),
                    Err(read) => known = Known::read(read, budget),
                }
            }
            let (flight, landing) = self.new_flight();
            match engine.flights.start(flight, landing, |other| self.may_wait_for(other)) {
                Ok(pilot) => return self.take_off(pilot, Mode::Get, known, load).await,
                Err(other) => {
                    if let Some(found) = self.join(&other).await? {
                        return Ok(found);
                    }
                }
            }
        }
        let (flight, landing) = self.new_flight();
        match engine.flights.start(flight, landing, |_| false) {
            Ok(pilot) => self.take_off(pilot, Mode::Get, Known::Nothing, load).await,
            // Not reached: nothing may be joined. A flight that is there is good enough.
            Err(other) => self.join(&other).await?.ok_or(LoadError::Cancelled),
        }
    }

    /// A refresh joins nobody: a flight under way may have begun before what it is to see.
    async fn refresh<E, F>(
        &self,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Found<T>, LoadError<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        let (flight, landing) = self.new_flight();
        match self.family.inner.engine.flights.start(flight, landing, |_| false) {
            Ok(pilot) => self.take_off(pilot, Mode::Refresh, Known::Nothing, load).await,
            Err(other) => self.join(&other).await?.ok_or(LoadError::Cancelled),
        }
    }

    fn answer(&self, entry: Arc<Entry<T>>, source: Source) -> Lookup<T> {
        let keyspace = &self.family.inner.keyspace;
        match source {
            Source::Hit(Tier::Near) => drop(keyspace.near_hits.increment()),
            Source::Hit(Tier::Far) => keyspace.far_hits.increment(),
            Source::Miss => keyspace.misses.increment(),
            Source::Refresh => keyspace.refreshes.increment(),
            Source::Bypass => keyspace.bypasses.increment(),
        }
        let latency = self.family.inner.engine.clock.now().since(self.started);
        keyspace.latency.record(latency);
        Lookup { entry, source, latency }
    }

    /// The far tier, unless an invalidation of this entry is still on its way there.
    fn usable_far(&self) -> Option<&'a Arc<Far>> {
        let engine = &self.family.inner.engine;
        let far = engine.far.as_ref()?;
        (!engine.pending.concerns(&self.key, &self.tags)).then_some(far)
    }

    /// Reads the far tier: a hit, or the snapshot of the miss (`None` if there was no answer).
    async fn read_far(&self, far: &Far, budget: &mut Budget) -> Result<Found<T>, Option<Snapshot>> {
        let plan = self.plan();
        let read = far.backend.read(&self.key, &self.tags);
        let Some(snapshot) = far.attempt(budget, Operation::Read, read).await else {
            return Err(None);
        };
        if let Some(entry) = plan.confirm_near(&snapshot, self.args) {
            return Ok((entry, Source::Hit(Tier::Near)));
        }
        match plan.accept(&snapshot, self.args) {
            Some(entry) => Ok((entry, Source::Hit(Tier::Far))),
            None => Err(Some(snapshot)),
        }
    }

    /// What a load or a far hit needs to know, as of now.
    fn plan(&self) -> Plan<T> {
        let inner = &self.family.inner;
        Plan {
            family: self.family.clone(),
            key: self.key,
            hash: self.hash,
            tags: Arc::clone(&self.tags),
            token: inner.engine.view.token(&self.key, self.tags.iter()),
            started: inner.engine.clock.now(),
            takes_over: false,
        }
    }

    fn new_flight(&self) -> (Flight, tokio::sync::watch::Sender<Option<Outcome>>) {
        let plan = self.plan();
        Flight::new(self.hash, self.family.inner.id, self.args, plan.token, plan.started)
    }

    /// A flight for this entry that saw every invalidation this process knows of.
    fn flight_under_way(&self) -> Option<Arc<Flight>> {
        let inner = &self.family.inner;
        inner
            .engine
            .flights
            .find(self.hash, inner.id, self.args)
            .filter(|flight| self.may_wait_for(flight))
    }

    fn may_wait_for(&self, flight: &Flight) -> bool {
        self.family.inner.engine.view.is_current(&flight.token)
    }

    /// Waits for a flight. `None` if what it brings is too old for this caller, who began later
    /// and may have to see an invalidation by another process.
    async fn join<E>(&self, flight: &Flight) -> Result<Option<Found<T>>, LoadError<E>>
    where
        E: Send + Sync + 'static,
    {
        let fresh = self.accepts(flight);
        let Some(outcome) = flight.wait().await else {
            return Err(LoadError::Cancelled);
        };
        let (any, source) = outcome.map_err(|failure| failure.typed())?;
        match any.downcast::<Entry<T>>() {
            Ok(entry) if fresh => Ok(Some((entry, source))),
            _ => Ok(None),
        }
    }

    /// A flight that began after this call saw all that it must see. An earlier one is as good
    /// as a near hit of its age: within the staleness bound where there is a near tier.
    fn accepts(&self, flight: &Flight) -> bool {
        let engine = &self.family.inner.engine;
        flight.started >= self.started
            || engine.far.is_none()
            || (engine.near.is_some()
                && flight.started.after(engine.limits.staleness) > self.started)
    }

    async fn take_off<E, F>(
        &self,
        pilot: Pilot,
        mode: Mode,
        known: Known,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Found<T>, LoadError<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        let flight = Arc::clone(pilot.flight());
        let plan = Plan {
            token: flight.token.clone(),
            started: flight.started,
            takes_over: mode == Mode::Refresh || pilot.supersedes,
            ..self.plan()
        };
        let chain = flight::chain_with(self.hash);
        let span = tracing::debug_span!("larder.load", keyspace = self.family.label());
        let args: Box<[u8]> = self.args.bytes.into();
        let extra: Box<[Tag]> = self.args.tags.into();
        let task = async move {
            let args = Args::new(&args).with_tags(&extra);
            let outcome = load::run(plan, args, mode, known, load).await;
            pilot.land(outcome.map(|(entry, source)| (entry as _, source)));
        };
        tokio::spawn(flight::within(chain, task.instrument(span)));
        let Some(outcome) = flight.wait().await else {
            return Err(LoadError::Cancelled);
        };
        let (any, source) = outcome.map_err(|failure| failure.typed())?;
        // The flight is this call's own, so the type is `Entry<T>`.
        any.downcast().map(|entry| (entry, source)).map_err(|_| LoadError::Cancelled)
    }
}
