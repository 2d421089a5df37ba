//! What can be known about a shared thing, for people and programs that only look.

use super::{Fence, HoldId, Kind, Process, State, Waiting, thing::Thing};

/// A shared thing as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedInfo {
    /// Its kind.
    pub kind: Kind,
    /// Its key; for clusters the hash of the configuration.
    pub key: String,
    /// Its state.
    pub state: State,
    /// The fence of its last owner. Zero if only the former tool has touched it.
    pub fence: Fence,
    /// The id of the thing itself, as far as it is known.
    pub resource_id: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who creates or drains it, or created it.
    pub owner: Option<Process>,
    /// Whether its owner creates or drains it no more: it died, or its lease ended.
    pub is_abandoned: bool,
    /// Until when the owner has time, in milliseconds since 1970 UTC.
    pub lease_until_ms: Option<i64>,
    /// The number of users: living holders, and those of the former tool.
    pub usage: u64,
    /// The users of the former tool, which can not be watched.
    pub strangers: u64,
    /// The living holders.
    pub holders: Vec<Holder>,
    /// When its creation began, in milliseconds since 1970 UTC.
    pub created_at_ms: i64,
    /// When its state changed last, in milliseconds since 1970 UTC.
    pub changed_at_ms: i64,
}

/// A user of a shared thing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The id of its hold.
    pub id: HoldId,
    /// The process.
    pub process: Process,
    /// When it joined, in milliseconds since 1970 UTC.
    pub joined_at_ms: i64,
    /// When it was last heard of, in milliseconds since 1970 UTC.
    pub heartbeat_at_ms: i64,
}

impl SharedInfo {
    pub(crate) fn new(kind: &Kind, thing: Thing, holders: Vec<Holder>, abandoned: bool) -> Self {
        Self {
            kind: kind.clone(),
            key: thing.key,
            state: thing.state,
            fence: thing.fence,
            resource_id: thing.resource_id,
            error: thing.error,
            owner: thing.owner,
            is_abandoned: abandoned,
            lease_until_ms: thing.lease_until,
            usage: thing.strangers + holders.len() as u64,
            strangers: thing.strangers,
            holders,
            created_at_ms: thing.created_at,
            changed_at_ms: thing.changed_at,
        }
    }

    /// Whether there is something to join, now or when it is ready.
    #[must_use]
    pub fn can_be_joined(&self) -> bool {
        match self.state {
            State::Ready => true,
            State::Creating => !self.is_abandoned,
            State::Draining | State::Failed | State::Gone => false,
        }
    }

    /// What there is to wait for, if somebody creates or drains it.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting> {
        let awaited = matches!(self.state, State::Creating | State::Draining);
        (awaited && !self.is_abandoned).then(|| Waiting {
            key: self.key.clone(),
            state: self.state,
            fence: self.fence,
            owner: self.owner.clone(),
            since_ms: self.changed_at_ms,
            lease_until_ms: self.lease_until_ms,
        })
    }
}
