//! One call that creates a shared thing or joins it.
//!
//! Invariant: whoever waits does so for somebody who lives, and for no longer than was said; a
//! call that goes away leaves nothing behind that others would have to wait for.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use larder_core::Tick;

use super::{
    AcquireError, Creation, Creator, DestroyError, Drain, Fence, Hold, Registration, Shared,
    SharedRegistry, State, Update, Waiting,
    duty::{Duty, offload},
    failure::Cause,
    heart::Beat,
};
use crate::{Error, Result};

type Observer = dyn Fn(&Waiting) + Send + Sync;

/// How long a thing is waited for, and who hears of it meanwhile.
#[derive(Clone)]
#[non_exhaustive]
pub struct AcquireOptions {
    /// How long creating it, or waiting for somebody else to, may take.
    pub ready_timeout: Duration,
    observer: Option<Arc<Observer>>,
}

impl fmt::Debug for AcquireOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOptions")
            .field("ready_timeout", &self.ready_timeout)
            .finish_non_exhaustive()
    }
}

impl AcquireOptions {
    /// Waits that long.
    #[must_use]
    pub fn new(ready_timeout: Duration) -> Self {
        Self { ready_timeout, observer: None }
    }

    /// Calls `observer` when the wait begins, and whenever somebody else is waited for. It should
    /// not block.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }
}

/// What a look while waiting brought.
#[derive(Debug)]
enum Seen {
    Failed(String),
    /// The same or somebody else, who lives.
    Owned(Waiting),
    /// Nobody: it is worth another registration.
    Open,
}

impl SharedRegistry {
    /// Creates the thing by way of `create`, or joins it if somebody else made it, waiting for
    /// that up to `ready_timeout`.
    ///
    /// Exactly one caller in all processes creates at a time. `create` returns the id of what it
    /// made. If its process dies, another caller takes over at once; if it hangs, when its lease
    /// ends.
    ///
    /// # Errors
    /// [`AcquireError`].
    ///
    /// # Cancel safety
    /// Dropping the future drops `create` where it stands, records that the creation failed, and
    /// ends a hold that was won meanwhile.
    pub async fn acquire<C, F, E>(
        &self,
        key: &str,
        create: C,
        ready_timeout: Duration,
    ) -> Result<Shared, AcquireError>
    where
        C: FnOnce(Creator) -> F,
        F: Future<Output = Result<String, E>>,
        E: Into<Cause>,
    {
        self.acquire_with(key, create, AcquireOptions::new(ready_timeout)).await
    }

    /// [`acquire`](Self::acquire) with more to say.
    ///
    /// # Errors
    /// [`AcquireError`].
    ///
    /// # Cancel safety
    /// That of [`acquire`](Self::acquire).
    pub async fn acquire_with<C, F, E>(
        &self,
        key: &str,
        create: C,
        options: AcquireOptions,
    ) -> Result<Shared, AcquireError>
    where
        C: FnOnce(Creator) -> F,
        F: Future<Output = Result<String, E>>,
        E: Into<Cause>,
    {
        let deadline = self.now().after(options.ready_timeout);
        loop {
            let registered = self.inner.register_async(key).await?;
            let waiting = match (registered.registration, registered.duty) {
                (Registration::Creator(creation), Some(duty)) => {
                    let limit = Limit { timeout: options.ready_timeout, deadline };
                    return self.create(creation, duty, create, limit).await;
                }
                (Registration::Ready(hold), Some(duty)) => {
                    return Ok(Shared::new(self, hold, duty));
                }
                (Registration::Failed { error, .. }, _) => {
                    return Err(AcquireError::Failed { key: key.to_owned(), error });
                }
                (Registration::Joiner(waiting) | Registration::Draining(waiting), _) => waiting,
                (Registration::Creator(_) | Registration::Ready(_), None) => {
                    unreachable!("`register_async` gives both their duty")
                }
            };
            self.wait(waiting, &options, deadline).await?;
        }
    }

    /// Waits until it is worth to register again.
    async fn wait(
        &self,
        mut waiting: Waiting,
        options: &AcquireOptions,
        deadline: Tick,
    ) -> Result<(), AcquireError> {
        self.report(&waiting, options);
        loop {
            let changed = self.inner.store().changed.notified();
            tokio::pin!(changed);
            // From here on no change of this process is missed.
            changed.as_mut().enable();
            match self.look(&waiting).await? {
                Seen::Open => return Ok(()),
                Seen::Failed(error) => {
                    return Err(AcquireError::Failed { key: waiting.key, error });
                }
                Seen::Owned(now) => {
                    let is_news = (now.fence, now.state) != (waiting.fence, waiting.state);
                    waiting = now;
                    if is_news {
                        self.report(&waiting, options);
                    }
                }
            }
            let left = deadline.since(self.now());
            if left.is_zero() {
                let (key, ready_timeout) = (waiting.key.clone(), options.ready_timeout);
                let waiting = Some(waiting);
                return Err(AcquireError::TimedOut { key, ready_timeout, waiting });
            }
            let pause = self.options().poll_interval.min(left);
            // Either way there is another look.
            let _ = tokio::time::timeout(pause, changed).await;
        }
    }

