//! What is written in terms of a table without being part of it.
//!
//! Guards that a table which is written anew keeps its triggers, and that nothing is dropped beside
//! a column without a word.

use serde::{Deserialize, Serialize};

/// A trigger or a view of SQLite; a trigger, a policy, a rule or an exclusion constraint of
/// PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// The statement that made it; of a constraint its definition.
    pub sql: String,
    /// Whether it belongs to the table itself and goes when the table goes. Everything else
    /// mentions the table's name.
    pub is_own: bool,
}

impl Dependent {
    /// What it is, for people.
    pub(crate) fn what(&self) -> &'static str {
        let mut words = self.sql.split_ascii_whitespace().map(str::to_ascii_uppercase);
        let kind = words.find(|word| !matches!(word.as_str(), "CREATE" | "OR" | "REPLACE"));
        match kind.as_deref() {
            Some("EXCLUDE") => "an exclusion constraint",
            Some("POLICY") => "a policy",
            Some("RULE") => "a rule",
            Some("VIEW") => "a view",
            _ => "a trigger",
        }
    }
}
