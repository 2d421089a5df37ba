//! What a use does that is no hit: it asks whether anything was changed, waits for another's pass,
//! or makes one.
//!
//! Invariants: times and signals that a pass vouches for were taken before anything was looked at;
//! a table that could not be ensured is not asked for again before its pause is over.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use larder_core::Tick;
use larder_migrate::{ModelRef, SchemaSignal, Standing};
use larder_model::{ModelEntry, Policy};

use crate::{
    Ensured, Schema, SchemaError, StoreError, Validation,
    flight::{self, Boarding, Member, Pilot, Purpose},
    freshness::Age,
    outcome::Outcome,
    second_level::{Looked, SecondLevel},
    slot::Slot,
};

impl Schema {
    /// Finds out how the table stands, and brings it into shape.
    pub(crate) async fn miss(&self, entry: &'static ModelEntry) -> Outcome {
        if !self.options().enabled {
            return self.check_alone(entry).await;
        }
        let slot = self.database.slot(entry);
        slot.touch();
        if slot.is_ensured() && self.age(slot) == Age::Unvalidated {
            self.validate().await;
        }
        match slot.is_ensured().then(|| self.age(slot)) {
            Some(Age::Fresh) => {
                self.count_hit();
                return Ok(Ensured::Known);
            }
            Some(Age::Stale) if self.verify_in_background(entry) => {
                self.count_hit();
                return Ok(Ensured::Known);
            }
            _ => {}
        }
        self.database.counters.misses.increment();
        self.board(entry).await
    }

    /// Waits for another's pass, or makes one.
    async fn board(&self, entry: &'static ModelEntry) -> Outcome {
        let (_, outcomes, place) = self.pass(entry).await?;
        outcomes.map_or(Ok(Ensured::Known), |outcomes| outcomes[place].clone())
    }

    /// Every registered model with what became of it, in as few passes as it takes.
    pub(crate) async fn pass_all(&self) -> Vec<(&'static ModelEntry, Outcome)> {
        let mut ended: HashMap<usize, Outcome> = HashMap::new();
        let mut all = Vec::new();
        for entry in self.database.registered() {
            if let Some(outcome) = ended.remove(&entry.slot()) {
                all.push((entry, outcome));
                continue;
            }
            if !self.options().enabled || self.is_hit(entry) {
                all.push((entry, self.ensure_entry(entry).await));
                continue;
            }
            self.database.counters.misses.increment();
            let outcome = match self.pass(entry).await {
                Err(error) => Err(error),
                Ok((_, None, _)) => Ok(Ensured::Known),
                Ok((members, Some(outcomes), place)) => {
                    let slots = members.iter().map(|member| member.entry.slot());
                    ended.extend(slots.zip(outcomes.iter().cloned()));
                    outcomes[place].clone()
                }
            };
            all.push((entry, outcome));
        }
        all
    }

    /// The pass that a table is in, and its place in it; no outcomes if there is nothing to do.
    async fn pass(&self, entry: &'static ModelEntry) -> Result<Pass, SchemaError> {
        let purpose = Purpose::Use(self.options().policy);
        loop {
            match self.database.board(entry, purpose, |slot| self.is_trusted(slot)) {
                Boarding::BackingOff(error) => return Err(error),
                Boarding::Ensured => return Ok((Arc::default(), None, 0)),
                Boarding::Join(landing, members, place) => {
                    if let Some(outcomes) = flight::landed(landing).await {
                        return Ok((members, Some(outcomes), place));
                    }
                }
                Boarding::Lead(pilot, place) => {
                    let members = Arc::clone(&pilot.members);
                    return Ok((members, Some(self.fly(pilot).await), place));
                }
                Boarding::Wait(landing) => {
                    flight::landed(landing).await;
                }
            }
        }
    }

    /// Has a table verified that is used meanwhile. `false` if there is nobody to do it.
    fn verify_in_background(&self, entry: &'static ModelEntry) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return false };
        let schema = self.clone();
        let purpose = Purpose::Use(self.options().policy);
        if let Boarding::Lead(pilot, _) =
            self.database.board(entry, purpose, |slot| self.is_trusted(slot))
        {
            runtime.spawn(async move { schema.fly(pilot).await });
        }
        true
    }

