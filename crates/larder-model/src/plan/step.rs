//! One step of a plan.
//!
//! Invariant: a step says before it runs all that there is to know about it: its statements, whom
//! it makes wait, how to undo it, and which rows would stand in its way.

use serde::{Deserialize, Serialize};

use crate::{Class, ForeignKey, LockLevel, TableName};

/// One step of a [`Plan`](crate::Plan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read and show")]
pub struct Step {
    /// The table, or the enumerated type, that it is about.
    pub table: TableName,
    /// What it does, for people: a lower-case fragment such as `add column "name" text`.
    pub description: String,
    /// How much it may cost.
    pub class: Class,
    /// Whom it makes wait.
    pub lock: LockLevel,
    /// The statements, in their order. Empty only for [`Class::Ambiguous`] and
    /// [`Class::Unsupported`].
    pub statements: Vec<String>,
    /// Whether the statements can run within a transaction; `CREATE INDEX CONCURRENTLY` can not.
    pub transactional: bool,
    /// How to take it back.
    pub undo: Undo,
    /// What to ask of the rows before the plan runs.
    pub probe: Option<Probe>,
    /// Why it is of this class, where that is not obvious; and what to do instead, where no
    /// statement helps.
    pub reason: Option<String>,
    /// What it takes off for a while, or puts back. A run that was broken off between the two
    /// leaves it off, and the next one puts it back, see [`Plan::restoring`](crate::Plan::restoring).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interlude: Option<Interlude>,
}

/// A reference that stays and has to go while something else is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "it goes and it comes")]
pub enum Interlude {
    /// The step puts it back.
    PutsBack(ForeignKey),
    /// The step takes it off.
    TakesOff(ForeignKey),
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a step can be taken back or not")]
pub enum Undo {
    /// It loses something that no statement brings back.
    Irreversible,
    /// By these statements, without losing anything that was there before the step.
    Statements(Vec<String>),
}

/// A question about the rows whose answer should be zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others read and show")]
pub struct Probe {
    /// A statement that returns one row with one number: how many rows stand in the way. It runs
    /// before the first step of the plan, on the schema as it is then.
    pub sql: String,
    /// What the rows are, for people: `rows with NULL in "name"`.
    pub what: String,
}
