//! What is known of one model's table in one database, as far as a hit reads it.
//!
//! Invariants: a check marks a table as ensured only if nobody cleared or doubted it since the
//! check began; a hit is one load of the state. Every change but [`Slot::touch`] is made by who
//! holds the database's lock, so that the marks can be counted.

use std::sync::atomic::{AtomicU64, Ordering};

use larder_core::Tick;

/// One model's place in the cache of one database.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The generation, a multiple of [`STEP`] that clearing raises by one step, plus the mark.
    state: AtomicU64,
    /// When the check began that marked it last.
    verified: AtomicU64,
}

const STEP: u64 = 4;
const MARK: u64 = STEP - 1;

/// Nothing is known of the table.
const ABSENT: u64 = 0;
/// It is as the model wants it.
const ENSURED: u64 = 1;
/// It is, and nobody has used it since eviction last looked.
const IDLE: u64 = 2;
/// It was, and somebody may have changed it since.
const DOUBTED: u64 = 3;

/// The state of a slot when a check began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotGeneration(u64);

impl Slot {
    /// Whether it is ensured and in use: what a hit asks.
    #[inline]
    pub(crate) fn is_ensured(&self) -> bool {
        self.state.load(Ordering::Acquire) & MARK == ENSURED
    }

    /// Whether it is ensured, in use or not: what counts towards the size of the cache.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.mark(), ENSURED | IDLE)
    }

    /// Whether nobody has used it since eviction last looked.
    pub(crate) fn is_idle(&self) -> bool {
        self.mark() == IDLE
    }

    /// Whether it was ensured and somebody may have changed the table since.
    pub(crate) fn is_doubted(&self) -> bool {
        self.mark() == DOUBTED
    }

    /// When the check began that marked it last.
    #[inline]
    pub(crate) fn verified(&self) -> Tick {
        Tick::from_nanos(self.verified.load(Ordering::Relaxed))
    }

    pub(crate) fn generation(&self) -> SlotGeneration {
        SlotGeneration(self.state.load(Ordering::Acquire) & !MARK)
    }

    /// Notes that an idle table is in use. `true` if it was idle.
    pub(crate) fn touch(&self) -> bool {
        self.update(|generation, mark| (mark == IDLE).then_some(generation | ENSURED))
    }

    /// Marks the table as ensured by a check that began at `verified`, unless it was cleared or
    /// doubted since the generation was read. `true` if it is marked now.
    pub(crate) fn ensure(&self, SlotGeneration(of): SlotGeneration, verified: Tick) -> bool {
        if self.generation() != SlotGeneration(of) {
            return false;
        }
        self.verified.store(verified.as_nanos(), Ordering::Relaxed);
        self.update(|generation, _| (generation == of).then_some(generation | ENSURED))
    }

    /// Takes the mark away, after a check that failed.
    pub(crate) fn fail(&self, SlotGeneration(of): SlotGeneration) {
        self.update(|generation, _| (generation == of).then_some(generation | ABSENT));
    }

    /// Takes the mark away from this check and from all that began before. `true` if it was
    /// ensured.
    pub(crate) fn clear(&self) -> bool {
        let was_held = self.is_held();
        self.update(|generation, _| Some(generation.wrapping_add(STEP) | ABSENT));
        was_held
    }

    /// Has it looked at before it is trusted again, and not by a check that began before. `true`
    /// if it was ensured.
    pub(crate) fn doubt(&self) -> bool {
        self.update(|generation, mark| {
            matches!(mark, ENSURED | IDLE).then_some(generation.wrapping_add(STEP) | DOUBTED)
        })
    }

    /// Has a check that is under way not be remembered, whatever it finds. For a table that is not
    /// ensured.
    pub(crate) fn overtake(&self) {
        self.update(|generation, mark| Some(generation.wrapping_add(STEP) | mark));
    }

    /// Asks to be told of the next use.
    pub(crate) fn idle(&self) {
        self.update(|generation, mark| (mark == ENSURED).then_some(generation | IDLE));
    }

    fn mark(&self) -> u64 {
        self.state.load(Ordering::Acquire) & MARK
    }

    /// Changes generation and mark together; `true` unless there was nothing to change.
    fn update(&self, change: impl Fn(u64, u64) -> Option<u64>) -> bool {
        let next = |state: u64| change(state & !MARK, state & MARK);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensured() -> Slot {
        let slot = Slot::default();
        assert!(slot.ensure(slot.generation(), Tick::from_nanos(7)));
        slot
    }

    #[test]
    fn a_mark_from_before_a_clear_does_not_count() {
        let slot = Slot::default();
        let before = slot.generation();
        assert!(!slot.clear());
        assert!(!slot.ensure(before, Tick::from_nanos(1)));
        assert!(!slot.is_ensured());
        assert_eq!(slot.verified(), Tick::default(), "nor does its time");
        assert!(slot.ensure(slot.generation(), Tick::from_nanos(2)));
        slot.fail(before);
        assert!(slot.is_ensured());
        assert!(slot.clear());
        assert!(!slot.is_held());
    }

    #[test]
    fn a_doubted_table_is_not_trusted_and_not_marked_by_an_earlier_check() {
        let slot = ensured();
        let before = slot.generation();
        assert!(slot.doubt());
        assert!(!slot.doubt(), "it is doubted already");
        assert!(slot.is_doubted() && !slot.is_held() && !slot.is_ensured());
        assert!(!slot.ensure(before, Tick::NEVER));
        assert!(slot.ensure(slot.generation(), Tick::from_nanos(8)));
        assert!(slot.is_ensured());
        assert!(!Slot::default().doubt(), "of what is not known there is no doubt");
    }

    #[test]
    fn an_idle_table_is_held_until_it_is_used_again() {
        let slot = ensured();
        slot.idle();
        assert!(slot.is_idle() && slot.is_held() && !slot.is_ensured());
        assert!(slot.touch());
        assert!(!slot.touch());
        assert!(slot.is_ensured());
        assert_eq!(slot.verified(), Tick::from_nanos(7));
    }

    #[test]
    fn who_clears_and_who_marks_at_once_leave_no_mark_of_an_earlier_check() {
        for _ in 0..200 {
            let slot = Slot::default();
            let before = slot.generation();
            std::thread::scope(|scope| {
                scope.spawn(|| slot.ensure(before, Tick::from_nanos(1)));
                scope.spawn(|| slot.clear());
            });
            assert!(!slot.is_held(), "whichever came first");
        }
    }
}