    /// Asks the database whether anything was changed, unless somebody did just now.
    async fn validate(&self) {
        let _turn = self.database.validating.lock().await;
        let now = self.database.clock.now();
        let (Validation::Signal { every } | Validation::Tokens { every }) =
            self.options().validation
        else {
            return;
        };
        if now.since(self.database.validated()) < every {
            return;
        }
        let signal = match self.options().validation {
            Validation::Signal { .. } => self.store().signal().await.ok(),
            _ => None,
        };
        match signal {
            Some(signal) => self.database.settle(Some(&signal), None, &[]),
            // Without an answer nothing is trusted; tokens are compared by looking at the tables.
            None => {
                self.database.doubt_all();
            }
        }
        self.database.set_validated(now);
    }

    /// Makes a pass: asks the second level, then the database, and tells everybody.
    pub(crate) async fn fly(&self, pilot: Pilot) -> flight::Outcomes {
        let start = self.database.clock.now();
        let start_ms = self.database.clock.unix_millis();
        let members = Arc::clone(&pilot.members);
        let signal = match self.options().wants_signal() {
            true => self.store().signal().await.ok(),
            false => None,
        };
        let looked = self.look(&members, signal.as_ref(), start_ms).await;
        let stamp = looked.as_ref().map(|looked| looked.stamp);
        self.database.settle(signal.as_ref(), stamp, &members);
        if signal.is_some() {
            self.database.set_validated(start);
        }

        let mut verified = vec![start; members.len()];
        let mut outcomes: Vec<Option<Outcome>> = vec![None; members.len()];
        for (at, found) in looked.iter().flat_map(|looked| &looked.found).enumerate() {
            // What is doubted is looked at, whatever others say.
            if let Some(ms) = found.verified_ms.filter(|_| !members[at].was_doubted) {
                let age = Duration::from_millis(start_ms.saturating_sub(ms));
                verified[at] = before(start, age);
                outcomes[at] = Some(Ok(Ensured::Warm));
                self.database.counters.warmed.increment();
            }
        }
        let cold: Vec<_> = (0..members.len()).filter(|at| outcomes[*at].is_none()).collect();
        let entries: Vec<_> = cold.iter().map(|at| members[*at].entry).collect();
        for (at, outcome) in cold.iter().zip(self.ask(&entries, pilot.purpose).await) {
            outcomes[*at] = Some(outcome);
        }
        let outcomes: flight::Outcomes = outcomes.into_iter().flatten().collect();
        self.database.land(pilot, &verified, Arc::clone(&outcomes), self.options().back_off);
        self.share(&members, &outcomes, looked, signal, start_ms);
        outcomes
    }

    /// Asks the database; as many outcomes as models.
    async fn ask(&self, entries: &[&'static ModelEntry], purpose: Purpose) -> Vec<Outcome> {
        if entries.is_empty() {
            return Vec::new();
        }
        self.database.counters.checks.increment();
        let policy = match purpose {
            Purpose::Look => Policy::Verify,
            Purpose::Use(policy) => policy,
        };
        let models: Vec<_> = entries.iter().map(|entry| ModelRef::from(*entry)).collect();
        let mut standings = self.store().ensure(&models, policy).await.into_iter();
        let outcome = |entry: &&'static ModelEntry| {
            let standing = standings.next().unwrap_or_else(|| Err(Arc::new(Unanswered)));
            judge(entry, standing, policy)
        };
        entries.iter().map(outcome).collect()
    }

    /// Checks one table for one caller, and remembers nothing.
    async fn check_alone(&self, entry: &'static ModelEntry) -> Outcome {
        let counters = &self.database.counters;
        counters.misses.increment();
        let mut outcomes = self.ask(&[entry], Purpose::Use(self.options().policy)).await;
        // There are as many outcomes as models.
        let outcome = outcomes.remove(0);
        match &outcome {
            Ok(Ensured::Migrated { .. }) => counters.migrations.increment(),
            Ok(_) => {}
            Err(_) => counters.failures.increment(),
        }
        outcome
    }

    /// Asks the second level, if there is one and it can be relied on.
    async fn look(
        &self,
        members: &[Member],
        signal: Option<&SchemaSignal>,
        now_ms: u64,
    ) -> Option<Looked> {
        let (second, signal) = (self.second_level()?, signal?);
        if !self.flush().await {
            return None;
        }
        let entries: Vec<_> = members.iter().map(|member| member.entry).collect();
        second.look(&entries, signal, now_ms).await
    }

