//! What the registry answers, and what it is told: plain data.

use std::fmt;

use super::{Fence, Process, State};

/// What became of an attempt to create a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// It is the caller's to create. The caller counts as its first user.
    Creator(Creation),
    /// Its last user is deleting it. It can be created when it is gone.
    Draining(Waiting),
    /// It failed less than [`failure_backoff`](super::SharedOptions::failure_backoff) ago.
    Failed {
        /// The fence under which it failed.
        fence: Fence,
        /// Why.
        error: String,
    },
    /// Somebody else is creating it. It can be joined when it is ready.
    Joiner(Waiting),
    /// It is ready, and the caller has become a user.
    Ready(Hold),
}

/// The right, and the duty, to create a thing.
///
/// It ends with [`Update::Ready`] or [`Update::Failed`], or is taken over when the lease ends or
/// the process dies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Creation {
    /// The key of the thing.
    pub key: String,
    /// What the updates have to carry.
    pub fence: Fence,
    /// The hold that the caller has once the thing is ready.
    pub hold: HoldId,
    /// What an earlier owner may have left behind: it died or gave up while it made or deleted
    /// the thing of this id. The new owner can use it, or should delete it.
    pub leftover: Option<String>,
}

/// The right to use a thing.
///
/// It is data: dropping it releases nothing. [`Shared`](super::Shared) is the guard that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Its own id.
    pub id: HoldId,
    /// The key of the thing.
    pub key: String,
    /// The fence under which the thing was made.
    pub fence: Fence,
    /// The id of the thing itself.
    pub resource_id: String,
}

/// The id of one hold, random and never given twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(String);

impl HoldId {
    pub(crate) fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    pub(crate) fn from_file(id: String) -> Self {
        Self(id)
    }

    /// Its text, 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a thing can not be had at the moment, and who is the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The key of the thing.
    pub key: String,
    /// [`State::Creating`] or [`State::Draining`].
    pub state: State,
    /// The owner's fence.
    pub fence: Fence,
    /// Who creates or deletes it.
    pub owner: Option<Process>,
    /// Since when, in milliseconds since 1970 UTC.
    pub since_ms: i64,
    /// Until when the owner has time, in milliseconds since 1970 UTC, unless it renews.
    pub lease_until_ms: Option<i64>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "{:?} is {} by {owner}", self.key, self.state),
            None => write!(f, "{:?} is {}", self.key, self.state),
        }
    }
}

/// What became of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Released {
    /// Nobody else uses the thing, and nobody can join any more: it is the caller's to delete.
    Last(Drain),
    /// There was no such hold: it was released before, or its holder was given up for dead, or
    /// the thing failed or was replaced. Nothing changed.
    NotHeld,
    /// Others use the thing.
    StillUsed {
        /// The number of users that are left.
        usage: u64,
    },
}

/// The right to delete a thing that nobody uses. It ends with [`Update::Gone`] or
/// [`Update::Failed`], or is taken over when the lease ends or the process dies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drain {
    /// The key of the thing.
    pub key: String,
    /// What the updates have to carry.
    pub fence: Fence,
    /// What is to be deleted; `None` if it was never recorded.
    pub resource_id: Option<String>,
}

/// What an owner reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update<'a> {
    /// It goes on creating. What it has made so far is recorded, so that whoever takes over knows
    /// of it, and the lease is renewed.
    Creating {
        /// What exists so far; `None` also says that a leftover was deleted.
        resource_id: Option<&'a str>,
    },
    /// The thing was not made, was not deleted, or broke.
    Failed {
        /// Why.
        error: &'a str,
    },
    /// The thing was deleted.
    Gone,
    /// The thing can be used.
    Ready {
        /// The id of the thing.
        resource_id: &'a str,
    },
}

impl Update<'_> {
    /// The state that the thing is to have.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Creating { .. } => State::Creating,
            Self::Failed { .. } => State::Failed,
            Self::Gone => State::Gone,
            Self::Ready { .. } => State::Ready,
        }
    }
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The number of holders whose process is dead. They were removed.
    pub dead_holders: u64,
    /// The keys of things that nobody uses or owns: ready without a user, or left behind by a
    /// dead owner. [`drain`](super::SharedRegistry::drain) takes one, so that it can be deleted.
    pub unused: Vec<String>,
}
