//! The place of one connection to a server: made when it is needed, made anew when it was lost.
//!
//! Invariant: at most one connection is held and at most one is being made, so the number of
//! connections is bounded whatever happens on the other side.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use larder_core::{Clock, Tick};
use tokio::runtime::Handle;

use crate::{connection::Connection, error::Trouble};

/// How long after a failure no other attempt is made; who asks meanwhile gets the same answer. So
/// short that the first call after a server is back finds it.
const PAUSE: Duration = Duration::from_millis(2);

/// The same after a refusal that will not pass by itself, such as a wrong password.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

type Attempt = Shared<BoxFuture<'static, Result<Arc<Connection>, Trouble>>>;

#[derive(Debug, Default)]
pub(crate) struct Lane {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Arc<Connection>>,
    attempt: Option<Attempt>,
    failure: Option<(Tick, Trouble)>,
}

impl Lane {
    /// The connection, made by `connect` if there is none. The attempt belongs to nobody: it goes
    /// on when the caller who began it has left.
    pub(crate) async fn connection<F>(
        self: &Arc<Self>,
        clock: &Arc<dyn Clock>,
        connect: impl FnOnce() -> F,
    ) -> Result<Arc<Connection>, Trouble>
    where
        F: Future<Output = Result<Connection, Trouble>> + Send + 'static,
    {
        let attempt = {
            let mut state = self.state();
            if let Some(connection) = &state.connection {
                return Ok(Arc::clone(connection));
            }
            if let Some((at, trouble)) = &state.failure
                && clock.now().since(*at) < pause(trouble)
            {
                return Err(trouble.clone());
            }
            if state.attempt.is_none() {
                state.attempt = Some(self.attempt(clock, connect())?);
            }
            state.attempt.clone()
        };
        match attempt {
            Some(attempt) => attempt.await,
            None => Err(Trouble::Closed),
        }
    }

    fn attempt(
        self: &Arc<Self>,
        clock: &Arc<dyn Clock>,
        connect: impl Future<Output = Result<Connection, Trouble>> + Send + 'static,
    ) -> Result<Attempt, Trouble> {
        let runtime =
            Handle::try_current().map_err(|_none| Trouble::Config("there is no tokio runtime"))?;
        let (lane, clock) = (Arc::clone(self), Arc::clone(clock));
        let end = AttemptEnd(lane);
        let task = runtime.spawn(async move {
            let result = connect.await.map(Arc::new);
            let mut state = end.0.state();
            match &result {
                Ok(connection) => {
                    state.connection = Some(Arc::clone(connection));
                    state.failure = None;
                }
                Err(trouble) => state.failure = Some((clock.now(), trouble.clone())),
            }
            drop(state);
            drop(end);
            result
        });
        Ok(task.map(|joined| joined.unwrap_or(Err(Trouble::Closed))).boxed().shared())
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

/// Makes room for the next attempt, also when the runtime of this one went down.
struct AttemptEnd(Arc<Lane>);

impl Drop for AttemptEnd {
    fn drop(&mut self) {
        self.0.state().attempt = None;
    }
}

fn pause(trouble: &Trouble) -> Duration {
    if trouble.kind().is_retryable() { PAUSE } else { PAUSE_AFTER_REFUSAL }
}
