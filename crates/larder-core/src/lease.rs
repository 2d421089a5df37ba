//! Leases: the right to load one key, and the only way to fill it.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::{EntryId, Epoch};

/// Identifies one holder of a lease, in 16 opaque bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseToken([u8; 16]);

impl LeaseToken {
    /// Draws a new token.
    ///
    /// # Panics
    /// If the operating system can not provide randomness at all.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// A token as a backend made it, for example from a compare-and-swap number.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseToken(…)")
    }
}

/// A lease that was won: the token, bound to the epoch of the node that granted it.
///
/// The epoch matters where a node restarts and hands out the same token again: a fill whose
/// lease comes from another epoch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the pair is the definition")]
pub struct Lease {
    /// Who holds it.
    pub token: LeaseToken,
    /// The granting node's epoch.
    pub epoch: Epoch,
}

/// What a loader asks for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LeaseRequest {
    /// How long the lease holds without renewal; a holder that died blocks others no longer.
    pub time: Duration,
    /// The entry that the caller read and found dead. Only a *different* entry counts as found.
    pub dead: Option<EntryId>,
}

impl LeaseRequest {
    /// The shortest lease, so that none is over before its holder hears of it.
    pub const MIN_TIME: Duration = Duration::from_millis(1);

    /// A request for a lease of the given time (raised to [`LeaseRequest::MIN_TIME`]), by a
    /// caller that found no entry.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        Self { time: time.max(Self::MIN_TIME), dead: None }
    }

    /// Names the entry that the caller found dead.
    #[must_use]
    pub fn with_dead(mut self, dead: Option<EntryId>) -> Self {
        self.dead = dead;
        self
    }
}

/// The answer to a [`LeaseRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these three answers")]
pub enum LeaseOutcome {
    /// Somebody filled the key meanwhile; here is the stored value.
    Found(Bytes),
    /// Somebody else is loading the key.
    Held,
    /// The caller is the one loader of this key.
    Won(Lease),
}

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these two answers")]
pub enum FillOutcome {
    /// The lease was lost, or the key was invalidated since: nothing was stored.
    Refused,
    /// The value is stored and the lease is over.
    Stored,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_show_in_debug_output() {
        let epoch = Epoch::from_bytes([0x11; 16]);
        let lease = Lease { token: LeaseToken::from_bytes([0xcd; 16]), epoch };
        assert!(!format!("{lease:?}").contains("cdcd"));
    }

    #[test]
    fn a_lease_is_never_shorter_than_a_millisecond() {
        assert_eq!(LeaseRequest::new(Duration::ZERO).time, LeaseRequest::MIN_TIME);
    }
}
