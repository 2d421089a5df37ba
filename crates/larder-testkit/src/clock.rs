//! A clock that stands still until a test moves it.
//!
//! It guards the rule that no test sleeps and hopes: what depends on time depends on this.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use larder_core::{Clock, Tick};

/// A [`Clock`] that moves only when it is told to.
///
/// The monotonic reading starts at one hour, so that "an hour ago" can be expressed, and the wall
/// clock at [`ManualClock::START_UNIX_MILLIS`]. [`Clock::coarse`] equals [`Clock::now`].
///
/// ```
/// use larder_core::Clock;
/// use larder_testkit::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_millis(1_500));
/// assert_eq!(clock.now().since(before), Duration::from_millis(1_500));
/// assert_eq!(clock.unix_millis(), ManualClock::START_UNIX_MILLIS + 1_500);
/// ```
#[derive(Debug)]
pub struct ManualClock {
    nanos: AtomicU64,
    /// What the wall clock showed when `nanos` was [`START`].
    unix_millis: u64,
}

/// Where the monotonic reading starts, in nanoseconds.
const START: u64 = 3_600 * 1_000_000_000;

impl ManualClock {
    /// The wall clock's reading at the start: 2025-01-01 00:00:00 UTC, in Unix milliseconds.
    pub const START_UNIX_MILLIS: u64 = 1_735_689_600_000;

    /// A clock at its start.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::starting_at(Self::START_UNIX_MILLIS)
    }

    /// A clock whose wall clock starts at this many milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn starting_at(unix_millis: u64) -> Arc<Self> {
        Arc::new(Self { nanos: AtomicU64::new(START), unix_millis })
    }

    /// Moves both readings forward; the monotonic one saturates at [`Tick::NEVER`].
    pub fn advance(&self, by: Duration) {
        let step = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let later = |nanos: u64| Some(nanos.saturating_add(step));
        // The closure always returns a value, so there is no failure to handle.
        let _ = self.nanos.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Tick {
        Tick::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn coarse(&self) -> Tick {
        self.now()
    }

    fn coarse_lag(&self) -> Duration {
        Duration::ZERO
    }

    fn unix_millis(&self) -> u64 {
        let elapsed = self.now().as_nanos().saturating_sub(START);
        self.unix_millis.saturating_add(elapsed / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_it_is_moved() {
        let clock = ManualClock::starting_at(5_000);
        assert_eq!((clock.now(), clock.unix_millis()), (clock.coarse(), 5_000));
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_micros(1_999));
        assert_eq!(clock.now().since(before), Duration::from_micros(1_999));
        assert_eq!(clock.unix_millis(), 5_001);
    }

    #[test]
    fn time_saturates_instead_of_wrapping() {
        let clock = ManualClock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Tick::NEVER);
    }
}
