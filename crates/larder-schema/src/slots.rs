//! The slots of one database, by the number of the model.
//!
//! Invariant: a slot never moves, so that it is reached without a lock while others are added.

use std::{array, sync::OnceLock};

use crate::slot::Slot;

/// How many slots there are from the start: enough for most databases.
const FIRST: usize = 16;
const FIRST_BITS: u32 = FIRST.ilog2();
const CHUNKS: usize = (usize::BITS - FIRST_BITS) as usize;

/// A table of slots that grows by chunks, each as large as all before it together.
#[derive(Debug)]
pub(crate) struct Slots {
    first: [Slot; FIRST],
    /// Apart, because a process with many databases mostly does without.
    later: OnceLock<Box<Later>>,
}

type Later = [OnceLock<Box<[Slot]>>; CHUNKS];

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
            None => self.later(number),
        }
    }

    fn later(&self, number: usize) -> &Slot {
        // The chunk with index `i` starts at `FIRST << i` and has as many slots. The number is at
        // least `FIRST` here, so both differences are not negative and the index is in range.
        let index = (number.ilog2() - FIRST_BITS) as usize;
        let start = FIRST << index;
        let later = self.later.get_or_init(|| Box::new(array::from_fn(|_| OnceLock::new())));
        let chunk = later[index].get_or_init(|| (0..start).map(|_| Slot::default()).collect());
        &chunk[number - start]
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Tick;

    use super::*;

    #[test]
    fn every_number_has_a_slot_of_its_own() {
        const NUMBERS: usize = 9 * FIRST;
        let slots = Slots::default();
        for number in 0..NUMBERS {
            let slot = slots.slot(number);
            assert!(!slot.is_ensured(), "{number}");
            slot.ensure(slot.generation(), Tick::default());
        }
        assert!((0..NUMBERS).all(|number| slots.slot(number).is_ensured()));
        assert!(!slots.slot(NUMBERS).is_ensured());
    }
}
