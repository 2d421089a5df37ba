//! How much a step may cost, and whom it makes wait.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a step may cost, in the order of what has to be thought about before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Class {
    /// It only adds, and no statement of an older program notices.
    Additive,
    /// It changes the catalog and no row, in an instant.
    Metadata,
    /// It reads or writes all rows while others go on reading and writing.
    Online,
    /// It reads or rewrites all rows while others wait.
    Rewrite,
    /// Whether it succeeds depends on the rows that are there.
    DataDependent,
    /// It loses values, or may.
    Destructive,
    /// Nobody but a person knows what is meant, such as a column that may have been renamed.
    Ambiguous,
    /// No statement of ours does it.
    Unsupported,
}

/// Whom a step makes wait while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is nobody else")]
pub enum LockLevel {
    /// Nobody, or for an instant.
    None,
    /// Whoever writes to the table.
    Writers,
    /// Everybody who uses the table.
    Everybody,
    /// Whoever writes to the database (SQLite).
    DatabaseWriters,
}

impl Class {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::Ambiguous => "ambiguous",
            Self::DataDependent => "data-dependent",
            Self::Destructive => "destructive",
            Self::Metadata => "metadata",
            Self::Online => "online",
            Self::Rewrite => "rewrite",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
