//! Random numbers that a seed repeats.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// SplitMix64: one addition and a mix per number, which is random enough for jitter and garbage.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that nobody chose.
    pub(super) fn fresh_seed() -> u64 {
        RandomState::new().hash_one(())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        words.flatten().take(len).collect()
    }

    /// A duration from zero to `most`.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.next() % nanos.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_another_does_not() {
        let bytes = |seed| Random::new(seed).bytes(33);
        assert_eq!(bytes(7), bytes(7));
        assert_ne!(bytes(7), bytes(8));
        assert_eq!(bytes(7).len(), 33);
    }

    #[test]
    fn a_random_duration_stays_within_its_bound() {
        let mut random = Random::new(1);
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
        let most = Duration::from_millis(3);
        let drawn: Vec<_> = (0..1_000).map(|_| random.up_to(most)).collect();
        assert!(drawn.iter().all(|drawn| *drawn <= most));
        assert!(drawn.iter().any(|drawn| *drawn > most / 2));
    }
}
