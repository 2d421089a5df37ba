//! Indexes.

use serde::{Deserialize, Serialize};

/// An index that belongs to no key and no constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Index {
    /// Its name; every database has one.
    pub name: String,
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// How it is kept, if not as a B-tree: `hash`, `gin`, `fulltext`, `spatial`.
    pub method: Option<String>,
    /// What it orders by.
    pub parts: Vec<IndexPart>,
    /// Columns that are only carried along (`INCLUDE`).
    pub include: Vec<String>,
    /// The condition of a partial index, as SQL.
    pub predicate: Option<String>,
    /// PostgreSQL: `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// Whether the database uses it: not one that `CREATE INDEX CONCURRENTLY` left behind half
    /// made, nor one that is invisible.
    pub valid: bool,
}

/// One part of an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct IndexPart {
    /// A column's name without quotes, or an expression as SQL without parentheses around it.
    pub text: String,
    /// Whether it is an expression.
    pub is_expression: bool,
    /// Whether it is in descending order.
    pub descending: bool,
    /// Where NULLs stand, if not where they would stand anyway.
    pub nulls: Option<NullsOrder>,
    /// Its collation, if it is not the column's.
    pub collation: Option<String>,
    /// PostgreSQL: its operator class, if it is not the default of its type.
    pub opclass: Option<String>,
    /// MySQL and MariaDB: how many characters or bytes of the column count.
    pub prefix: Option<u32>,
}

/// Where NULLs stand in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no third place")]
pub enum NullsOrder {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}

impl Index {
    /// A plain index over columns.
    #[must_use]
    pub fn new(name: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            name: name.into(),
            unique: false,
            method: None,
            parts: columns.iter().map(|column| IndexPart::column(*column)).collect(),
            include: Vec::new(),
            predicate: None,
            nulls_not_distinct: false,
            valid: true,
        }
    }

    /// Whether no two rows have the same values in these columns because of it.
    pub(crate) fn is_unique_over(&self, columns: &[String]) -> bool {
        self.unique
            && self.valid
            && self.predicate.is_none()
            && self.parts.len() == columns.len()
            && self.parts.iter().all(|part| {
                !part.is_expression && part.prefix.is_none() && columns.contains(&part.text)
            })
    }
}

impl IndexPart {
    /// A column in ascending order.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self {
            text: name.into(),
            is_expression: false,
            descending: false,
            nulls: None,
            collation: None,
            opclass: None,
            prefix: None,
        }
    }

    /// An expression in ascending order.
    #[must_use]
    pub fn expression(sql: impl Into<String>) -> Self {
        Self { is_expression: true, ..Self::column(sql) }
    }
}
