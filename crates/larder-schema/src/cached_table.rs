//! What the cache knows of one table, for people.

use std::time::Duration;

use larder_model::Identifier;

/// A registered model, as the cache knows its table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedTable {
    /// The name of the model, a Rust struct.
    pub model: &'static str,
    /// The name of the table.
    pub table: &'static Identifier,
    /// How it stands.
    pub state: TableState,
    /// When it was first ensured, in Unix milliseconds.
    pub first_ensured_at_ms: Option<u64>,
    /// When it was last verified, in Unix milliseconds.
    pub verified_at_ms: Option<u64>,
    /// How often it was verified.
    pub verifications: u32,
    /// How often in a row it could not be ensured.
    pub failures: u32,
    /// Why it could not be ensured the last time, without the database's own words; `None` since
    /// it was ensured or cleared.
    pub last_failure: Option<String>,
}

/// How a table stands in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableState {
    /// Nothing is known, or nothing that is still trusted: the next use checks it.
    Absent,
    /// It is as its model wants it: a use is a hit.
    Ensured,
    /// It could not be ensured.
    Failed {
        /// How long it is until a use tries again; zero if the next one does.
        retry_in: Duration,
    },
    /// It is being checked.
    Verifying,
}
