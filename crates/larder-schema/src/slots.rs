//! The slots of one database, by the number of the model.
//!
//! Invariants: a slot never moves, so that it is reached without a lock while others are added; a
//! database that has few of a process's many models has few slots.

use std::{array, sync::OnceLock};

use crate::slot::Slot;

/// How many slots there are from the start: enough for most services.
const FIRST: usize = 32;
/// How many come together later, where a model needs one of them.
const PAGE: usize = 64;
const LISTS: usize = (usize::BITS - PAGE.ilog2()) as usize;

/// A table of slots that grows by pages, in lists of which each is as long as all before it
/// together.
#[derive(Debug)]
pub(crate) struct Slots {
    first: [Slot; FIRST],
    /// Apart, because a process with many databases mostly does without.
    later: OnceLock<Box<[OnceLock<Pages>; LISTS]>>,
}

type Pages = Box<[OnceLock<Box<[Slot; PAGE]>>]>;

impl Default for Slots {
    fn default() -> Self {
        Self { first: array::from_fn(|_| Slot::default()), later: OnceLock::new() }
    }
}

impl Slots {
    #[inline]
    pub(crate) fn slot(&self, number: usize) -> &Slot {
        match self.first.get(number) {
            Some(slot) => slot,
            None => self.later(number - FIRST),
        }
    }

    fn later(&self, number: usize) -> &Slot {
        let page = number / PAGE;
        // The list with index `i` has `1 << i` pages, from page `(1 << i) - 1` on. A page number is
        // less than `usize::MAX / PAGE`, so the index is less than `LISTS`.
        let list = (page + 1).ilog2() as usize;
        let start = (1 << list) - 1;
        let later = self.later.get_or_init(|| Box::new(array::from_fn(|_| OnceLock::new())));
        let pages = later[list].get_or_init(|| (0..=start).map(|_| OnceLock::new()).collect());
        let slots =
            pages[page - start].get_or_init(|| Box::new(array::from_fn(|_| Slot::default())));
        &slots[number % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Tick;

    use super::*;

    #[test]
    fn every_number_has_a_slot_of_its_own() {
        const NUMBERS: usize = FIRST + 9 * PAGE;
        let slots = Slots::default();
        for number in 0..NUMBERS {
            let slot = slots.slot(number);
            assert!(!slot.is_ensured(), "{number}");
            slot.ensure(slot.generation(), Tick::default());
        }
        assert!((0..NUMBERS).all(|number| slots.slot(number).is_ensured()));
        for number in [NUMBERS, 10 * NUMBERS, 1_000_000] {
            assert!(!slots.slot(number).is_ensured(), "{number}");
        }
    }
}
