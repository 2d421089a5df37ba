//! Single-flight: at most one check per table and process.
//!
//! Invariants: nobody joins a check that began before a clear that they must see; a check whose
//! leader went away is led by one of those who waited; a failure reaches all who waited.

use std::sync::{MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{
    Ensured, SchemaError,
    slot::{Slot, SlotGeneration},
};

/// What a check found.
pub(crate) type Outcome = Result<Ensured, SchemaError>;

/// A check under way, as those see it who wait for it.
#[derive(Debug)]
pub(crate) struct Flight {
    generation: SlotGeneration,
    landing: watch::Receiver<Option<Outcome>>,
}

/// The part that a caller has in the check of a table.
#[derive(Debug)]
pub(crate) enum Boarding<'a> {
    /// None: somebody has checked it meanwhile.
    Ensured,
    /// To wait for another's check.
    Join(watch::Receiver<Option<Outcome>>),
    /// To check it.
    Lead(Pilot<'a>),
}

/// The right, and the duty, to check a table. Dropped without landing, it leaves the slot to the
/// next, and those who wait notice that the channel is closed.
#[derive(Debug)]
pub(crate) struct Pilot<'a> {
    slot: &'a Slot,
    pub(crate) generation: SlotGeneration,
    /// Empty once landed.
    landing: Option<watch::Sender<Option<Outcome>>>,
}

impl Slot {
    /// Joins the check of this slot, or begins one.
    pub(crate) fn board(&self, is_ensured: impl FnOnce(&Self) -> bool) -> Boarding<'_> {
        let mut flight = self.lock();
        // A check marks the slot before it leaves, so who finds it gone finds its mark.
        if is_ensured(self) {
            return Boarding::Ensured;
        }
        let generation = self.generation();
        if let Some(flight) = flight.as_ref().filter(|flight| flight.generation == generation) {
            return Boarding::Join(flight.landing.clone());
        }
        let (sender, landing) = watch::channel(None);
        *flight = Some(Flight { generation, landing });
        Boarding::Lead(Pilot { slot: self, generation, landing: Some(sender) })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Flight>> {
        // Every critical section leaves the flight whole.
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pilot<'_> {
    /// Ends the check and tells everybody who waits.
    pub(crate) fn land(mut self, outcome: Outcome) {
        self.leave();
        if let Some(landing) = self.landing.take() {
            landing.send_replace(Some(outcome));
        }
    }

    fn leave(&self) {
        let mut flight = self.slot.lock();
        // After a clear, another check may have taken the place.
        if flight.as_ref().is_some_and(|flight| flight.generation == self.generation) {
            *flight = None;
        }
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        if self.landing.is_some() {
            self.leave();
        }
    }
}

/// Waits for another's check; `None` if its leader went away.
pub(crate) async fn landed(mut landing: watch::Receiver<Option<Outcome>>) -> Option<Outcome> {
    let landed = landing.wait_for(Option::is_some).await.ok()?;
    landed.clone()
}

#[cfg(test)]
mod tests {
    use larder_core::Tick;

    use super::*;

    fn board(slot: &Slot) -> Boarding<'_> {
        slot.board(Slot::is_ensured)
    }

    #[track_caller]
    fn lead(slot: &Slot) -> Pilot<'_> {
        match board(slot) {
            Boarding::Lead(pilot) => pilot,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_finds_the_check_gone_finds_its_mark() {
        let slot = Slot::default();
        let pilot = lead(&slot);
        assert!(matches!(board(&slot), Boarding::Join(_)));
        slot.mark(pilot.generation, Tick::NEVER);
        pilot.land(Ok(Ensured::Verified));
        assert!(matches!(board(&slot), Boarding::Ensured));
    }

    #[test]
    fn a_pilot_that_goes_away_leaves_the_slot_to_the_next() {
        let slot = Slot::default();
        drop(lead(&slot));
        drop(lead(&slot));
    }

    #[test]
    fn an_old_check_does_not_take_a_new_one_away() {
        let slot = Slot::default();
        let old = lead(&slot);
        slot.clear();
        let new = lead(&slot);
        old.land(Ok(Ensured::Verified));
        assert!(matches!(board(&slot), Boarding::Join(_)));
        drop(new);
        drop(lead(&slot));
    }
}
