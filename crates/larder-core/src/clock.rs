//! The only file that asks the operating system for the time.
//!
//! Everything else holds an `Arc<dyn Clock>`, so that a test can hold time still.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A point on a monotonic clock, in nanoseconds since an origin that the clock chose.
///
/// Ticks of one [`Clock`] can be compared; ticks of two clocks can not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// A tick that no clock reaches.
    pub const NEVER: Self = Self(u64::MAX);

    /// The tick at this many nanoseconds after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The tick a duration later; [`Tick::NEVER`] where that does not fit.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// How much time has passed since `earlier`; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Where the time comes from.
///
/// The three readings differ in price and meaning: expiry and time limits use the monotonic
/// ones, so that a step of the wall clock expires nothing; entries that leave the process carry
/// the wall clock, because that is the only one that two machines share.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The monotonic time, precise (about 20 ns a call).
    fn now(&self) -> Tick;

    /// The monotonic time as of the operating system's last timer tick (about 3 ns a call).
    ///
    /// It shares its origin with [`Clock::now`] and lags behind it by [`Clock::coarse_lag`] at
    /// most, so that what is checked against it expires that much late, never early.
    fn coarse(&self) -> Tick;

    /// The most by which [`Clock::coarse`] lags.
    fn coarse_lag(&self) -> Duration;

    /// The wall clock, in milliseconds since 1970-01-01 UTC.
    fn unix_millis(&self) -> u64;
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    precise_origin: Instant,
    coarse_origin: coarsetime::Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn new() -> Self {
        // The coarse reading comes first: it lags, so coarse ticks never run ahead of precise ones.
        Self {
            coarse_origin: coarsetime::Instant::now_without_cache_update(),
            precise_origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Tick {
        Tick::default().after(Instant::now().duration_since(self.precise_origin))
    }

    fn coarse(&self) -> Tick {
        // The plain `now` also stores into a process-wide cell, over which two cores would fight.
        let now = coarsetime::Instant::now_without_cache_update();
        let elapsed = now.duration_since(self.coarse_origin);
        Tick::from_nanos(elapsed.as_nanos())
    }

    fn coarse_lag(&self) -> Duration {
        // The slowest timer that Linux is built with ticks a hundred times a second.
        Duration::from_millis(10)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn unix_millis(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_time_stays_within_its_lag() {
        let clock = SystemClock::new();
        let before = clock.now();
        let coarse = clock.coarse().after(2 * clock.coarse_lag());
        assert!(coarse >= before, "the coarse clock lags too far behind");
    }

    #[test]
    fn ticks_saturate_instead_of_wrapping() {
        assert_eq!(Tick::NEVER.after(Duration::from_secs(1)), Tick::NEVER);
        assert_eq!(Tick::from_nanos(1).since(Tick::from_nanos(5)), Duration::ZERO);
        assert_eq!(Tick::default().after(Duration::MAX), Tick::NEVER);
    }
}
