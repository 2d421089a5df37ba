//! The place of one connection to a server: made when it is needed, made anew when it was lost.
//!
//! Invariants: at most one connection is held and at most one is being made, so the number of
//! connections is bounded whatever happens on the other side. That a server is away is found out
//! by an attempt that began after the call which hears of it, so the first call after the server
//! is back succeeds whoever else called before. No task is spawned under the lock: a runtime that
//! goes down drops it at once, and with it what takes the lock.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use larder_core::{Clock, Tick};
use tokio::{runtime::Handle, sync::oneshot, time::sleep};

use crate::{connection::Connection, error::Trouble};

/// How long after a failure no other attempt is made, however many calls there are; who asks
/// meanwhile waits for the next one.
const PAUSE: Duration = Duration::from_millis(2);

/// The same after a refusal that will not pass by itself, such as a wrong password. Who asks
/// meanwhile gets the same answer.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

type Outcome = Result<Arc<Connection>, Trouble>;

#[derive(Debug, Default)]
pub(crate) struct Lane {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Arc<Connection>>,
    attempt: Option<Attempt>,
    /// How many attempts were begun, and so the number of the last one.
    begun: u64,
    failure: Option<Failure>,
}

/// An attempt that is under way, for all who wait for it.
#[derive(Clone, Debug)]
struct Attempt {
    number: u64,
    outcome: Shared<BoxFuture<'static, Outcome>>,
}

/// How the last attempt failed.
#[derive(Debug)]
struct Failure {
    number: u64,
    at: Tick,
    trouble: Trouble,
}

/// What a caller who has no connection does next.
enum Next {
    Begin(Attempt, Begun),
    Join(Attempt),
    Pause(Duration),
    Use(Arc<Connection>),
}

impl Lane {
    /// The connection, made by `connect` if there is none. The attempt belongs to nobody: it goes
    /// on when the caller who began it has left.
    pub(crate) async fn connection<F>(
        self: &Arc<Self>,
        clock: &Arc<dyn Clock>,
        connect: impl Fn() -> F,
    ) -> Outcome
    where
        F: Future<Output = Result<Connection, Trouble>> + Send + 'static,
    {
        let runtime =
            Handle::try_current().map_err(|_none| Trouble::Config("there is no tokio runtime"))?;
        let asked = self.state().begun;
        let mut paused = false;
        loop {
            let attempt = match self.next(asked, paused, &**clock)? {
                Next::Use(connection) => return Ok(connection),
                Next::Pause(time) => {
                    sleep(time).await;
                    paused = true;
                    continue;
                }
                Next::Begin(attempt, begun) => {
                    runtime.spawn(begun.run(Arc::clone(clock), connect()));
                    attempt
                }
                Next::Join(attempt) => attempt,
            };
            match attempt.outcome.await {
                // The server may be back since. One that did not answer in time is not asked
                // again, as the time limit of this call is over too.
                Err(trouble) if attempt.number <= asked && trouble.is_lost_connection() => {}
                outcome => return outcome,
            }
        }
    }

    /// What a caller does who asked when so many attempts were begun.
    fn next(
        self: &Arc<Self>,
        asked: u64,
        paused: bool,
        clock: &dyn Clock,
    ) -> Result<Next, Trouble> {
        let mut state = self.state();
        if let Some(connection) = &state.connection {
            return Ok(Next::Use(Arc::clone(connection)));
        }
        if let Some(attempt) = &state.attempt {
            return Ok(Next::Join(attempt.clone()));
        }
        if let Some(failure) = &state.failure {
            let since = clock.now().since(failure.at);
            let passes = failure.trouble.kind().is_retryable();
            if failure.number > asked || (!passes && since < PAUSE_AFTER_REFUSAL) {
                return Err(failure.trouble.clone());
            }
            // Once is enough: a clock may stand still.
            if passes && since < PAUSE && !paused {
                return Ok(Next::Pause(PAUSE.saturating_sub(since)));
            }
        }
        state.begun += 1;
        let (told, outcome) = oneshot::channel();
        let outcome = outcome.map(|told: Result<Outcome, _>| told.unwrap_or(Err(Trouble::Closed)));
        let attempt = Attempt { number: state.begun, outcome: outcome.boxed().shared() };
        state.attempt = Some(attempt.clone());
        let begun = Begun { lane: Arc::clone(self), number: state.begun, told: Some(told) };
        Ok(Next::Begin(attempt, begun))
    }

    /// The connection, if there is one.
    pub(crate) fn existing(&self) -> Option<Arc<Connection>> {
        self.state().connection.clone()
    }

    /// The connection has ended; the next caller makes another.
    pub(crate) fn forget(&self, ended: &Arc<Connection>) {
        let mut state = self.state();
        if state.connection.as_ref().is_some_and(|known| Arc::ptr_eq(known, ended)) {
            state.connection = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, so a panic elsewhere does not taint it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who makes an attempt. Dropping it, as a runtime does that goes down, makes room for the
/// next one.
struct Begun {
    lane: Arc<Lane>,
    number: u64,
    told: Option<oneshot::Sender<Outcome>>,
}

impl Begun {
    async fn run(
        mut self,
        clock: Arc<dyn Clock>,
        connect: impl Future<Output = Result<Connection, Trouble>>,
    ) {
        let outcome = connect.await.map(Arc::new);
        let mut state = self.lane.state();
        // Before anybody hears of the outcome: who then looks again finds no attempt under way.
        state.attempt = None;
        match &outcome {
            Ok(connection) => {
                state.connection = Some(Arc::clone(connection));
                state.failure = None;
            }
            Err(trouble) => {
                let (number, at, trouble) = (self.number, clock.now(), trouble.clone());
                state.failure = Some(Failure { number, at, trouble });
            }
        }
        drop(state);
        if let Some(told) = self.told.take() {
            // All who waited may have left.
            let _ = told.send(outcome);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut state = self.lane.state();
        if state.attempt.as_ref().is_some_and(|attempt| attempt.number == self.number) {
            state.attempt = None;
        }
    }
}

#[cfg(test)]
mod tests;
