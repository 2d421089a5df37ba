//! Why a migration did not happen, by what a caller can do about it.

use std::{sync::Arc, time::Duration};

use larder_model::{Fingerprint, ModelError, Plan, Refusal};

use crate::{LockHolder, MigrationStatus, SessionError, SessionErrorKind};

/// What is being done when a connection can not be made.
pub(crate) const CONNECT: &str = "connect";

/// Why a migration did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// Rows would refer to rows that are not there, on SQLite, which checks references at the end
    /// of a migration. Everything was rolled back.
    #[error("{rows} rows would refer to rows that are not there")]
    BrokenReferences {
        /// How many more rows than before.
        rows: usize,
    },
    /// The tables of these models are not as the models want them, so they can not be adopted.
    #[error("{} of the models differ from their tables", differing.len())]
    Incompatible {
        /// The models with what would have to be done for each.
        differing: Vec<(String, Arc<Plan>)>,
    },
    /// Somebody else migrates, and did not end in time.
    #[error("somebody else migrates{}", holder.as_ref().map(|of| format!(": {of}")).unwrap_or_default())]
    LockHeld {
        /// Who it is; `None` if that is not known.
        holder: Option<Box<LockHolder>>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The lock was lost while it was held: this process was stopped for longer than its lease,
    /// or its connection was ended by somebody. What had been done until then is told by the
    /// registry, and the next run goes on from there.
    #[error("the lock was lost while it was held")]
    LockLost,
    /// A model that this database can not have.
    #[error("model {model:?} can not have a table on this database")]
    Model {
        /// The model.
        model: String,
        /// Why.
        source: ModelError,
    },
    /// Every step was done, and the schema still is not as it should be.
    #[error("the schema is not as it should be after all steps: {left}")]
    NotConverged {
        /// What is left to do.
        left: Arc<Plan>,
        /// Whether everything that was done was taken back.
        rolled_back: bool,
    },
    /// A migration whose status needs no repair.
    #[error("migration {version:?} is {status} and needs no repair")]
    NotRepairable {
        /// The migration.
        version: String,
        /// Its status.
        status: MigrationStatus,
    },
    /// The schema is no longer the one that the plan started from, or would now be changed by
    /// other statements: make a new plan.
    #[error("the plan is out of date")]
    PlanOutdated {
        /// The schema that the plan started from.
        planned: Fingerprint,
        /// The schema that was found.
        found: Fingerprint,
    },
    /// The role may not do what has to be done.
    #[error("the role may not do what has to be done: {plan}")]
    Permission {
        /// What has to be done, so that somebody who may can do it.
        plan: Arc<Plan>,
        /// The database's own error.
        source: SessionError,
    },
    /// The connection goes through a pooler that gives each statement or transaction another
    /// connection, so that it can not hold a lock. Connect to the database itself.
    #[error("the lock is not held by the connection that took it: a pooler stands in between")]
    Pooled,
    /// The policy does not admit all steps of a plan. Nothing was done.
    #[error("{} of {} steps are not admitted: {plan}", refused.len(), plan.steps.len())]
    Refused {
        /// The plan.
        plan: Arc<Plan>,
        /// The steps that stand in the way.
        refused: Vec<Refusal>,
    },
    /// The registry was written by a later version of this crate, one of its tables is somebody
    /// else's, or the options give it names that are too long for the database.
    #[error("the registry can not be used: {reason}")]
    Registry {
        /// Why, for people.
        reason: String,
    },
    /// The database could not be reached, or a statement of ours failed.
    #[error("could not {doing}")]
    Session {
        /// What was being done, for people.
        doing: &'static str,
        /// The database's own error.
        source: SessionError,
    },
    /// A step of a plan failed.
    #[error("step {} of {} failed: {}: {}", step + 1, plan.steps.len(), plan.steps[*step].table, plan.steps[*step].description)]
    Step {
        /// The plan.
        plan: Arc<Plan>,
        /// The step's place in the plan, counted from 0.
        step: usize,
        /// How many steps before it were done and stay done; 0 if all were rolled back.
        done: usize,
        /// The database's own error.
        source: SessionError,
    },
    /// There is no migration of this version, or it is not one that this crate wrote.
    #[error("there is no migration {version:?} of ours")]
    UnknownMigration {
        /// The version that was asked for.
        version: String,
    },
}

impl MigrateError {
    pub(crate) const fn session(doing: &'static str) -> impl Fn(SessionError) -> Self {
        move |source| Self::Session { doing, source }
    }

    /// Whether the same may well succeed if it is tried again at once.
    pub(crate) fn is_transient(&self) -> bool {
        use SessionErrorKind::{Busy, Conflict, Connection, Exists};
        if matches!(self, Self::Session { doing: CONNECT, .. }) {
            // Whoever connects has its own patience, see `Context::open`.
            return false;
        }
        let database = self.database();
        database.is_some_and(|of| matches!(of.kind(), Busy | Conflict | Connection | Exists))
    }

    /// The database's own error, if that is what it is about.
    #[must_use]
    pub const fn database(&self) -> Option<&SessionError> {
        match self {
            Self::Permission { source, .. }
            | Self::Session { source, .. }
            | Self::Step { source, .. } => Some(source),
            _ => None,
        }
    }
}
