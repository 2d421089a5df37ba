//! The guard that keeps a shared thing while it is used.

use std::{fmt, future::Future};

use super::{
    DestroyError, Fence, Hold, Released, SharedRegistry,
    duty::{Duty, offload},
    heart::Beat,
    machine::Patience,
};
use crate::Result;

/// A shared thing in use.
///
/// As long as it lives, so does the hold: a thread of the registry says so to the others. When
/// it is dropped the hold ends, in the background if there is a runtime. If it was the last one,
/// the thing begins to drain, and whoever wants it next is told what was
/// [left over](super::Creation::leftover); to delete it instead, end the guard with
/// [`release_with`](Self::release_with).
#[derive(Debug)]
pub struct Shared {
    registry: SharedRegistry,
    hold: Hold,
    beat: Beat,
    duty: Duty,
}

impl Shared {
    pub(crate) fn new(registry: &SharedRegistry, hold: Hold, duty: Duty) -> Self {
        let beat = Beat::of_hold(&registry.inner, hold.id.clone());
        Self { registry: registry.clone(), hold, beat, duty }
    }

    /// The key of the thing.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.hold.key
    }

    /// The id of the thing itself.
    #[must_use]
    pub fn resource_id(&self) -> &str {
        &self.hold.resource_id
    }

    /// The fence under which it was made.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.hold.fence
    }

    /// The hold as data.
    #[must_use]
    pub fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Whether the hold existed at the last heartbeat. It ends early if the thing failed or was
    /// removed, or, where processes can not be looked at, if this one was silent for too long.
    #[must_use]
    pub fn is_current(&self) -> bool {
        !self.beat.is_lost()
    }

    /// Ends the hold and says what is left. Whoever gets [`Released::Last`] has to delete the
    /// thing and report it, or nobody can have it until the lease ends.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File); it is tried once more in the background, and otherwise
    /// the hold ends when its process does.
    ///
    /// # Cancel safety
    /// The hold ends even if the future is dropped; if it was the last one, the thing has failed
    /// then, and the next creator is told of the leftover.
    pub async fn release(self) -> Result<Released> {
        let (released, duty) = self.release_guarded().await?;
        if let Some(duty) = duty {
            duty.fulfilled();
        }
        Ok(released)
    }

    /// Ends the hold and, if it was the last one, deletes the thing by way of `destroy`, which
    /// gets its id. Says whether it did.
    ///
    /// Others who want the thing wait meanwhile, and then create it anew. If `destroy` fails, the
    /// thing has failed, and the next creator is told of the leftover.
    ///
    /// # Errors
    /// [`DestroyError`].
    ///
    /// # Cancel safety
    /// The hold ends even if the future is dropped. If that happens while `destroy` runs, the
    /// thing has failed.
    pub async fn release_with<D, F, E>(self, destroy: D) -> Result<bool, DestroyError>
    where
        D: FnOnce(String) -> F,
        F: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let registry = self.registry.clone();
        match self.release_guarded().await? {
            (Released::Last(drain), Some(duty)) => {
                registry.destroy_owed(drain, duty, destroy).await.map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// Releases; a drain that this brings is given back if nobody sees to it.
    async fn release_guarded(self) -> Result<(Released, Option<Duty>)> {
        let Self { registry, hold, beat, duty } = self;
        drop(beat);
        offload(move || {
            let inner = &registry.inner;
            let released = inner.write(|scope| scope.release(&hold.key, &hold.id, Patience::Lease));
            let released = released?;
            duty.fulfilled();
            let duty = match &released {
                Released::Last(drain) => Some(Duty::of_drain(inner, drain)),
                Released::NotHeld | Released::StillUsed { .. } => None,
            };
            Ok((released, duty))
        })
        .await
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, hold, .. } = self;
        write!(f, "{} {:?}: {}", registry.options().kind, hold.key, hold.resource_id)
    }
}
