//! How long a table that could not be ensured is left alone.
//!
//! Invariant: there is always a next try, however often it failed.

use std::time::Duration;

/// The pause after a failure: a random part of a time that doubles with every failure in a row.
///
/// The whole time is random ("full jitter"), so that many processes that failed together do not
/// try again together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    base: Duration,
    max: Duration,
}

impl Default for BackOff {
    /// Up to 100 ms after the first failure, up to a minute after many.
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(60))
    }
}

impl BackOff {
    /// No pause: every use tries again.
    pub const NONE: Self = Self { base: Duration::ZERO, max: Duration::ZERO };

    /// Up to `base` after the first failure, up to twice as long after each further one, and
    /// never longer than `max`.
    #[must_use]
    pub const fn new(base: Duration, max: Duration) -> Self {
        Self { base, max }
    }

    /// The longest pause after so many failures in a row.
    #[must_use]
    pub fn longest(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.max)
    }

    /// A pause after so many failures in a row.
    pub(crate) fn pause(self, failures: u32) -> Duration {
        self.longest(failures).mul_f64(rand::random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_end() {
        let pause = BackOff::new(Duration::from_secs(1), Duration::from_secs(60));
        let longest = |failures| pause.longest(failures).as_secs();
        assert_eq!([1, 2, 3, 6, 7].map(longest), [1, 2, 4, 32, 60]);
        assert_eq!(longest(u32::MAX), 60);
        assert_eq!(BackOff::NONE.longest(9), Duration::ZERO);
    }

    #[test]
    fn a_pause_is_anything_up_to_the_longest() {
        let pause = BackOff::new(Duration::from_secs(8), Duration::from_secs(60));
        let pauses: Vec<_> = (0..200).map(|_| pause.pause(1)).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(8)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_secs(4)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(4)));
    }
}
