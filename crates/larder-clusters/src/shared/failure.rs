//! Why a thing was not acquired, or not deleted.
//!
//! Invariant: whoever made something that is on no record gets its id back.

use std::{error::Error as StdError, time::Duration};

use super::Waiting;
use crate::Error;

/// What a caller's own work said.
pub(crate) type Cause = Box<dyn StdError + Send + Sync>;

/// Why a thing was not acquired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The caller's own creation failed; so it was recorded.
    #[error("creating {key:?} failed")]
    Create {
        /// The key of the thing.
        key: String,
        /// What the creation said.
        source: Cause,
    },
    /// The creation that was waited for failed.
    #[error("{key:?} was not created: {error}")]
    Failed {
        /// The key of the thing.
        key: String,
        /// Why, as its creator recorded it.
        error: String,
    },
    /// The thing was created and could not be recorded, because somebody else owns it by now or
    /// because of the file. The caller should delete it.
    #[error("{resource_id:?} was created for {key:?} and not recorded")]
    NotRecorded {
        /// The key of the thing.
        key: String,
        /// The id of what was created.
        resource_id: String,
        /// Why.
        source: Error,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    Registry(#[from] Error),
    /// It was not ready in time.
    #[error("{key:?} was not ready within {ready_timeout:?}")]
    TimedOut {
        /// The key of the thing.
        key: String,
        /// The time limit.
        ready_timeout: Duration,
        /// Who was waited for last; `None` if it was the caller's own creation.
        waiting: Option<Waiting>,
    },
}

/// Why a thing was not deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DestroyError {
    /// Deleting it failed; so it was recorded, and the next creator is told.
    #[error("deleting {key:?} failed")]
    Destroy {
        /// The key of the thing.
        key: String,
        /// What the deletion said.
        source: Cause,
    },
    /// The file could not be read or written, or somebody else took over.
    #[error(transparent)]
    Registry(#[from] Error),
}
