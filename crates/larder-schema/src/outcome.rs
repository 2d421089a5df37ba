//! How a use of a table turned out.

use std::sync::Arc;

use larder_model::Plan;

use crate::SchemaError;

/// How a table turned out to be as its model wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ensured {
    /// It was known: a hit.
    Known,
    /// It was not as the model wants it, and was changed. Everybody who waited for the check
    /// hears so.
    Migrated {
        /// What was done.
        plan: Arc<Plan>,
    },
    /// It was looked at, and there was nothing to do.
    Verified,
    /// Another process verified it, and by the database's signal nothing was changed since.
    Warm,
}

/// What a check found of one table.
pub(crate) type Outcome = Result<Ensured, SchemaError>;
