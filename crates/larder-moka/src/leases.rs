//! The leases, in lanes.
//!
//! Invariant: whoever changes what a key holds (its lease, its entry, or both) does so under the
//! lock of the key's lane. A fill therefore checks its lease and stores its entry in one step,
//! and no invalidation falls between the two. Reads take no lock.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use larder_core::{Key, LeaseToken, Tick};

/// How many lanes there are; two keys in one lane only wait for each other.
const LANES: usize = 64;

/// All leases of one backend.
#[derive(Debug)]
pub(crate) struct Leases {
    lanes: Box<[Mutex<Lane>]>,
}

/// The leases of one lane. Holding it is the right to change what its keys hold.
#[derive(Debug)]
pub(crate) struct Lane {
    held: HashMap<Key, Held>,
    held_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    token: LeaseToken,
    expires: Tick,
    namespace: u64,
}

impl Leases {
    pub(crate) fn new(leases_max: usize) -> Self {
        let held_max = leases_max.div_ceil(LANES).max(1);
        let lane = |_| Mutex::new(Lane { held: HashMap::new(), held_max });
        Self { lanes: (0..LANES).map(lane).collect() }
    }

    pub(crate) fn lane(&self, key: &Key) -> MutexGuard<'_, Lane> {
        let [first, ..] = *key.digest();
        // A byte modulo the number of lanes is always within them.
        let lane = &self.lanes[usize::from(first) % LANES];
        // Every critical section leaves the lane whole, so a panic elsewhere does not taint it.
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    /// Whether anybody holds a lease on the key.
    pub(crate) fn is_held(&self, key: &Key, now: Tick, namespace: u64) -> bool {
        self.live(key, now, namespace).is_some()
    }

    /// Whether this lease is the one that is held.
    pub(crate) fn holds(&self, key: &Key, token: LeaseToken, now: Tick, namespace: u64) -> bool {
        self.live(key, now, namespace).is_some_and(|held| held.token == token)
    }

    /// Grants a lease on a key that nobody holds.
    pub(crate) fn grant(
        &mut self,
        key: &Key,
        now: Tick,
        expires: Tick,
        namespace: u64,
    ) -> LeaseToken {
        self.make_room(now, namespace);
        let token = LeaseToken::random();
        self.held.insert(*key, Held { token, expires, namespace });
        token
    }

    /// Moves the end of a lease that is held.
    pub(crate) fn renew(&mut self, key: &Key, expires: Tick) {
        if let Some(held) = self.held.get_mut(key) {
            held.expires = expires;
        }
    }

    /// Ends the lease on a key, whoever holds it.
    pub(crate) fn end(&mut self, key: &Key) {
        self.held.remove(key);
    }

    fn live(&self, key: &Key, now: Tick, namespace: u64) -> Option<&Held> {
        self.held.get(key).filter(|held| held.is_live(now, namespace))
    }

    /// Drops what is over or, if all are held, the lease that would run out first: its holder
    /// finds its fill refused, which costs a load and nothing else.
    fn make_room(&mut self, now: Tick, namespace: u64) {
        if self.held.len() < self.held_max {
            return;
        }
        self.held.retain(|_, held| held.is_live(now, namespace));
        while self.held.len() >= self.held_max {
            let first = self.held.iter().min_by_key(|(_, held)| held.expires);
            let Some(key) = first.map(|(key, _)| *key) else { return };
            self.held.remove(&key);
        }
    }
}

impl Held {
    fn is_live(&self, now: Tick, namespace: u64) -> bool {
        self.expires > now && self.namespace == namespace
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_full_lane_loses_the_lease_that_runs_out_first() {
        let leases = Leases::new(2 * LANES);
        let digest = |n| Key::from_digest(larder_core::KeySpace::Query, [n; 32]);
        // The keys differ by the number of lanes, so they share one.
        let [long, short, next] = [0, 64, 128].map(digest);
        let now = Tick::from_nanos(1);
        let after = |seconds| now.after(Duration::from_secs(seconds));
        let mut lane = leases.lane(&long);
        lane.grant(&long, now, after(9), 0);
        lane.grant(&short, now, after(5), 0);
        lane.grant(&next, now, after(5), 0);
        let held = [long, short, next].map(|key| lane.is_held(&key, now, 0));
        assert_eq!(held, [true, false, true]);
    }

    #[test]
    fn leases_that_are_over_make_room() {
        let leases = Leases::new(1);
        let digest = |n| Key::from_digest(larder_core::KeySpace::Query, [n; 32]);
        let (old, new) = (digest(0), digest(64));
        let mut lane = leases.lane(&old);
        lane.grant(&old, Tick::from_nanos(1), Tick::from_nanos(5), 0);
        lane.grant(&new, Tick::from_nanos(5), Tick::from_nanos(9), 0);
        assert_eq!(lane.held.len(), 1);
        assert!(lane.is_held(&new, Tick::from_nanos(8), 0));
        assert!(!lane.is_held(&new, Tick::from_nanos(9), 0), "over");
        assert!(!lane.is_held(&new, Tick::from_nanos(8), 1), "cleared");
    }
}
