//! What differs between databases.
//!
//! Guards that nothing outside of a dialect's own module knows how a database writes or
//! understands anything.

use std::fmt;

use crate::{ColumnKind, Identifier, ObservedTable, TableModel, sqlite};

/// A database's way to write and to understand a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// A name in quotes, as it stands in a statement.
    #[must_use]
    pub fn quoted(self, name: &Identifier) -> String {
        match self {
            Self::Sqlite => sqlite::quoted(name),
        }
    }

    /// The statement that creates a table.
    #[must_use]
    pub fn create_table(self, table: &TableModel) -> String {
        match self {
            Self::Sqlite => sqlite::create_table(table),
        }
    }

    /// The statement that adds a column of the model to the table that is there.
    pub(crate) fn add_column(
        self,
        table: &TableModel,
        column: &crate::ColumnModel,
        observed: &ObservedTable,
    ) -> String {
        match self {
            Self::Sqlite => sqlite::add_column(table, column, observed.strict),
        }
    }

    /// Whether a column that was declared so holds every value of the kind unchanged, and gives
    /// it back as the same kind.
    pub(crate) fn holds(self, kind: ColumnKind, declared: &str, strict: bool) -> bool {
        match self {
            Self::Sqlite => sqlite::holds(kind, declared, strict),
        }
    }

    /// How a column of the kind is declared in a new table.
    pub(crate) const fn declared(self, kind: ColumnKind) -> &'static str {
        match self {
            Self::Sqlite => sqlite::declared(kind, false),
        }
    }

    /// Whether the database keeps tables of this name to itself.
    pub(crate) fn is_reserved(self, table: &Identifier) -> bool {
        match self {
            Self::Sqlite => sqlite::is_reserved(table),
        }
    }

    /// Whether the database takes two names for one.
    pub(crate) const fn is_same(self, name: &Identifier, other: &str) -> bool {
        match self {
            Self::Sqlite => name.is_alike(other),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("SQLite"),
        }
    }
}
