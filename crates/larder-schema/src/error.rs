//! Why a table could not be ensured.
//!
//! Invariant: [`SchemaError::Refused`] means that nothing was changed.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use larder_model::{Identifier, Plan, Policy, Refusal};

use crate::StoreError;

/// A table that could not be ensured. Everybody who waited for the check gets the same error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SchemaError {
    /// The table could not be ensured a short while ago, and the database is not asked again yet.
    BackingOff {
        /// The table.
        table: Identifier,
        /// How long it is until the next try, from the moment of this error.
        retry_in: Duration,
        /// Why the last try failed.
        cause: Arc<Self>,
    },
    /// Something would have to be done that the policy leaves to somebody else. Nothing was
    /// changed, also of what the policy admits.
    Refused {
        /// The table.
        table: Identifier,
        /// The policy.
        policy: Policy,
        /// Everything that differs.
        plan: Arc<Plan>,
        /// The steps that the policy does not admit, with the rows that stand in their way.
        refused: Vec<Refusal>,
    },
    /// The database failed, or somebody held its lock for too long.
    Store {
        /// The table.
        table: Identifier,
        /// The database's own error.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// No model of this name, or of a table of this name, is registered for this database.
    UnknownTable {
        /// The name.
        name: String,
    },
}

impl SchemaError {
    pub(crate) fn store(table: &Identifier, source: StoreError) -> Self {
        Self::Store { table: table.clone(), source }
    }

    /// The table that it is about; `None` if there is none of the name that was asked for.
    #[must_use]
    pub const fn table(&self) -> Option<&Identifier> {
        match self {
            Self::BackingOff { table, .. }
            | Self::Refused { table, .. }
            | Self::Store { table, .. } => Some(table),
            Self::UnknownTable { .. } => None,
        }
    }

    /// What differs; `None` if the database did not get as far as to say so. While it is backing
    /// off: what differed at the last try.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::BackingOff { cause, .. } => cause.plan(),
            Self::Refused { plan, .. } => Some(plan),
            Self::Store { .. } | Self::UnknownTable { .. } => None,
        }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackingOff { table, retry_in, .. } => {
                write!(f, "table {table:?} could not be ensured and is tried again in {retry_in:?}")
            }
            Self::Refused { table, policy, plan, refused } => write!(
                f,
                "table {table:?} is not as its model wants it, and the policy {policy} does not \
                 admit: {}",
                refused_steps(plan, refused)
            ),
            Self::Store { table, .. } => {
                write!(f, "the database failed while table {table:?} was checked")
            }
            Self::UnknownTable { name } => {
                write!(f, "no model or table named {name:?} is registered")
            }
        }
    }
}

impl StdError for SchemaError {
    /// The error itself and not the `Arc` around it, so that it can be downcast.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::BackingOff { cause, .. } => Some(&**cause),
            Self::Store { source, .. } => Some(&**source),
            Self::Refused { .. } | Self::UnknownTable { .. } => None,
        }
    }
}

fn refused_steps(plan: &Plan, refused: &[Refusal]) -> String {
    let step = |refusal: &Refusal| {
        let step = plan.steps.get(refusal.step)?;
        let what = step.probe.as_ref().map_or("rows in the way", |probe| &probe.what);
        let rows = match refusal.rows {
            Some(rows) if rows > 0 => format!(" ({rows} {what})"),
            _ => String::new(),
        };
        let reason = step.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        Some(format!("{}{rows}{reason}", step.description))
    };
    let steps: Vec<_> = refused.iter().filter_map(step).collect();
    steps.join("; ")
}