    fn report(&self, waiting: &Waiting, options: &AcquireOptions) {
        tracing::info!(kind = %self.options().kind, "{waiting}, waiting for it");
        if let Some(observer) = &options.observer {
            observer(waiting);
        }
    }

    async fn look(&self, waiting: &Waiting) -> Result<Seen> {
        let (registry, key, fence) = (self.clone(), waiting.key.clone(), waiting.fence);
        offload(move || {
            let Some(info) = registry.info(&key)? else { return Ok(Seen::Open) };
            Ok(match info.waiting() {
                Some(now) => Seen::Owned(now),
                None if info.state == State::Failed && info.fence == fence => {
                    Seen::Failed(info.error.unwrap_or_default())
                }
                None => Seen::Open,
            })
        })
        .await
    }

    async fn create<C, F, E>(
        &self,
        creation: Creation,
        duty: Duty,
        create: C,
        limit: Limit,
    ) -> Result<Shared, AcquireError>
    where
        C: FnOnce(Creator) -> F,
        F: Future<Output = Result<String, E>>,
        E: Into<Cause>,
    {
        let Creation { key, fence, hold, leftover } = creation;
        let beat = Beat::of_lease(&self.inner, &key, fence, limit.deadline);
        let creator = Creator { registry: self.clone(), key: key.clone(), fence, leftover };
        let left = limit.deadline.since(self.now());
        let resource_id = match tokio::time::timeout(left, create(creator)).await {
            Ok(Ok(resource_id)) => resource_id,
            Ok(Err(source)) => {
                let source = source.into();
                self.fail(&key, fence, source.to_string(), duty).await?;
                return Err(AcquireError::Create { key, source });
            }
            Err(_) => {
                let ready_timeout = limit.timeout;
                let error = format!("not created within {ready_timeout:?}");
                self.fail(&key, fence, error, duty).await?;
                return Err(AcquireError::TimedOut { key, ready_timeout, waiting: None });
            }
        };
        drop(beat);
        let hold = Hold { id: hold, key, fence, resource_id };
        self.finish(hold, duty).await
    }

    /// Records a creation; the guard is there even if the caller is not, so that it is dropped.
    async fn finish(&self, hold: Hold, duty: Duty) -> Result<Shared, AcquireError> {
        let registry = self.clone();
        let recorded = offload(move || {
            let update = Update::Ready { resource_id: &hold.resource_id };
            Ok(match registry.update_status(&hold.key, hold.fence, update) {
                Ok(()) => {
                    duty.fulfilled();
                    let duty = Duty::of_hold(&registry.inner, &hold);
                    Ok(Shared::new(&registry, hold, duty))
                }
                Err(source) => {
                    let Hold { key, resource_id, .. } = hold;
                    Err(AcquireError::NotRecorded { key, resource_id, source })
                }
            })
        });
        recorded.await?
    }

    async fn fail(&self, key: &str, fence: Fence, error: String, duty: Duty) -> Result<()> {
        let (registry, key) = (self.clone(), key.to_owned());
        offload(move || {
            let failed = registry.update_status(&key, fence, Update::Failed { error: &error });
            match failed {
                // Whoever took over has the say.
                Ok(()) | Err(Error::Fenced { .. }) => {
                    duty.fulfilled();
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Deletes a thing that nobody uses by way of `destroy`, which gets its id, and records that
    /// it is gone.
    ///
    /// If `destroy` fails, the thing has failed, and the next creator is told of the leftover.
    ///
    /// # Errors
    /// [`DestroyError`].
    ///
    /// # Cancel safety
    /// If the future is dropped while `destroy` runs, the thing has failed.
    pub async fn destroy<D, F, E>(&self, drain: Drain, destroy: D) -> Result<(), DestroyError>
    where
        D: FnOnce(String) -> F,
        F: Future<Output = Result<(), E>>,
        E: Into<Cause>,
    {
        let duty = Duty::of_drain(&self.inner, &drain);
        self.destroy_owed(drain, duty, destroy).await
    }

    pub(crate) async fn destroy_owed<D, F, E>(
        &self,
        drain: Drain,
        duty: Duty,
        destroy: D,
    ) -> Result<(), DestroyError>
    where
        D: FnOnce(String) -> F,
        F: Future<Output = Result<(), E>>,
        E: Into<Cause>,
    {
        let Drain { key, fence, resource_id } = drain;
        let beat = Beat::of_lease(&self.inner, &key, fence, Tick::NEVER);
        if let Some(resource_id) = resource_id
            && let Err(source) = destroy(resource_id).await
        {
            let source = source.into();
            self.fail(&key, fence, source.to_string(), duty).await?;
            return Err(DestroyError::Destroy { key, source });
        }
        drop(beat);
        let registry = self.clone();
        let gone = offload(move || {
            let gone = registry.update_status(&key, fence, Update::Gone);
            duty.fulfilled();
            gone
        });
        Ok(gone.await?)
    }

    fn now(&self) -> Tick {
        self.inner.store().clock().now()
    }
}

/// How long a creation may take.
#[derive(Clone, Copy, Debug)]
struct Limit {
    timeout: Duration,
    deadline: Tick,
}
