//! What is known of one model's table in one database.
//!
//! Invariant: a check marks a table as ensured only if nobody cleared it since the check began.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use larder_core::Tick;

use crate::flight::Flight;

/// One model's place in a schema cache.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The generation, an even number that clearing raises by two, plus [`ENSURED`].
    state: AtomicU64,
    /// The tick at which the mark expires. Read only where there is a time-to-live.
    expires: AtomicU64,
    /// The check under way.
    pub(crate) flight: Mutex<Option<Flight>>,
}

const ENSURED: u64 = 1;

/// The state of a slot when a check began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotGeneration(u64);

impl Slot {
    #[inline]
    pub(crate) fn is_ensured(&self) -> bool {
        self.state.load(Ordering::Acquire) & ENSURED != 0
    }

    pub(crate) fn is_ensured_at(&self, now: Tick) -> bool {
        self.is_ensured() && now < Tick::from_nanos(self.expires.load(Ordering::Relaxed))
    }

    pub(crate) fn generation(&self) -> SlotGeneration {
        SlotGeneration(self.state.load(Ordering::Acquire) & !ENSURED)
    }

    /// Marks the table as ensured, unless it was cleared since the generation was read.
    pub(crate) fn mark(&self, generation: SlotGeneration, expires: Tick) {
        // A mark that fails leaves an expiry that is too early for a later mark, never too late.
        self.expires.store(expires.as_nanos(), Ordering::Relaxed);
        self.set(generation, ENSURED);
    }

    /// Takes the mark away, after a check that failed.
    pub(crate) fn unmark(&self, generation: SlotGeneration) {
        self.set(generation, 0);
    }

    /// Takes the mark away from this check and from all that began before. `true` if there was a
    /// mark.
    pub(crate) fn clear(&self) -> bool {
        let next = |state: u64| Some((state & !ENSURED).wrapping_add(2));
        let before = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        before.unwrap_or_else(|state| state) & ENSURED != 0
    }

    fn set(&self, SlotGeneration(generation): SlotGeneration, mark: u64) {
        let next = |state: u64| (state & !ENSURED == generation).then_some(generation | mark);
        // Refused means cleared, and then there is nothing to say.
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_from_before_a_clear_does_not_count() {
        let slot = Slot::default();
        let before = slot.generation();
        assert!(!slot.clear());
        slot.mark(before, Tick::NEVER);
        assert!(!slot.is_ensured());
        slot.mark(slot.generation(), Tick::NEVER);
        assert!(slot.is_ensured());
        slot.unmark(before);
        assert!(slot.is_ensured());
        assert!(slot.clear());
        assert!(!slot.is_ensured());
    }

    #[test]
    fn a_mark_expires_at_its_tick() {
        let slot = Slot::default();
        slot.mark(slot.generation(), Tick::from_nanos(10));
        assert!(slot.is_ensured_at(Tick::from_nanos(9)));
        assert!(!slot.is_ensured_at(Tick::from_nanos(10)));
    }
}
