//! What happens to the tables of a database, for those who want to be told.

use std::sync::Arc;

use larder_model::{Identifier, Plan};

use crate::SchemaError;

/// Something that happened to a table. Told to everybody who has
/// [subscribed](crate::Schema::events).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SchemaEvent {
    /// Somebody else has changed the table: its next use checks it.
    Drifted {
        /// The model, a Rust struct.
        model: &'static str,
        /// Its table.
        table: &'static Identifier,
        /// What gave it away.
        noticed: Noticed,
    },
    /// The table could not be ensured.
    Failed {
        /// The model, a Rust struct.
        model: &'static str,
        /// Its table.
        table: &'static Identifier,
        /// Why.
        error: Arc<SchemaError>,
    },
    /// The table was created or changed.
    Migrated {
        /// The model, a Rust struct.
        model: &'static str,
        /// Its table.
        table: &'static Identifier,
        /// What was done.
        plan: Arc<Plan>,
    },
}

/// What gave somebody else's change away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Noticed {
    /// A look at the table, because the database had said that some schema was changed or because
    /// it was time.
    Look,
    /// A statement that failed.
    Statement,
}
