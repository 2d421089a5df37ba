//! Invalidating: first here, then in the far tier, and never given up.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use larder_core::{Error, Key, Operation, Tag};

use crate::{cache::Engine, far::Far, pending::What, recent, view::bucket_of};

/// What became of an invalidation.
#[derive(Debug)]
#[must_use = "a pending invalidation means that other processes may still serve the old value"]
#[expect(clippy::exhaustive_enums, reason = "it took effect everywhere or only here")]
pub enum Invalidation {
    /// No read that starts from now on, on any node, returns what was loaded before.
    ///
    /// The near tiers of *other* processes follow within the staleness bound.
    Applied,
    /// In effect in this process; the far tier did not acknowledge it and is being retried in
    /// the background for as long as the process lives.
    Pending(PendingInvalidation),
}

/// Why an invalidation is still pending.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the invalidation is in effect in this process only; the far tier is being retried")]
#[non_exhaustive]
pub struct PendingInvalidation {
    /// The far tier's error.
    #[source]
    pub cause: Arc<Error>,
}

impl Invalidation {
    /// Turns a pending invalidation into an error.
    ///
    /// # Errors
    /// [`PendingInvalidation`].
    pub fn applied(self) -> Result<(), PendingInvalidation> {
        match self {
            Self::Applied => Ok(()),
            Self::Pending(pending) => Err(pending),
        }
    }

    /// Whether it took effect everywhere.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }

    /// Both: applied only if both are.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::Applied => other,
            Self::Pending(_) => self,
        }
    }
}

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// Invalidates in a task of its own, so that a caller that goes away does not stop it.
pub(crate) async fn invalidate(engine: &Arc<Engine>, what: What) -> Invalidation {
    invalidate_here(engine, &what);
    let Some(far) = engine.far.clone() else {
        return Invalidation::Applied;
    };
    let task = tokio::spawn(invalidate_far(Arc::clone(engine), far, what));
    match task.await {
        Ok(outcome) => outcome,
        // The task has no panicking path; it ends early only with its runtime.
        Err(error) => Invalidation::Pending(PendingInvalidation {
            cause: Arc::new(
                Error::new(larder_core::ErrorKind::Other, "far tier", Operation::Bump)
                    .with_source(error),
            ),
        }),
    }
}

pub(crate) fn invalidate_here(engine: &Engine, what: &What) {
    if what.everything {
        engine.view.reset();
        if let Some(near) = &engine.near {
            near.clear();
        }
    }
    let buckets: Vec<Tag> = what.keys.iter().map(bucket_of).collect();
    let tags: Vec<Tag> = what.tags.iter().copied().collect();
    engine.view.bump(&tags);
    engine.view.bump(&buckets);
}

async fn invalidate_far(engine: Arc<Engine>, far: Arc<Far>, what: What) -> Invalidation {
    let (outcome, ()) = tokio::join!(send(&far, &what), engine.recent.learn_history(&far));
    if outcome.is_ok() {
        remember(&engine, &what);
    } else {
        let is_first = engine.pending.add(&what);
        if is_first {
            tokio::spawn(retry(Arc::downgrade(&engine)));
        }
    }
    // A second time: a load that began in between read the far tier's old generations, and its
    // near entry would not notice that they changed.
    invalidate_here(&engine, &what);
    match outcome {
        Ok(()) => Invalidation::Applied,
        Err(cause) => Invalidation::Pending(PendingInvalidation { cause: Arc::new(cause) }),
    }
}

pub(crate) async fn send(far: &Far, what: &What) -> larder_core::Result<()> {
    if what.everything {
        far.insist(Operation::Clear, far.backend.clear()).await?;
    }
    let mut tags: Vec<Tag> = what.tags.iter().copied().collect();
    if !what.keys.is_empty() {
        let keys: Vec<Key> = what.keys.iter().copied().collect();
        far.insist(Operation::RemoveMany, far.backend.remove_many(&keys)).await?;
        // A feed carries tags; a key's bucket tells the near tiers that listen to it.
        let buckets: BTreeSet<Tag> = keys.iter().map(bucket_of).collect();
        tags.extend(buckets.iter().filter(|_| far.watches));
    }
    if !tags.is_empty() {
        far.insist(Operation::Bump, far.backend.bump(&tags)).await?;
    }
    Ok(())
}

/// Keeps an acknowledged invalidation for the case that the node which acknowledged it turns out
/// to have been replaced already.
fn remember(engine: &Arc<Engine>, what: &What) {
    if engine.recent.add(what, engine.clock.now()) {
        tokio::spawn(recent::watch(Arc::downgrade(engine)));
    }
}

/// Retries until nothing is pending. Exactly one such task runs while anything is: it is started
/// by whoever makes the set non-empty, and ends when it finds it empty or the cache gone.
async fn retry(engine: Weak<Engine>) {
    let mut pause = RETRY_FIRST;
    loop {
        tokio::time::sleep(pause).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let Some(far) = &engine.far else { return };
        let (what, moment) = engine.pending.snapshot();
        match send(far, &what).await {
            Ok(()) => {
                invalidate_here(&engine, &what);
                remember(&engine, &what);
                if engine.pending.acknowledge(moment) {
                    tracing::info!("pending invalidations are through");
                    return;
                }
                pause = RETRY_FIRST;
            }
            Err(error) => {
                tracing::debug!(%error, "invalidations are still pending");
                pause = (pause * 2).min(RETRY_LAST);
            }
        }
    }
}
