//! One error for every backend: callers match on the kind, people read the source.

use std::{error::Error as StdError, fmt};

/// The result of a backend call.
pub type Result<T> = std::result::Result<T, Error>;

/// A backend call that failed.
///
/// The message names the backend and the operation; what went wrong underneath is the
/// [`source`](StdError::source). No key, value, password or URL is part of it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    backend: &'static str,
    operation: Operation,
    detail: Option<Box<str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credentials were refused. Permanent.
    Authentication,
    /// The store is locked by others for longer than the time limit. Retryable.
    Busy,
    /// What is stored is damaged or belongs to another program. Permanent.
    Corrupt,
    /// The configuration or an argument is invalid. Permanent.
    InvalidInput,
    /// The store has no room left and could not make any.
    NoSpace,
    /// The peer does not speak the expected protocol. Permanent.
    Protocol,
    /// The store accepts no writes: a read-only file, a replica.
    ReadOnly,
    /// No answer within the time limit. Retryable; whether a write took effect is unknown.
    Timeout,
    /// The value is larger than the backend takes; nothing was sent.
    TooLarge,
    /// The store can not be reached. Retryable.
    Unavailable,
    /// The backend can not do this, as its [`Capability`](crate::Capability) says. Permanent.
    Unsupported,
    /// Anything else; the source says what.
    Other,
}

impl ErrorKind {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Timeout | Self::Unavailable)
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Authentication => "the credentials were refused",
            Self::Busy => "the store is busy",
            Self::Corrupt => "the stored data is damaged or foreign",
            Self::InvalidInput => "invalid input",
            Self::NoSpace => "no space is left",
            Self::Protocol => "the peer speaks another protocol",
            Self::ReadOnly => "the store is read-only",
            Self::Timeout => "no answer within the time limit",
            Self::TooLarge => "the value is too large",
            Self::Unavailable => "the store can not be reached",
            Self::Unsupported => "the backend does not support this",
            Self::Other => "the call failed",
        }
    }
}

/// The verb that failed, or that a span or a counter speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`CacheBackend::add`](crate::CacheBackend::add)
    Add,
    /// [`CacheBackend::bump`](crate::CacheBackend::bump)
    Bump,
    /// [`CacheBackend::clear`](crate::CacheBackend::clear)
    Clear,
    /// [`CacheBackend::epoch`](crate::CacheBackend::epoch)
    Epoch,
    /// [`CacheBackend::fill`](crate::CacheBackend::fill)
    Fill,
    /// [`CacheBackend::generations`](crate::CacheBackend::generations)
    Generations,
    /// [`CacheBackend::health`](crate::CacheBackend::health)
    Health,
    /// [`CacheBackend::lease`](crate::CacheBackend::lease)
    Lease,
    /// Opening or connecting.
    Open,
    /// [`CacheBackend::put`](crate::CacheBackend::put)
    Put,
    /// [`CacheBackend::read`](crate::CacheBackend::read)
    Read,
    /// [`CacheBackend::read_many`](crate::CacheBackend::read_many)
    ReadMany,
    /// [`CacheBackend::release`](crate::CacheBackend::release)
    Release,
    /// [`CacheBackend::remove`](crate::CacheBackend::remove)
    Remove,
    /// [`CacheBackend::remove_many`](crate::CacheBackend::remove_many)
    RemoveMany,
    /// [`CacheBackend::renew`](crate::CacheBackend::renew)
    Renew,
    /// [`CacheBackend::touch`](crate::CacheBackend::touch)
    Touch,
    /// [`CacheBackend::watch`](crate::CacheBackend::watch)
    Watch,
    /// Upkeep that a backend does by itself: sweeping, optimizing.
    Maintain,
}

impl Operation {
    /// The verb's name as it appears in messages, spans and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Bump => "bump",
            Self::Clear => "clear",
            Self::Epoch => "epoch",
            Self::Fill => "fill",
            Self::Generations => "generations",
            Self::Health => "health",
            Self::Lease => "lease",
            Self::Open => "open",
            Self::Put => "put",
            Self::Read => "read",
            Self::ReadMany => "read_many",
            Self::Release => "release",
            Self::Remove => "remove",
            Self::RemoveMany => "remove_many",
            Self::Renew => "renew",
            Self::Touch => "touch",
            Self::Watch => "watch",
            Self::Maintain => "maintain",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// An error of the given kind; `backend` is the backend's name, such as `"sqlite"`.
    #[must_use]
    pub const fn new(kind: ErrorKind, backend: &'static str, operation: Operation) -> Self {
        Self { kind, backend, operation, detail: None, source: None }
    }

    /// Adds what the kind alone does not say: which file, which limit. Never a secret or a key.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// The backend's name.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// The verb that failed.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.backend, self.operation, self.kind.describe())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_backend_operation_and_detail_and_leaves_the_source_alone() {
        let error = Error::new(ErrorKind::Corrupt, "sqlite", Operation::Open)
            .with_detail("file \"cache.db\"")
            .with_source("database disk image is malformed");
        assert_eq!(
            error.to_string(),
            "sqlite open: the stored data is damaged or foreign: file \"cache.db\""
        );
        assert!(error.source().is_some());
        assert!(!error.is_retryable());
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retryable() {
        use ErrorKind::*;
        for kind in [Busy, Timeout, Unavailable] {
            assert!(kind.is_retryable(), "{kind:?}");
        }
        for kind in [Authentication, Corrupt, InvalidInput, NoSpace, Protocol, ReadOnly, TooLarge] {
            assert!(!kind.is_retryable(), "{kind:?}");
        }
    }
}
