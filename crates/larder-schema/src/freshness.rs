//! For how long an answer of the database is trusted.
//!
//! Invariant: time counts from the moment before the database was asked, and use prolongs nothing.

use std::time::Duration;

use larder_core::Tick;

use crate::{SchemaOptions, Validation, slot::Slot};

/// The limits of one handle, where it has any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// How long a table counts as ensured after it was verified.
    lives: Duration,
    /// How long it still counts while it is verified in the background.
    grace: Duration,
    /// How old the last validation of the database may be.
    every: Duration,
}

/// What the clock says of a table that is ensured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It is to be verified before it is used.
    Expired,
    /// It counts.
    Fresh,
    /// It counts once more, and is to be verified meanwhile.
    Stale,
    /// It counts once the database was asked whether anything was changed.
    Unvalidated,
}

impl Freshness {
    /// The limits of these options; `None` where there are none, so that a hit reads no clock.
    pub(crate) fn of(options: &SchemaOptions) -> Option<Self> {
        let every = match options.validation {
            Validation::None => None,
            Validation::Signal { every } | Validation::Tokens { every } => Some(every),
        };
        if options.time_to_live.is_none() && every.is_none() {
            return None;
        }
        let cut = options.jitter.clamp(0.0, 1.0) * rand::random::<f64>();
        let lives = options.time_to_live.map(|ttl| ttl.shortened_by(cut).as_duration());
        Some(Self {
            lives: lives.unwrap_or(Duration::MAX),
            grace: options.stale_while_verify,
            every: every.unwrap_or(Duration::MAX),
        })
    }

    #[inline]
    pub(crate) fn is_fresh(&self, slot: &Slot, validated: Tick, now: Tick) -> bool {
        self.age(slot, validated, now) == Age::Fresh
    }

    #[inline]
    pub(crate) fn age(&self, slot: &Slot, validated: Tick, now: Tick) -> Age {
        let age = now.since(slot.verified());
        if age >= self.lives.saturating_add(self.grace) {
            Age::Expired
        } else if now.since(validated) >= self.every {
            Age::Unvalidated
        } else if age >= self.lives {
            Age::Stale
        } else {
            Age::Fresh
        }
    }
}
