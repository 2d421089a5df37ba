//! Why a value could not be had. The cache itself is never the reason.

use std::{any::Any, error::Error as StdError, fmt, sync::Arc, time::Duration};

/// A load that failed. Cache trouble is not among the variants: it ends in a load.
#[non_exhaustive]
pub enum LoadError<E> {
    /// An absence is stored for this entry, and the caller did not ask for an optional one.
    Absent,
    /// The engine is shutting down with its runtime.
    Cancelled,
    /// The loader's own error, shared by everybody who waited for it.
    Loader(Arc<E>),
    /// The loader panicked.
    Panicked {
        /// What it said.
        message: Arc<str>,
    },
    /// The loader asked for the very entry that it is loading.
    Reentrant,
    /// The loader did not finish within the time limit.
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// More tags than an entry may carry.
    TooManyTags {
        /// How many there were.
        tags: usize,
    },
}

impl<E> Clone for LoadError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Cancelled => Self::Cancelled,
            Self::Loader(error) => Self::Loader(Arc::clone(error)),
            Self::Panicked { message } => Self::Panicked { message: Arc::clone(message) },
            Self::Reentrant => Self::Reentrant,
            Self::TimedOut { limit } => Self::TimedOut { limit: *limit },
            Self::TooManyTags { tags } => Self::TooManyTags { tags: *tags },
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Cancelled => f.write_str("Cancelled"),
            Self::Loader(error) => f.debug_tuple("Loader").field(error).finish(),
            Self::Panicked { message } => {
                f.debug_struct("Panicked").field("message", message).finish()
            }
            Self::Reentrant => f.write_str("Reentrant"),
            Self::TimedOut { limit } => f.debug_struct("TimedOut").field("limit", limit).finish(),
            Self::TooManyTags { tags } => {
                f.debug_struct("TooManyTags").field("tags", tags).finish()
            }
        }
    }
}

impl<E> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("an absence is stored for this entry"),
            Self::Cancelled => f.write_str("the load was cancelled with its runtime"),
            Self::Loader(_) => f.write_str("the loader failed"),
            Self::Panicked { message } => write!(f, "the loader panicked: {message}"),
            Self::Reentrant => f.write_str("the loader asked for the entry that it is loading"),
            Self::TimedOut { limit } => write!(f, "the loader did not finish within {limit:?}"),
            Self::TooManyTags { tags } => write!(f, "{tags} tags are more than an entry may carry"),
        }
    }
}

impl<E: StdError + 'static> StdError for LoadError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Loader(error) => Some(&**error),
            _ => None,
        }
    }
}

/// [`LoadError`] without its type parameter, as a flight carries it to its waiters.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Loader(Arc<dyn Any + Send + Sync>),
    Panicked(Arc<str>),
    TimedOut(Duration),
}

impl Failure {
    /// Gives the loader's error its type back.
    ///
    /// Two call sites that load one entry with two error types can share a flight; the waiter
    /// whose type it is not then learns only that the flight failed.
    pub(crate) fn typed<E: Send + Sync + 'static>(self) -> LoadError<E> {
        match self {
            Self::Loader(error) => error.downcast().map_or_else(
                |_| LoadError::Panicked { message: "a shared load failed elsewhere".into() },
                LoadError::Loader,
            ),
            Self::Panicked(message) => LoadError::Panicked { message },
            Self::TimedOut(limit) => LoadError::TimedOut { limit },
        }
    }

    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::Panicked(message.into())
    }
}
