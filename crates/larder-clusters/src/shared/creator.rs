//! What the creator of a thing has in its hands while it creates.

use super::{Fence, SharedRegistry, Update, duty::offload};
use crate::Result;

/// What the creator of a thing is told, and through which it can report before the end.
#[derive(Debug)]
pub struct Creator {
    pub(crate) registry: SharedRegistry,
    pub(crate) key: String,
    pub(crate) fence: Fence,
    pub(crate) leftover: Option<String>,
}

impl Creator {
    /// The key of the thing.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The number that no earlier owner had. Worth passing on to what can compare it.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// What an earlier owner may have left behind. It can be used: return its id. Otherwise it
    /// should be deleted.
    #[must_use]
    pub fn leftover(&self) -> Option<&str> {
        self.leftover.as_deref()
    }

    /// Records what exists so far, so that whoever takes over after a crash knows of it.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) if somebody else took over; go no further then. [`Error::File`](crate::Error::File).
    ///
    /// # Cancel safety
    /// It is recorded even if the future is dropped.
    pub async fn note(&self, resource_id: &str) -> Result<()> {
        let (registry, key, fence) = (self.registry.clone(), self.key.clone(), self.fence);
        let resource_id = resource_id.to_owned();
        offload(move || {
            let update = Update::Creating { resource_id: Some(&resource_id) };
            registry.update_status(&key, fence, update)
        })
        .await
    }
}
