//! A circuit breaker: a far tier that keeps failing is left alone for a while.
//!
//! Invariant: while it is open, one call per cooldown is let through to see whether the far tier
//! is back; everybody else goes to the database at once instead of waiting for a time limit.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use larder_core::Tick;

const FAILURES_TO_OPEN: u32 = 3;
const CLOSED: u64 = 0;

#[derive(Debug)]
pub(crate) struct Breaker {
    cooldown: Duration,
    failures: AtomicU32,
    /// The tick at which the next probe may go, or [`CLOSED`].
    probe_at: AtomicU64,
}

/// What a call's outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Closed,
    None,
    Opened,
}

impl Breaker {
    pub(crate) const fn new(cooldown: Duration) -> Self {
        Self { cooldown, failures: AtomicU32::new(0), probe_at: AtomicU64::new(CLOSED) }
    }

    /// Whether a call may go out now.
    pub(crate) fn admits(&self, now: Tick) -> bool {
        let probe_at = self.probe_at.load(Ordering::Acquire);
        if probe_at == CLOSED {
            return true;
        }
        // Whoever moves the next probe's time first is this one's probe.
        now.as_nanos() >= probe_at
            && self
                .probe_at
                .compare_exchange(
                    probe_at,
                    self.next_probe(now),
                    Ordering::AcqRel,
                    Ordering::Acquire,
                )
                .is_ok()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.probe_at.load(Ordering::Acquire) != CLOSED
    }

    pub(crate) fn succeeded(&self) -> Change {
        self.failures.store(0, Ordering::Release);
        if self.probe_at.swap(CLOSED, Ordering::AcqRel) == CLOSED {
            Change::None
        } else {
            Change::Closed
        }
    }

    pub(crate) fn failed(&self, now: Tick) -> Change {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        if failures < FAILURES_TO_OPEN {
            return Change::None;
        }
        if self.probe_at.swap(self.next_probe(now), Ordering::AcqRel) == CLOSED {
            Change::Opened
        } else {
            Change::None
        }
    }

    fn next_probe(&self, now: Tick) -> u64 {
        now.after(self.cooldown).as_nanos().max(CLOSED + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Tick {
        Tick::default().after(Duration::from_secs(seconds))
    }

    #[test]
    fn opens_after_three_failures_and_probes_once_per_cooldown() {
        let breaker = Breaker::new(Duration::from_secs(1));
        assert_eq!(breaker.failed(at(1)), Change::None);
        assert_eq!(breaker.failed(at(1)), Change::None);
        assert!(breaker.admits(at(1)));
        assert_eq!(breaker.failed(at(1)), Change::Opened);
        assert!(!breaker.admits(at(1)));
        assert!(breaker.admits(at(2)), "one probe");
        assert!(!breaker.admits(at(2)), "and only one");
        assert_eq!(breaker.failed(at(2)), Change::None);
        assert!(breaker.admits(at(3)));
        assert_eq!(breaker.succeeded(), Change::Closed);
        assert!(breaker.admits(at(3)) && breaker.admits(at(3)));
    }

    #[test]
    fn a_success_forgets_earlier_failures() {
        let breaker = Breaker::new(Duration::from_secs(1));
        for _ in 0..10 {
            assert_eq!(breaker.failed(at(1)), Change::None);
            assert_eq!(breaker.succeeded(), Change::None);
        }
        assert!(!breaker.is_open());
    }
}
