//! The slots of one schema cache, by the number of the model.
//!
//! Invariant: a slot never moves, so that it is reached without a lock while others are added.

use std::{array, sync::OnceLock};

use crate::slot::Slot;

/// How many slots there are from the start: enough for most services.
const FIRST: usize = 32;
const FIRST_BITS: u32 = FIRST.ilog2();
const CHUNKS: usize = (usize::BITS - FIRST_BITS) as usize;

/// A table of slots that grows by chunks, each as large as all before it together.
#[derive(Debug)]
pub(crate) struct Slots {
    first: [Slot; FIRST],
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            first: array::from_fn(|_| Slot::default()),
            chunks: array::from_fn(|_| OnceLock::new()),
        }
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

    /// The slots that were ever asked for, and their neighbours.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        let chunks = self.chunks.iter().filter_map(OnceLock::get);
        self.first.iter().chain(chunks.flat_map(|chunk| chunk.iter()))
    }

    fn later(&self, number: usize) -> &Slot {
        // The chunk with index `i` starts at `FIRST << i` and has as many slots. The number is at
        // least `FIRST` here, so both differences are not negative and the index is in range.
        let index = (number.ilog2() - FIRST_BITS) as usize;
        let start = FIRST << index;
        let chunk =
            self.chunks[index].get_or_init(|| (0..start).map(|_| Slot::default()).collect());
        &chunk[number - start]
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Tick;

    use super::*;

    #[test]
    fn every_number_has_a_slot_of_its_own() {
        const NUMBERS: usize = 5 * FIRST;
        let slots = Slots::default();
        for number in 0..NUMBERS {
            let slot = slots.slot(number);
            assert!(!slot.is_ensured(), "{number}");
            slot.mark(slot.generation(), Tick::NEVER);
        }
        assert!((0..NUMBERS).all(|number| slots.slot(number).is_ensured()));
        assert_eq!(slots.iter().filter(|slot| slot.is_ensured()).count(), NUMBERS);
    }
}
