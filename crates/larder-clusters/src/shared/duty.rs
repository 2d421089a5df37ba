//! What has to be done if a call or a guard goes away before its end.
//!
//! Invariant: whatever was won is given back, on whichever thread and at whatever point the
//! future or the guard is dropped, the end of its runtime included.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{
    Creation, Drain, Fence, Hold, HoldId, Registration, Update, machine::Patience, registry::Inner,
};
use crate::{Error, Result};

/// Something that has to be given back.
#[derive(Debug)]
enum Owed {
    Creation { key: String, fence: Fence },
    Drain { key: String, fence: Fence },
    Hold { key: String, id: HoldId },
}

/// Gives something back when it is dropped, unless it was fulfilled.
#[derive(Debug)]
pub(crate) struct Duty {
    inner: Arc<Inner>,
    owed: Option<Owed>,
}

impl Duty {
    /// A creation that nobody reports on has failed.
    pub(crate) fn of_creation(inner: &Arc<Inner>, creation: &Creation) -> Self {
        let (key, fence) = (creation.key.clone(), creation.fence);
        Self::new(inner, Owed::Creation { key, fence })
    }

    /// Draining that nobody reports on has failed.
    pub(crate) fn of_drain(inner: &Arc<Inner>, drain: &Drain) -> Self {
        let (key, fence) = (drain.key.clone(), drain.fence);
        Self::new(inner, Owed::Drain { key, fence })
    }

    /// A hold that nobody needs ends.
    pub(crate) fn of_hold(inner: &Arc<Inner>, hold: &Hold) -> Self {
        let (key, id) = (hold.key.clone(), hold.id.clone());
        Self::new(inner, Owed::Hold { key, id })
    }

    fn new(inner: &Arc<Inner>, owed: Owed) -> Self {
        Self { inner: Arc::clone(inner), owed: Some(owed) }
    }

    pub(crate) fn fulfilled(mut self) {
        self.owed = None;
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if let Some(owed) = self.owed.take() {
            let late = Late { inner: Arc::clone(&self.inner), owed: Some(owed) };
            match Handle::try_current() {
                // If the runtime is ending, the closure is dropped instead of run, and so is what
                // it holds.
                Ok(runtime) => drop(runtime.spawn_blocking(move || drop(late))),
                Err(_) => drop(late),
            }
        }
    }
}

/// Gives something back here and now when it is dropped.
#[derive(Debug)]
struct Late {
    inner: Arc<Inner>,
    owed: Option<Owed>,
}

impl Drop for Late {
    fn drop(&mut self) {
        let outcome = match self.owed.take() {
            None => Ok(()),
            Some(Owed::Creation { key, fence }) => {
                let error = "its creator gave up";
                self.inner.write(|scope| scope.update(&key, fence, Update::Failed { error }))
            }
            Some(Owed::Drain { key, fence }) => {
                let error = "whoever deleted it gave up";
                self.inner.write(|scope| scope.update(&key, fence, Update::Failed { error }))
            }
            Some(Owed::Hold { key, id }) => {
                self.inner.write(|scope| scope.release(&key, &id, Patience::None)).map(drop)
            }
        };
        match outcome {
            Ok(()) | Err(Error::Fenced { .. }) => {}
            Err(error) => tracing::warn!(%error, "a shared thing was not given back"),
        }
    }
}

/// A registration with the duties that come with it.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) registration: Registration,
    pub(crate) duty: Option<Duty>,
}

impl Inner {
    /// Registers where blocking is allowed. A call that goes away meanwhile gives back what was
    /// won for it.
    pub(crate) async fn register_async(self: &Arc<Self>, key: &str) -> Result<Registered> {
        let (inner, key) = (Arc::clone(self), key.to_owned());
        offload(move || {
            let registration = inner.write(|scope| scope.register(&key))?;
            let duty = match &registration {
                Registration::Creator(creation) => Some(Duty::of_creation(&inner, creation)),
                Registration::Ready(hold) => Some(Duty::of_hold(&inner, hold)),
                Registration::Draining(_)
                | Registration::Failed { .. }
                | Registration::Joiner(_) => None,
            };
            Ok(Registered { registration, duty })
        })
        .await
    }
}

/// Runs what blocks where that is allowed, to its end even if the caller goes away.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::RuntimeEnded),
        },
    }
}
