//! One connection that many callers share.
//!
//! Requests are written one behind the other and answered in that order. A caller that is alone
//! writes and reads by itself, on its own task: nothing is handed over, so a hit costs hardly more
//! than on a blocking socket. As soon as there are two, the connection's own task, the pump, does
//! it for all, so that nobody waits for a caller who is no longer polled. Then requests that
//! arrive together are written together, and all their reads become one `get`.
//!
//! Invariants: the queue of expected replies has the order of the bytes that were written. A
//! request whose caller has gone is answered into nothing, so its reply reaches nobody else. A
//! connection that failed, timed out or got out of step is closed and answers nobody any more.

mod call;
mod core;
mod output;
mod pump;
mod slots;
mod watchdog;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use smallvec::SmallVec;

use self::{
    call::Call,
    core::{Core, TICKS_PER_LIMIT},
    pump::Pump,
};
use crate::{
    error::Trouble,
    request::{Reply, Request},
    transport::Transport,
};

/// What bounds a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most requests under way.
    pub(crate) in_flight_max: usize,
    /// The most bytes that wait to be written.
    pub(crate) output_bytes_max: usize,
    /// The longest that a reply may take.
    pub(crate) time_limit: Duration,
    /// The longest value that is taken in.
    pub(crate) value_bytes_max: usize,
}

/// Why a request has no reply.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) trouble: Trouble,
    /// Whether the request may have reached the server.
    pub(crate) sent: bool,
}

/// The handle on a connection. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Core>,
    /// Wakes the pump.
    pump: AtomicWaker,
    /// A part of the time limit.
    tick: Duration,
}

/// Those to be woken once the lock is free.
type Wakers = SmallVec<[Waker; 8]>;

impl Connection {
    /// Takes a socket over. Needs a tokio runtime, on which the pump runs.
    pub(crate) fn new(transport: Transport, limits: Limits) -> Self {
        let core = Mutex::new(Core::new(transport, limits));
        let tick = (limits.time_limit / TICKS_PER_LIMIT).max(Duration::from_millis(1));
        let shared = Arc::new(Shared { core, pump: AtomicWaker::new(), tick });
        tokio::spawn(Pump::new(Arc::clone(&shared)));
        Self { shared }
    }

    /// Makes a request.
    ///
    /// # Cancel safety
    /// A request that was written takes effect; its reply is then dropped.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Reply, Failure> {
        Call::new(&self.shared, request).await
    }

    /// Whether the connection has ended, as far as is known without asking the server.
    pub(crate) fn has_ended(&self) -> bool {
        self.shared.lock().has_ended()
    }

    /// Changes the longest value that is taken in.
    pub(crate) fn set_value_bytes_max(&self, bytes: usize) {
        self.shared.lock().set_value_bytes_max(bytes);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.end(Trouble::Closed);
        self.shared.pump.wake();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock can leave replies and callers out of step, so whoever comes next
        // finds the connection ended.
        self.core.lock().unwrap_or_else(|poisoned: PoisonError<MutexGuard<'_, Core>>| {
            let mut core = poisoned.into_inner();
            let mut wakers = Wakers::new();
            core.end(&Trouble::Closed, &mut wakers);
            wake(wakers);
            core
        })
    }

    fn end(&self, trouble: Trouble) {
        let mut wakers = Wakers::new();
        self.lock().end(&trouble, &mut wakers);
        wake(wakers);
    }
}

fn wake(wakers: Wakers) {
    wakers.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests;
