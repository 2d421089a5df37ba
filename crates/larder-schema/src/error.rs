//! Why a table could not be ensured.
//!
//! Invariant: [`SchemaError::Pending`] and [`SchemaError::Refused`] mean that nothing was changed.

use std::{error::Error as StdError, sync::Arc};

use larder_model::{Identifier, Plan, Step};

use crate::StoreError;

/// A table that could not be ensured. Everybody who waited for the check gets the same error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Every statement succeeded, and yet the table is not as the model wants it; all of them
    /// were undone. An error of this program, or a trigger of the database's own.
    #[error("table {:?} differs from its model after it was changed: {plan}", plan.table())]
    NotConverged {
        /// What still differs.
        plan: Arc<Plan>,
    },
    /// Something would have to be added, which [`Policy::Verify`](crate::Policy::Verify) leaves
    /// to somebody else. Nothing was changed.
    #[error("table {:?} is not as its model wants it: {plan}", plan.table())]
    Pending {
        /// What would have to be added.
        plan: Arc<Plan>,
    },
    /// Something would have to be lost or changed, or is for a person to decide. Nothing was
    /// changed, also of what could have been added.
    #[error("table {:?} can not become what its model wants: {}", plan.table(), refused(plan))]
    Refused {
        /// Everything that differs.
        plan: Arc<Plan>,
    },
    /// The database failed. What had been changed was undone; if it was the commit that failed,
    /// the database may have made it permanent nevertheless, which the next check will see.
    #[error("the database failed while table {table:?} was checked")]
    Store {
        /// The table.
        table: Identifier,
        /// The database's own error.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The database described the table in a way that is not understood.
    #[error("the database's description of table {table:?} is not understood")]
    Undescribed {
        /// The table.
        table: Identifier,
    },
}

impl SchemaError {
    pub(crate) fn store(table: &Identifier, source: StoreError) -> Self {
        Self::Store { table: table.clone(), source: source.into() }
    }

    /// The table that it is about.
    #[must_use]
    pub fn table(&self) -> &Identifier {
        match self {
            Self::NotConverged { plan } | Self::Pending { plan } | Self::Refused { plan } => {
                plan.table()
            }
            Self::Store { table, .. } | Self::Undescribed { table } => table,
        }
    }

    /// What differs; `None` if the database did not get as far as to say so.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::NotConverged { plan } | Self::Pending { plan } | Self::Refused { plan } => {
                Some(plan)
            }
            Self::Store { .. } | Self::Undescribed { .. } => None,
        }
    }
}

fn refused(plan: &Plan) -> String {
    let steps: Vec<_> = plan.refused().map(Step::to_string).collect();
    steps.join("; ")
}
