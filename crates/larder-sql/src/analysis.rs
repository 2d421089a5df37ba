//! What an analysis says.
//!
//! Invariant: it errs to one side only. A table too many in `reads` or `writes`, or a statement
//! wrongly called uncacheable, costs a load; the opposite would serve an old answer.

use std::collections::BTreeSet;

use crate::TableName;

/// What a text does to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Analysis {
    /// The kind of the statement; of several statements, the one that changes most.
    pub kind: StatementKind,
    /// The tables and views whose rows the answer depends on. The target of a write is among
    /// them only if the statement names it a second time as a source.
    pub reads: BTreeSet<TableName>,
    /// The tables that the text changes.
    pub writes: Writes,
    /// Whether the answer may be cached: the first reason against it, if there is one.
    pub cacheability: Result<(), Uncacheable>,
    /// What was found in the text that changes from run to run or from session to session,
    /// whatever the kind of the statement. For a view's definition it is what its readers inherit.
    pub instability: Option<Uncacheable>,
    /// The functions that the text calls, without schema and in lower case. A function of the
    /// user's may hide behind the name of one of the server's, and may write.
    pub calls: BTreeSet<Box<str>>,
    /// Whether one of them is not known here, so that it may be a function of the user's.
    pub calls_unknown: bool,
}

/// What a statement does, from what changes least to what changes most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// Answers with rows and, its functions aside, changes nothing.
    Read,
    /// Looks at or changes the session or the server: `SET`, `SHOW`, `EXPLAIN`, `PRAGMA`. Also a
    /// text without any statement.
    Session,
    /// Begins, ends or marks a transaction.
    Transaction,
    /// Changes rows.
    Write,
    /// Changes tables, views or whatever else is created, altered and dropped.
    Schema,
}

/// The tables that a text changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "either the tables are known or they are not")]
pub enum Writes {
    /// It may change anything: a procedure, a cascade, a statement of a kind not known here.
    Everything,
    /// These tables; none for a read.
    Tables(BTreeSet<TableName>),
}

impl Writes {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Tables(tables) if tables.is_empty())
    }

    pub(crate) fn add(&mut self, table: TableName) {
        if let Self::Tables(tables) = self {
            tables.insert(table);
        }
    }
}

impl Default for Writes {
    fn default() -> Self {
        Self::Tables(BTreeSet::new())
    }
}

/// Why an answer may not be cached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Uncacheable {
    /// It locks the rows that it reads (`FOR UPDATE`, `FOR SHARE`, `LOCK IN SHARE MODE`).
    #[error("the statement locks rows")]
    Locking,
    /// The text holds more than one statement.
    #[error("the text holds more than one statement")]
    MultipleStatements,
    /// It is not a query.
    #[error("the statement is not a query")]
    NotARead,
    /// The answer depends on the session: its user, its variables, its last insert.
    #[error("the answer depends on the session ({name})")]
    SessionState {
        /// The function or variable.
        name: String,
    },
    /// The answer comes from the server's own tables, which change without a write.
    #[error("{table} is a system table")]
    SystemTable {
        /// The table.
        table: TableName,
    },
    /// The table belongs to one session and may hide another of the same name.
    #[error("{table} is a temporary table")]
    Temporary {
        /// The table.
        table: TableName,
    },
    /// A function or operator that is not known to give the same answer every time.
    #[error("{name} is not known to be deterministic")]
    UnknownFunction {
        /// The function or operator, as written.
        name: String,
    },
    /// Syntax that is parsed but not understood well enough.
    #[error("{construct} is not supported")]
    Unsupported {
        /// What it is.
        construct: &'static str,
    },
    /// Two runs give two answers: the time, a random number, a sequence.
    #[error("{name} changes from run to run")]
    Volatile {
        /// The function, keyword or literal.
        name: String,
    },
    /// It changes tables.
    #[error("the statement changes tables")]
    Writes,
}
