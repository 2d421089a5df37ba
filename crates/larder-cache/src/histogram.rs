//! A latency histogram of powers of two.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const BUCKETS: usize = 40;

/// A lock-free recorder; bucket `i` counts durations below 2^i ns (and not below 2^(i-1)).
#[derive(Debug)]
pub(crate) struct Recorder([AtomicU64; BUCKETS]);

impl Default for Recorder {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Recorder {
    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bits = (u64::BITS - nanos.leading_zeros()) as usize;
        self.0[bits.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        Histogram(std::array::from_fn(|bucket| self.0[bucket].load(Ordering::Relaxed)))
    }
}

/// How long calls took, in buckets of powers of two nanoseconds.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram([u64; BUCKETS]);

impl Histogram {
    /// How many calls were timed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The duration below which the given share of the calls stayed, rounded **up** to a power
    /// of two nanoseconds; `None` if nothing was timed. `share` is clamped to `0.0..=1.0`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rank among counted calls; the share is clamped"
    )]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.0.iter().position(|bucket| {
            seen += bucket;
            seen >= rank && count > 0
        })?;
        Some(Duration::from_nanos(1 << bucket))
    }

    /// The buckets that hold anything: the upper bound of each and its count.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let bounds = (0..BUCKETS).map(|bucket| Duration::from_nanos(1 << bucket));
        bounds.zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.buckets()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_round_up_to_the_bucket() {
        let recorder = Recorder::default();
        assert_eq!(recorder.snapshot().quantile(0.5), None);
        for _ in 0..99 {
            recorder.record(Duration::from_nanos(100));
        }
        recorder.record(Duration::from_millis(3));
        let histogram = recorder.snapshot();
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.quantile(0.5), Some(Duration::from_nanos(128)));
        assert_eq!(histogram.quantile(0.99), Some(Duration::from_nanos(128)));
        assert_eq!(histogram.quantile(1.0), Some(Duration::from_nanos(1 << 22)));
    }

    #[test]
    fn extremes_stay_within_the_buckets() {
        let recorder = Recorder::default();
        recorder.record(Duration::ZERO);
        recorder.record(Duration::MAX);
        assert_eq!(recorder.snapshot().count(), 2);
    }
}
