//! What is written in terms of a table without being part of it.
//!
//! Guards that a table which is written anew keeps its triggers.

use serde::{Deserialize, Serialize};

/// A trigger or a view of SQLite.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// The statement that made it.
    pub sql: String,
    /// Whether it is a trigger of the table itself, which goes when the table goes. Everything
    /// else mentions the table's name.
    pub is_own: bool,
}
