//! What is known of one database, by all handles of it in this process.
//!
//! Invariants: what is changed together is changed under one lock, which no `await` and no hit
//! ever holds; the number of tables that the cache counts is the number of slots that are held.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use larder_core::{Clock, Stamp, Tick};
use larder_migrate::SchemaSignal;
use larder_model::ModelEntry;
use tokio::sync::broadcast;

use crate::{
    BackOff, CachedTable, Ensured, Noticed, Outcome, SchemaCache, SchemaError, SchemaEvent,
    TableState,
    flight::{Boarding, Flight, Member, Outcomes, Pilot, Purpose},
    metrics::Counters,
    record::Record,
    slot::{Slot, SlotGeneration},
    slots::Slots,
};

/// What all handles of one database share.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) slots: Slots,
    /// When the database last said that no schema was changed.
    validated: AtomicU64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: Arc<SchemaCache>,
    pub(crate) identity: Option<Arc<str>>,
    pub(crate) counters: Counters,
    /// Whether the second level has not heard yet of something that was invalidated here.
    pub(crate) bump_due: AtomicBool,
    /// One validation at a time.
    pub(crate) validating: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
    events: OnceLock<broadcast::Sender<SchemaEvent>>,
}

/// What is known of it, all under one lock.
#[derive(Debug, Default)]
struct Known {
    /// The registered models, sorted by slot.
    records: Vec<Record>,
    /// The pass under way.
    flight: Option<Flight>,
    /// What the database said before the oldest look at a table that is still trusted.
    signal: Option<SchemaSignal>,
    /// What the second level said, likewise.
    stamp: Option<Stamp>,
}

/// A table that is held, as eviction sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    entry: &'static ModelEntry,
    generation: SlotGeneration,
    pub(crate) order: u64,
    pub(crate) is_idle: bool,
}

/// How many events wait for a subscriber that is slow; then it misses the oldest.
const EVENTS_MAX: usize = 256;

