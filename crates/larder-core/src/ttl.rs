//! One time-to-live for every backend: at least a millisecond, at most ten years, never "for ever".

use std::{fmt, time::Duration};

/// How long an entry may live, in whole milliseconds.
///
/// **Units:** milliseconds; anything finer is rounded **up**, so that a lifetime is never cut to
/// nothing. **Range:** [`Ttl::MIN`] to [`Ttl::MAX`].
///
/// ```
/// use larder_core::Ttl;
/// use std::time::Duration;
///
/// assert_eq!(Ttl::new(Duration::from_micros(1_500))?.as_millis(), 2);
/// assert!(Ttl::new(Duration::ZERO).is_err());
/// assert!(Ttl::try_from_secs(-1).is_err());
/// # Ok::<(), larder_core::TtlError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u64);

/// Why a duration is not a time-to-live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TtlError {
    /// A negative number of seconds.
    #[error("a time-to-live of {seconds} s is negative")]
    Negative {
        /// What was given, in seconds.
        seconds: i64,
    },
    /// Longer than [`Ttl::MAX`].
    #[error("a time-to-live of {} s is longer than ten years", duration.as_secs())]
    TooLong {
        /// What was given.
        duration: Duration,
    },
    /// Zero, which some servers take for "expired" and others for "for ever".
    #[error("a time-to-live of zero is ambiguous: leave the entry out of the cache instead")]
    Zero,
}

impl Ttl {
    /// One millisecond.
    pub const MIN: Self = Self(1);
    /// Ten years of 365 days.
    pub const MAX: Self = Self(10 * 365 * 24 * 60 * 60 * 1_000);

    /// Checks a duration and rounds it up to whole milliseconds.
    ///
    /// # Errors
    /// [`TtlError::Zero`] and [`TtlError::TooLong`].
    pub const fn new(duration: Duration) -> Result<Self, TtlError> {
        if duration.is_zero() {
            return Err(TtlError::Zero);
        }
        let millis = duration.as_nanos().div_ceil(1_000_000);
        if millis > Self::MAX.0 as u128 {
            return Err(TtlError::TooLong { duration });
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most ten years, checked above")]
        Ok(Self(millis as u64))
    }

    /// Checks a signed number of seconds, as configuration files and command lines write it.
    ///
    /// # Errors
    /// As [`Ttl::new`], and [`TtlError::Negative`].
    pub const fn try_from_secs(seconds: i64) -> Result<Self, TtlError> {
        if seconds < 0 {
            return Err(TtlError::Negative { seconds });
        }
        Self::new(Duration::from_secs(seconds.unsigned_abs()))
    }

    /// The lifetime in milliseconds, at least 1.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The lifetime in seconds, rounded **up**: for servers whose clock is that coarse.
    #[must_use]
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1_000)
    }

    /// The lifetime as a duration of whole milliseconds.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// Shortens the lifetime by a share of itself, never below [`Ttl::MIN`].
    ///
    /// `share` is clamped to `0.0..=1.0`; not-a-number counts as 0. Shortening rather than
    /// lengthening keeps the promise that no entry outlives the time that was asked for.
    #[must_use]
    pub fn shortened_by(self, share: f64) -> Self {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        let whole = self.as_duration();
        Self::new(whole.mul_f64(1.0 - share)).unwrap_or(Self::MIN)
    }

    /// The shorter of two lifetimes.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_duration(), f)
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = TtlError;

    fn try_from(duration: Duration) -> Result<Self, TtlError> {
        Self::new(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_than_a_millisecond_rounds_up() {
        assert_eq!(Ttl::new(Duration::from_nanos(1)), Ok(Ttl::MIN));
        assert_eq!(Ttl::new(Duration::from_nanos(1_000_001)).map(Ttl::as_millis), Ok(2));
    }

    #[test]
    fn zero_negative_and_too_long_are_errors() {
        assert_eq!(Ttl::new(Duration::ZERO), Err(TtlError::Zero));
        assert_eq!(Ttl::try_from_secs(0), Err(TtlError::Zero));
        assert_eq!(Ttl::try_from_secs(i64::MIN), Err(TtlError::Negative { seconds: i64::MIN }));
        assert!(matches!(Ttl::new(Duration::MAX), Err(TtlError::TooLong { .. })));
        let longest = Ttl::MAX.as_duration();
        assert_eq!(Ttl::new(longest), Ok(Ttl::MAX));
        assert!(Ttl::new(longest + Duration::from_nanos(1)).is_err());
    }

    #[test]
    fn shortening_stays_within_bounds() {
        let ttl = Ttl::new(Duration::from_secs(10)).unwrap();
        assert_eq!(ttl.shortened_by(0.1).as_millis(), 9_000);
        assert_eq!(ttl.shortened_by(f64::NAN), ttl);
        assert_eq!(ttl.shortened_by(-3.0), ttl);
        assert_eq!(ttl.shortened_by(7.0), Ttl::MIN);
    }

    #[test]
    fn seconds_round_up() {
        assert_eq!(Ttl::MIN.as_secs_ceil(), 1);
        assert_eq!(Ttl::new(Duration::from_millis(2_001)).unwrap().as_secs_ceil(), 3);
    }
}
