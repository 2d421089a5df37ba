//! Counters that many threads raise at once without fighting over a cache line.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

const STRIPES: usize = 32;

/// The stripes before this one belong to one thread each, for good: to those that counted first.
/// All other threads share the rest.
const OWNED: usize = 16;

/// A counter split into stripes, each on a cache line of its own.
///
/// A near hit raises one; a single shared cell would make two threads slower than one. Where a
/// stripe has one owner, a load and a store are enough, at a fraction of an atomic addition.
#[derive(Debug, Default)]
pub struct StripedCounter([Stripe; STRIPES]);

/// 128 bytes: two lines, because processors fetch neighbouring lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl StripedCounter {
    /// Adds one and returns how often this thread's stripe had been raised before.
    #[inline(always)]
    pub fn increment(&self) -> u64 {
        let stripe = stripe();
        let Stripe(cell) = &self.0[stripe];
        if stripe < OWNED {
            let before = cell.load(Ordering::Relaxed);
            cell.store(before.wrapping_add(1), Ordering::Relaxed);
            before
        } else {
            cell.fetch_add(1, Ordering::Relaxed)
        }
    }

    /// What all threads counted.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

#[inline(always)]
fn stripe() -> usize {
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    let stripe = STRIPE.get();
    if stripe < STRIPES {
        return stripe;
    }
    let stripe = next_stripe();
    STRIPE.set(stripe);
    stripe
}

#[cold]
fn next_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let thread = NEXT.fetch_add(1, Ordering::Relaxed);
    // A number that wrapped around would own a stripe a second time; no process lives to see it.
    if thread < OWNED { thread } else { OWNED + thread % (STRIPES - OWNED) }
}

/// A plain counter for what happens on paths that cost microseconds anyway.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds an amount.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// What was counted.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stripes_are_counted() {
        let counter = StripedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| (0..1_000).fold(0, |_, _| counter.increment()));
            }
        });
        assert_eq!(counter.sum(), 2 * 1_000 * STRIPES as u64);
    }
}
