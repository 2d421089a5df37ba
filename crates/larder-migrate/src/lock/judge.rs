//! Whether a holder of the lock is taken for stopped.
//!
//! Invariant: nobody is taken for stopped who was heard of within the lease.

use std::time::Duration;

use crate::{LockHolder, lock::exclusion::Sighting};

/// Whether the connection that has the lock is to be ended.
pub(super) fn is_stopped(seen: &Sighting, row: Option<&LockHolder>, lease: Duration) -> bool {
    match row.filter(|row| row.session == seen.session) {
        Some(row) => row.is_expired,
        // It took the lock and did not come to say who it is. As long as it runs a statement or
        // ran one lately, it may still.
        None => seen.idle.is_some_and(|idle| idle > lease),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    fn row(session: &str, is_expired: bool) -> LockHolder {
        LockHolder {
            owner: "o".into(),
            host: "h".into(),
            pid: 1,
            application: String::new(),
            token: 1,
            acquired_us: 0,
            heartbeat_us: 0,
            expires_us: 0,
            is_expired,
            session: session.into(),
        }
    }

    fn check(row: Option<&LockHolder>, idle: Option<u64>, stopped: bool) {
        let idle = idle.map(Duration::from_secs);
        let seen = Sighting { session: "7".into(), idle };
        assert_eq!(is_stopped(&seen, row, LEASE), stopped, "{row:?} {idle:?}");
    }

    #[test]
    fn a_holder_with_a_heartbeat_may_take_its_time() {
        check(Some(&row("7", false)), Some(3600), false);
        check(Some(&row("7", false)), None, false);
    }

    #[test]
    fn a_holder_without_a_heartbeat_is_stopped_whatever_it_runs() {
        check(Some(&row("7", true)), None, true);
        check(Some(&row("7", true)), Some(0), true);
    }

    #[test]
    fn the_lease_of_another_says_nothing() {
        check(Some(&row("6", true)), None, false);
        check(Some(&row("6", true)), Some(1), false);
        check(Some(&row("6", false)), Some(16), true);
        check(None, Some(16), true);
        check(None, Some(14), false);
    }
}