    /// Tells other processes what a pass found.
    fn share(
        &self,
        members: &[Member],
        outcomes: &[Outcome],
        looked: Option<Looked>,
        signal: Option<SchemaSignal>,
        verified_ms: u64,
    ) {
        let is_change = |(member, outcome): (&Member, &Outcome)| match outcome {
            Ok(Ensured::Migrated { .. }) => true,
            Ok(_) => false,
            Err(error) => member.was_doubted && matches!(error, SchemaError::Refused { .. }),
        };
        if members.iter().zip(outcomes).any(is_change) {
            self.invalidate_elsewhere();
            return;
        }
        let (Some(looked), Some(signal)) = (looked, signal) else { return };
        let verified = outcomes.iter().enumerate();
        let verified = verified.filter(|(_, outcome)| matches!(outcome, Ok(Ensured::Verified)));
        let verified: Vec<_> = verified.map(|(at, _)| (at, members[at].entry)).collect();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let schema = self.clone();
        runtime.spawn(async move {
            let ttl = schema.options().time_to_live;
            for (at, entry) in verified {
                let Some(second) = schema.second_level() else { return };
                let place = (looked.stamp, &looked.found[at]);
                second.tell(entry, place, &signal, verified_ms, ttl).await;
            }
        });
    }

    /// Has other processes look at the tables again.
    pub(crate) fn invalidate_elsewhere(&self) {
        if self.second_level().is_none() {
            return;
        }
        self.database.bump_due.store(true, Ordering::Release);
        // Without a runtime, whoever asks the second level next does it first.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let schema = self.clone();
            runtime.spawn(async move { schema.flush().await });
        }
    }

    /// Tells the second level what was invalidated here. `true` if nothing is left to tell.
    pub(crate) async fn flush(&self) -> bool {
        let Some(second) = self.second_level() else { return true };
        if !self.database.bump_due.swap(false, Ordering::AcqRel) {
            return true;
        }
        let owing = Owing(self);
        let is_told = second.bump().await;
        if is_told {
            std::mem::forget(owing);
        }
        is_told
    }

    pub(crate) fn second_level(&self) -> Option<SecondLevel<'_>> {
        let options = self.options();
        Some(SecondLevel {
            backend: options.second_level.as_deref()?,
            identity: self.database.identity.as_deref()?,
            limit: options.second_level_time_limit,
        })
    }

    /// Whether a table counts as ensured, so that nothing is to be done.
    pub(crate) fn is_trusted(&self, slot: &Slot) -> bool {
        slot.is_held() && self.age(slot) == Age::Fresh
    }

    fn age(&self, slot: &Slot) -> Age {
        self.freshness.map_or(Age::Fresh, |freshness| {
            freshness.age(slot, self.database.validated(), self.database.clock.coarse())
        })
    }
}

/// The tables of a pass, its outcomes, and the place of one table in both.
type Pass = (Arc<[Member]>, Option<flight::Outcomes>, usize);

/// The moment so much earlier, or the origin of the clock.
fn before(at: Tick, age: Duration) -> Tick {
    let since_origin = at.since(Tick::default());
    Tick::default().after(since_origin.saturating_sub(age))
}

/// Something that the second level was not told: dropped, it is still to be told.
struct Owing<'a>(&'a Schema);

impl Drop for Owing<'_> {
    fn drop(&mut self) {
        self.0.database.bump_due.store(true, Ordering::Release);
    }
}

/// A store that does not answer for every model.
#[derive(Debug, thiserror::Error)]
#[error("the store said nothing of the model")]
struct Unanswered;

/// What a standing means for whoever uses the table.
fn judge(
    entry: &'static ModelEntry,
    standing: Result<Standing, StoreError>,
    policy: Policy,
) -> Outcome {
    let table = entry.table().name();
    match standing {
        Ok(Standing::Verified) => Ok(Ensured::Verified),
        Ok(Standing::Migrated { plan }) => Ok(Ensured::Migrated { plan }),
        Ok(Standing::Refused { plan, refused }) => {
            Err(SchemaError::Refused { table: table.clone(), policy, plan, refused })
        }
        Ok(Standing::Pending { plan }) => {
            let refused = plan.refused(Policy::Verify, &[]);
            Err(SchemaError::Refused { table: table.clone(), policy, plan, refused })
        }
        Ok(_) => Err(SchemaError::store(table, Arc::new(Unanswered))),
        Err(source) => Err(SchemaError::store(table, source)),
    }
}
