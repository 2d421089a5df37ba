//! One table in a database's own terms.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Check, Column, Dependent, ForeignKey, Index, PrimaryKey, Unique};

/// The name of a table or of a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct TableName {
    /// PostgreSQL's schema. On the other databases `None`: there a name means the current
    /// database, on SQLite `main`.
    pub schema: Option<String>,
    /// The name without quotes.
    pub name: String,
}

/// A table in a database's own terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// What it is.
    pub kind: TableKind,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// Its primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Its unique constraints; on databases that tell them not from unique indexes, none.
    pub uniques: Vec<Unique>,
    /// Its indexes, without those that belong to a key, a unique constraint or, on MySQL, a
    /// foreign key that made it.
    pub indexes: Vec<Index>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its checks.
    pub checks: Vec<Check>,
    /// SQLite: `STRICT`. No other database has it.
    pub strict: bool,
    /// SQLite: `WITHOUT ROWID`. No other database has it.
    pub without_rowid: bool,
    /// MySQL and MariaDB: the default collation; `None` elsewhere, and if it is the database's.
    pub collation: Option<String>,
    /// Its comment. Not part of the fingerprint.
    pub comment: Option<String>,
    /// Why it is never altered, for instance because it is partitioned: it has something that
    /// this description can not express. `None` for an ordinary table.
    pub opaque: Option<String>,
    /// PostgreSQL and SQLite: what else is written in its terms. Not part of the fingerprint, and
    /// no change is made to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Dependent>,
    /// The name that it had before, as a model says; `None` in what a database describes.
    pub renamed_from: Option<String>,
}

/// What has a table's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableKind {
    /// A sequence, a foreign table, a table whose rows an extension keeps.
    Other,
    /// A table.
    #[default]
    Table,
    /// A view, materialised or not.
    View,
}

impl Table {
    /// A table without anything in it.
    #[must_use]
    pub const fn new(name: TableName) -> Self {
        Self {
            name,
            kind: TableKind::Table,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            strict: false,
            without_rowid: false,
            collation: None,
            comment: None,
            opaque: None,
            dependents: Vec::new(),
            renamed_from: None,
        }
    }

    /// The column of this name, compared byte by byte.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl TableName {
    /// A name without a schema.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    #[must_use]
    pub fn in_schema(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}
