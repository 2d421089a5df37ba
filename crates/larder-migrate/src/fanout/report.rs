//! What a fan-out tells: while it runs, and at its end.

use std::fmt;

use larder_model::Fingerprint;
use serde::{Deserialize, Serialize};

/// What became of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantReport {
    /// The tenant.
    pub tenant: String,
    /// What became of it.
    pub outcome: TenantOutcome,
    /// The plan that was, or would have been, applied: [`Planned::id`](crate::Planned::id).
    pub plan: Option<String>,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
}

/// What became of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[non_exhaustive]
pub enum TenantOutcome {
    /// The database failed, or could not be reached.
    Failed {
        /// Why, without the database's own words.
        error: String,
    },
    /// Its tables were brought into shape.
    Migrated {
        /// In how many steps.
        steps: usize,
    },
    /// The policy does not admit what would have to be done. Nothing was changed.
    Refused {
        /// The steps that stand in the way.
        steps: Vec<String>,
    },
    /// An earlier part of the run was done with it.
    Resumed,
    /// Its tables were as they should be.
    Unchanged,
}

/// Tenants that started from one schema, and for which one plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FanOutGroup {
    /// The plan: [`Planned::id`](crate::Planned::id).
    pub plan: String,
    /// The schema that it starts from.
    pub from: Fingerprint,
    /// What it does, for people.
    pub steps: Vec<String>,
    /// How many tenants it was for.
    pub tenants: usize,
}

/// What a fan-out did. Its JSON is stable: fields are added, and neither renamed nor removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FanOutSummary {
    /// The name of the run.
    pub run: Option<String>,
    /// Why it stopped before the end; `None` if it did not.
    pub stopped: Option<FanOutStop>,
    /// Tenants that an earlier part of the run was done with.
    pub resumed: usize,
    /// Tenants that needed nothing.
    pub unchanged: usize,
    /// Tenants that were migrated.
    pub migrated: usize,
    /// Tenants that were refused.
    pub refused: usize,
    /// Tenants that failed.
    pub failed: usize,
    /// The plans that were made.
    pub groups: Vec<FanOutGroup>,
    /// The tenants that were refused or failed, in the order in which they ended.
    pub errors: Vec<TenantReport>,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
}

/// Why a fan-out stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FanOutStop {
    /// A canary did not succeed.
    Canary,
    /// Too many tenants were refused or failed.
    Errors,
}

/// What happens while a fan-out runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FanOutEvent {
    /// All canaries have succeeded: the others begin.
    CanariesPassed,
    /// A tenant is done with.
    Finished(TenantReport),
    /// Work on a tenant begins.
    Started {
        /// The tenant.
        tenant: String,
    },
    /// No further tenant is begun.
    Stopping(FanOutStop),
}

impl TenantOutcome {
    /// Whether its tables are as they should be.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Refused { .. })
    }
}

impl FanOutSummary {
    /// Whether the tables of every tenant are as they should be.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.stopped.is_none() && self.refused == 0 && self.failed == 0
    }

    pub(super) fn add(&mut self, report: &TenantReport) {
        match report.outcome {
            TenantOutcome::Failed { .. } => self.failed += 1,
            TenantOutcome::Migrated { .. } => self.migrated += 1,
            TenantOutcome::Refused { .. } => self.refused += 1,
            TenantOutcome::Resumed => self.resumed += 1,
            TenantOutcome::Unchanged => self.unchanged += 1,
        }
        if !report.outcome.is_ok() {
            self.errors.push(report.clone());
        }
    }
}

impl fmt::Display for FanOutSummary {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { migrated, unchanged, resumed, refused, failed, .. } = self;
        write!(f, "{migrated} migrated, {unchanged} unchanged")?;
        for (count, what) in [(resumed, "done before"), (refused, "refused"), (failed, "failed")] {
            if *count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        match self.stopped {
            None => Ok(()),
            Some(FanOutStop::Canary) => f.write_str("; stopped: a canary did not succeed"),
            Some(FanOutStop::Errors) => f.write_str("; stopped: too many errors"),
        }
    }
}
