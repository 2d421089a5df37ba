//! One thread that watches the time for every connection of the process.
//!
//! A runtime with a timer under way waits with a time limit, which makes each wait, and so each
//! far hit, some four per cent more expensive; a timer per request would cost more. So the
//! connections have no timers: this thread counts ticks, and a connection whose oldest request has
//! waited for too many of them is ended. It sleeps while nothing is under way.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use larder_core::{Clock as _, SystemClock, Tick};

use super::{Shared, Wakers, wake};

static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();

#[derive(Debug)]
struct Watchdog {
    /// The watchdog waits for sockets, whose time is the real one whatever a test's clock says.
    clock: SystemClock,
    watched: Mutex<Vec<Watched>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Watched {
    connection: Weak<Shared>,
    tick: Duration,
    due: Tick,
}

/// Watches a connection until nothing has been under way on it for a while.
pub(super) fn watch(connection: &Arc<Shared>, tick: Duration) {
    let mut is_new = false;
    let watchdog = WATCHDOG.get_or_init(|| {
        is_new = true;
        Watchdog { clock: SystemClock::new(), watched: Mutex::default(), changed: Condvar::new() }
    });
    let due = watchdog.clock.now().after(tick);
    let connection = Arc::downgrade(connection);
    watchdog.watched().push(Watched { connection, tick, due });
    watchdog.changed.notify_one();
    if is_new {
        let thread = std::thread::Builder::new().name("larder-memcached".to_owned());
        let started = thread.spawn(|| {
            if let Some(watchdog) = WATCHDOG.get() {
                watchdog.run();
            }
        });
        if let Err(error) = started {
            // Without it requests have no time limit, but everything else works.
            tracing::warn!(%error, "no thread to watch the time of requests");
        }
    }
}

impl Watchdog {
    fn run(&self) -> ! {
        let mut watched = self.watched();
        loop {
            let now = self.clock.now();
            let mut wakers = Wakers::new();
            watched.retain_mut(|watched| watched.check(now, &mut wakers));
            let next = watched.iter().map(|watched| watched.due).min();
            if !wakers.is_empty() {
                drop(watched);
                wake(wakers);
                watched = self.watched();
                continue;
            }
            watched = match next {
                None => self.changed.wait(watched).unwrap_or_else(PoisonError::into_inner),
                Some(next) => {
                    let wait = next.since(now);
                    let waited = self.changed.wait_timeout(watched, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        // Every critical section leaves the list whole, so a panic elsewhere does not taint it.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Counts a tick if it is due. `false` once there is nothing to watch.
    fn check(&mut self, now: Tick, wakers: &mut Wakers) -> bool {
        let Some(connection) = self.connection.upgrade() else { return false };
        if now < self.due {
            return true;
        }
        // Ticks that were missed, because the whole process stood still, do not count: the server
        // may have answered meanwhile.
        self.due = now.after(self.tick);
        let mut core = connection.lock();
        core.tick(wakers);
        let ended = core.has_ended();
        let goes_on = core.is_watched() && !ended;
        drop(core);
        if ended {
            connection.pump.wake();
        }
        goes_on
    }
}