impl Database {
    pub(crate) fn new(
        cache: Arc<SchemaCache>,
        identity: Option<Arc<str>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            slots: Slots::default(),
            validated: AtomicU64::new(0),
            clock,
            cache,
            identity,
            counters: Counters::default(),
            bump_due: AtomicBool::new(false),
            validating: tokio::sync::Mutex::new(()),
            known: Mutex::default(),
            events: OnceLock::new(),
        }
    }

    pub(crate) fn slot(&self, entry: &'static ModelEntry) -> &Slot {
        self.slots.slot(entry.slot())
    }

    pub(crate) fn validated(&self) -> Tick {
        Tick::from_nanos(self.validated.load(Ordering::Relaxed))
    }

    pub(crate) fn set_validated(&self, at: Tick) {
        self.validated.store(at.as_nanos(), Ordering::Relaxed);
    }

    /// Registers models, so that the next pass checks them too.
    pub(crate) fn register(&self, entries: impl IntoIterator<Item = &'static ModelEntry>) {
        let mut known = self.lock();
        for entry in entries {
            known.record(entry);
        }
    }

    /// The registered models, in the order of their first use in the process.
    pub(crate) fn registered(&self) -> Vec<&'static ModelEntry> {
        self.lock().records.iter().map(|record| record.entry).collect()
    }

    /// Joins the pass under way, or begins one with every table that needs it.
    pub(crate) fn board(
        self: &Arc<Self>,
        entry: &'static ModelEntry,
        purpose: Purpose,
        is_trusted: impl Fn(&Slot) -> bool,
    ) -> Boarding {
        let now = self.clock.now();
        let mut known = self.lock();
        let slot = self.slot(entry);
        // A pass marks its tables before it leaves, so who finds it gone finds its marks.
        if is_trusted(slot) {
            return Boarding::Ensured;
        }
        let record = known.record(entry);
        if let Some(failure) = record.backing_off(now) {
            let cause = Arc::clone(&failure.error);
            let retry_in = failure.until.since(now);
            let table = entry.table().name().clone();
            self.counters.backed_off.increment();
            return Boarding::BackingOff(SchemaError::BackingOff { table, retry_in, cause });
        }
        if let Some(flight) = &known.flight {
            let place = flight.place(entry, slot.generation());
            return match place.filter(|_| flight.purpose == purpose) {
                Some(place) => {
                    Boarding::Join(flight.landing.clone(), Arc::clone(&flight.members), place)
                }
                None => Boarding::Wait(flight.landing.clone()),
            };
        }
        // Asked for a second time, a table may be trusted that was not: another has validated it.
        let needs_it = |record: &&Record| {
            std::ptr::eq(record.entry, entry)
                || (!is_trusted(self.slot(record.entry)) && record.joins_others(now))
        };
        let records = known.records.iter().filter(needs_it);
        let members: Vec<_> = records.map(|record| self.member(record)).collect();
        let expired = members.iter().filter(|member| self.slot(member.entry).is_held());
        self.counters.expired.add(expired.count() as u64);
        let place = Member::find(&members, entry);
        let (flight, pilot) = Flight::new(Arc::clone(self), purpose, members);
        known.flight = Some(flight);
        // Its record is there, so it is a member.
        Boarding::Lead(pilot, place.unwrap_or_default())
    }

    /// Begins a pass over the doubted tables, unless there are none or one is under way.
    pub(crate) fn board_doubted(self: &Arc<Self>) -> Option<Pilot> {
        let mut known = self.lock();
        if known.flight.is_some() {
            return None;
        }
        let doubted = |record: &&Record| self.slot(record.entry).is_doubted();
        let records = known.records.iter().filter(doubted);
        let members: Vec<_> = records.map(|record| self.member(record)).collect();
        if members.is_empty() {
            return None;
        }
        let (flight, pilot) = Flight::new(Arc::clone(self), Purpose::Look, members);
        known.flight = Some(flight);
        Some(pilot)
    }

    fn member(&self, record: &Record) -> Member {
        let slot = self.slot(record.entry);
        let generation = slot.generation();
        Member { entry: record.entry, generation, was_doubted: slot.is_doubted() }
    }

    /// Ends a pass: marks what it ensured and tells everybody who waits.
    ///
    /// `verified` has the moment before anything was looked at, for each of its tables.
    pub(crate) fn land(
        &self,
        pilot: Pilot,
        verified: &[Tick],
        outcomes: Outcomes,
        back_off: BackOff,
    ) {
        let (now, now_ms) = (self.clock.now(), self.clock.unix_millis());
        let mut events = Vec::new();
        let mut known = self.lock();
        for ((member, verified), outcome) in pilot.members.iter().zip(verified).zip(&*outcomes) {
            let retry = |failures| now.after(back_off.pause(failures));
            let is_look = pilot.purpose == Purpose::Look;
            events.extend(judge(member, outcome, is_look).into_iter().flatten());
            let slot = self.slot(member.entry);
            let was_held = slot.is_held();
            match outcome {
                Ok(_) => {
                    if slot.ensure(member.generation, *verified) {
                        known.record(member.entry).ensured(self.cache.next_order(), now_ms);
                    }
                }
                Err(SchemaError::Store { .. }) if is_look => {}
                Err(error) => {
                    slot.fail(member.generation);
                    if !is_look && slot.generation() == member.generation {
                        known.record(member.entry).failed(error, retry);
                    }
                }
            }
            self.count(was_held, slot.is_held());
        }
        known.flight = None;
        drop(known);
        pilot.tell(outcomes);
        self.cache.enforce();
        events.into_iter().for_each(|event| self.tell(event));
    }

    /// Takes a pass away whose leader went away.
    pub(crate) fn end_flight(&self) {
        self.lock().flight = None;
    }

    /// Counts a table as ensured from now on, on somebody's word.
    pub(crate) fn mark(&self, entry: &'static ModelEntry) {
        let (now, now_ms) = (self.clock.now(), self.clock.unix_millis());
        let mut known = self.lock();
        let slot = self.slot(entry);
        let was_held = slot.is_held();
        slot.ensure(slot.generation(), now);
        known.record(entry).ensured(self.cache.next_order(), now_ms);
        self.count(was_held, slot.is_held());
        drop(known);
        self.cache.enforce();
    }

    /// Forgets the tables of these models; those that were ensured.
    pub(crate) fn clear(
        &self,
        is_meant: impl Fn(&'static ModelEntry) -> bool,
    ) -> Vec<&'static ModelEntry> {
        let mut known = self.lock();
        let mut cleared = Vec::new();
        for record in known.records.iter_mut().filter(|record| is_meant(record.entry)) {
            record.recovered();
            if self.slot(record.entry).clear() {
                cleared.push(record.entry);
            }
        }
        self.cache.removed(cleared.len());
        cleared
    }

    /// Has every table looked at before it is trusted again; how many were ensured.
    pub(crate) fn doubt_all(&self) -> usize {
        let known = self.lock();
        self.doubt(&known, &[])
    }

    /// Takes note of what the database, and the second level, said before tables are looked at.
    /// If that is not what they said before, every other table that is trusted is doubted.
    pub(crate) fn settle(
        &self,
        signal: Option<&SchemaSignal>,
        stamp: Option<Stamp>,
        looked_at: &[Member],
    ) {
        let mut known = self.lock();
        let mut is_alarmed = false;
        if let Some(signal) = signal
            && known.signal.as_ref() != Some(signal)
        {
            is_alarmed = true;
            known.signal = Some(signal.clone());
        }
        if let Some(stamp) = stamp
            && known.stamp != Some(stamp)
        {
            is_alarmed = true;
            known.stamp = Some(stamp);
        }
        if is_alarmed {
            self.doubt(&known, looked_at);
        }
    }

    /// The tables that are held.
    pub(crate) fn held(&self) -> Vec<Held> {
        let known = self.lock();
        let held = known.records.iter().filter_map(|record| {
            let slot = self.slot(record.entry);
            let is_idle = slot.is_idle();
            let held = Held {
                entry: record.entry,
                generation: slot.generation(),
                order: record.order,
                is_idle,
            };
            slot.is_held().then_some(held)
        });
        held.collect()
    }

    /// Forgets a table, unless something happened to it meanwhile.
    pub(crate) fn evict(&self, held: &Held) {
        let mut known = self.lock();
        let slot = self.slot(held.entry);
        if slot.generation() == held.generation && slot.clear() {
            known.record(held.entry).is_evicted = true;
            self.cache.removed(1);
            self.counters.evictions.increment();
        }
    }

    /// Asks to be told of the next use of a table.
    pub(crate) fn set_idle(&self, held: &Held) {
        let _known = self.lock();
        self.slot(held.entry).idle();
    }

    /// How many tables are ensured.
    pub(crate) fn ensured(&self, is_trusted: impl Fn(&Slot) -> bool) -> usize {
        let known = self.lock();
        known.records.iter().filter(|record| is_trusted(self.slot(record.entry))).count()
    }

    /// What is known of every registered model.
    pub(crate) fn cached_tables(&self, is_trusted: impl Fn(&Slot) -> bool) -> Vec<CachedTable> {
        let now = self.clock.now();
        let known = self.lock();
        let is_flying = |entry: &'static ModelEntry| {
            known
                .flight
                .as_ref()
                .is_some_and(|flight| Member::find(&flight.members, entry).is_some())
        };
        let cached = known.records.iter().map(|record| {
            let slot = self.slot(record.entry);
            let state = match &record.failure {
                _ if is_trusted(slot) => TableState::Ensured,
                _ if is_flying(record.entry) => TableState::Verifying,
                Some(failure) => TableState::Failed { retry_in: failure.until.since(now) },
                None => TableState::Absent,
            };
            let moment = |ms: u64| (ms > 0).then_some(ms);
            CachedTable {
                model: record.entry.name(),
                table: record.entry.table().name(),
                state,
                first_ensured_at_ms: moment(record.first_ensured_ms),
                verified_at_ms: moment(record.verified_ms),
                verifications: record.verifications,
                failures: record.failures(),
                last_failure: record.failure.as_ref().map(|failure| failure.error.to_string()),
            }
        });
        cached.collect()
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<SchemaEvent> {
        self.events.get_or_init(|| broadcast::channel(EVENTS_MAX).0).subscribe()
    }

    /// Writes an event to the log, counts it, and tells whoever wants to know.
    pub(crate) fn tell(&self, event: SchemaEvent) {
        match &event {
            SchemaEvent::Drifted { model, table, noticed } => {
                self.counters.drifts.increment();
                let table = table.as_str();
                tracing::warn!(model, table, ?noticed, "somebody else changed a model's table");
            }
            SchemaEvent::Failed { model, table, error } => {
                self.counters.failures.increment();
                let (table, error) = (table.as_str(), error.as_ref() as &dyn std::error::Error);
                tracing::warn!(model, table, error, "a model's table can not be ensured");
            }
            SchemaEvent::Migrated { model, table, plan } => {
                self.counters.migrations.increment();
                let table = table.as_str();
                tracing::info!(model, table, %plan, "a model's table was migrated");
            }
        }
        if let Some(events) = self.events.get() {
            // Nobody listens: then there is nobody to tell.
            let _ = events.send(event);
        }
    }

    /// Doubts every table but these, and what a pass under way finds of others: it may have looked
    /// before the change that is the reason.
    fn doubt(&self, known: &Known, except: &[Member]) -> usize {
        let is_excepted = |entry: &'static ModelEntry| Member::find(except, entry).is_some();
        let doubted = known
            .records
            .iter()
            .filter(|record| !is_excepted(record.entry) && self.slot(record.entry).doubt())
            .count();
        self.cache.removed(doubted);
        let flying = known.flight.iter().flat_map(|flight| &*flight.members);
        for member in flying.filter(|member| !is_excepted(member.entry)) {
            let slot = self.slot(member.entry);
            if slot.generation() == member.generation {
                slot.overtake();
            }
        }
        doubted
    }

    fn count(&self, was_held: bool, is_held: bool) {
        match (was_held, is_held) {
            (false, true) => self.cache.added(1),
            (true, false) => self.cache.removed(1),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Every critical section leaves what is known whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The record of a model, registered now if it was not.
    fn record(&mut self, entry: &'static ModelEntry) -> &mut Record {
        let by_slot = |record: &Record| record.entry.slot().cmp(&entry.slot());
        let at = match self.records.binary_search_by(by_slot) {
            Ok(at) => at,
            Err(at) => {
                if self.records.len() == self.records.capacity() {
                    // Doubling would waste much where there are many databases with few models.
                    self.records.reserve_exact((self.records.len() / 4).max(4));
                }
                self.records.insert(at, Record::new(entry));
                at
            }
        };
        &mut self.records[at]
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let held = self.held().len();
        self.cache.removed(held);
    }
}

/// What there is to tell of an outcome: whether somebody else changed the table, and what was done.
fn judge(member: &Member, outcome: &Outcome, is_look: bool) -> [Option<SchemaEvent>; 2] {
    let (model, table) = (member.entry.name(), member.entry.table().name());
    let drifted = SchemaEvent::Drifted { model, table, noticed: Noticed::Look };
    let drifted = member.was_doubted.then_some(drifted);
    match outcome {
        Ok(Ensured::Migrated { plan }) => {
            [drifted, Some(SchemaEvent::Migrated { model, table, plan: Arc::clone(plan) })]
        }
        Ok(_) => [None, None],
        Err(error) => {
            let failed = SchemaEvent::Failed { model, table, error: Arc::new(error.clone()) };
            let is_drift = matches!(error, SchemaError::Refused { .. });
            [drifted.filter(|_| is_drift), (!is_look).then_some(failed)]
        }
    }
}
