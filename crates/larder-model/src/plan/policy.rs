//! Which steps may be done without asking anybody.
//!
//! Invariant: no policy admits what is ambiguous or unsupported, and only [`Policy::Full`] admits
//! what loses something.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Class, Step};

/// What may be done to a schema without asking anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Policy {
    /// Tables are created; columns are added that rows can do without; indexes and constraints
    /// come with the tables that are created. The default.
    #[default]
    Additive,
    /// Everything but what is ambiguous or unsupported, also what loses rows. For development.
    Full,
    /// What [`Additive`](Self::Additive) does, and all that changes no stored value and lets
    /// others go on: metadata and online steps; also steps that depend on the rows, if no row
    /// stands in the way.
    Safe,
    /// Nothing: no statement that writes is run and no lock is taken, so that a role without the
    /// right to change the schema will do.
    Verify,
}

/// A step that a policy does not admit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read and show")]
pub struct Refusal {
    /// The step's place in the plan, counted from 0.
    pub step: usize,
    /// How many rows stand in its way; `None` if nobody was asked.
    pub rows: Option<u64>,
}

impl Policy {
    /// Whether it admits a step in whose way `rows` rows stand; `None` for a step without a probe.
    #[must_use]
    pub fn admits(self, step: &Step, rows: Option<u64>) -> bool {
        let no_rows_in_the_way = rows.is_none_or(|rows| rows == 0);
        match (self, step.class) {
            (_, Class::Ambiguous | Class::Unsupported) | (Self::Verify, _) => false,
            (Self::Additive, class) => class == Class::Additive && no_rows_in_the_way,
            (Self::Safe, Class::Additive | Class::Metadata | Class::Online) => no_rows_in_the_way,
            // Without a question there is no answer that would allow it.
            (Self::Safe, Class::DataDependent) => rows == Some(0),
            (Self::Safe, Class::Destructive | Class::Rewrite) => false,
            (Self::Full, Class::Destructive) => true,
            // A constraint that rows break fails anyway; better before the first statement.
            (Self::Full, _) => no_rows_in_the_way,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Additive => "additive",
            Self::Full => "full",
            Self::Safe => "safe",
            Self::Verify => "verify",
        })
    }
}
