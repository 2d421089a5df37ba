//! The heartbeat of a registry: one thread that says for all guards that they live.
//!
//! Invariant: a thread of its own beats, so a runtime that is busy loses nothing; and no creation
//! is kept alive beyond its time limit, so one that hangs is taken over.

use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use larder_core::Tick;

use super::{Fence, HoldId, options::millis, registry::Inner};
use crate::{Result, error::Fault};

/// Everything that is kept alive.
#[derive(Debug, Default)]
pub(crate) struct Heart {
    state: Mutex<Pulses>,
    changed: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct Pulses {
    next: u64,
    living: HashMap<u64, Arc<Pulse>>,
    /// Whether there is a thread.
    beats: bool,
}

/// One thing that is kept alive, and whether it still is the caller's.
#[derive(Debug)]
pub(crate) struct Pulse {
    what: Kept,
    lost: AtomicBool,
}

#[derive(Debug)]
enum Kept {
    Hold(HoldId),
    Lease { key: String, fence: Fence, until: Tick },
}

/// Keeps something alive until it is dropped.
#[derive(Debug)]
pub(crate) struct Beat {
    number: u64,
    pulse: Arc<Pulse>,
    inner: Weak<Inner>,
}

impl Beat {
    pub(crate) fn of_hold(inner: &Arc<Inner>, hold: HoldId) -> Self {
        Self::start(inner, Kept::Hold(hold))
    }

    /// Renews a lease, but not beyond a point in time.
    pub(crate) fn of_lease(inner: &Arc<Inner>, key: &str, fence: Fence, until: Tick) -> Self {
        Self::start(inner, Kept::Lease { key: key.to_owned(), fence, until })
    }

    fn start(inner: &Arc<Inner>, what: Kept) -> Self {
        let pulse = Arc::new(Pulse { what, lost: AtomicBool::new(false) });
        let mut pulses = inner.heart.lock();
        let number = pulses.next;
        pulses.next += 1;
        pulses.living.insert(number, Arc::clone(&pulse));
        if !pulses.beats {
            let (changed, weak) = (Arc::clone(&inner.heart.changed), Arc::downgrade(inner));
            let pace = inner.options.beat();
            let thread = thread::Builder::new().name("larder-heartbeat".to_owned());
            // Without a thread nothing is renewed: leases end as if their owners had died, which
            // is what the next guard tries again to avoid.
            pulses.beats = thread.spawn(move || beat(&weak, &changed, pace)).is_ok();
        }
        Self { number, pulse, inner: Arc::downgrade(inner) }
    }

    /// Whether the last heartbeat found that somebody else owns the thing.
    pub(crate) fn is_lost(&self) -> bool {
        self.pulse.lost.load(Ordering::Acquire)
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.upgrade() {
            inner.heart.lock().living.remove(&self.number);
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.changed.notify_all();
    }
}

impl Heart {
    fn lock(&self) -> MutexGuard<'_, Pulses> {
        // No code that could panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats until nothing is to be kept alive at a beat, or the registry is gone. Guards that come and
/// go in between share one thread.
fn beat(registry: &Weak<Inner>, changed: &Condvar, pace: std::time::Duration) {
    // The condition needs a lock that outlives the registry; what it waits for is looked up anew.
    let (pause, no_lock) = (Mutex::new(()), PoisonError::into_inner);
    loop {
        let guard = pause.lock().unwrap_or_else(no_lock);
        drop(changed.wait_timeout(guard, pace));
        let Some(inner) = registry.upgrade() else { return };
        let pulses: Vec<_> = {
            let mut pulses = inner.heart.lock();
            if pulses.living.is_empty() {
                pulses.beats = false;
                return;
            }
            pulses.living.values().cloned().collect()
        };
        if let Err(error) = inner.renew_all(&pulses) {
            tracing::warn!(%error, "a heartbeat was not written");
        }
    }
}

impl Inner {
    /// One heartbeat of everything, in one transaction.
    fn renew_all(&self, pulses: &[Arc<Pulse>]) -> Result<()> {
        let now = self.store().clock().now();
        self.write(|scope| {
            for pulse in pulses.iter().filter(|pulse| !pulse.lost.load(Ordering::Acquire)) {
                let lives = match &pulse.what {
                    Kept::Hold(hold) => scope.hear(hold)?,
                    Kept::Lease { until, .. } if *until <= now => continue,
                    Kept::Lease { key, fence, .. } => {
                        let until = scope.now.saturating_add(millis(scope.options.lease));
                        scope.prolong(key, *fence, until)?
                    }
                };
                pulse.lost.store(!lives, Ordering::Release);
            }
            Ok::<_, Fault>(())
        })
    }
}
