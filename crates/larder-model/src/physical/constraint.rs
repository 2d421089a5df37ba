//! Keys and checks.
//!
//! Guards that a name is kept only where a person chose it: names that the database made up are
//! `None`, because they are no difference.

use serde::{Deserialize, Serialize};

use crate::TableName;

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct PrimaryKey {
    /// Its name where the database keeps one, also one that the database made up: it is needed to
    /// drop the key. Not part of the fingerprint.
    pub name: Option<String>,
    /// Its columns in their order.
    pub columns: Vec<String>,
}

/// A unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Unique {
    /// Its name in the database; `None` in a model that leaves it to the database. Not part of
    /// the fingerprint.
    pub name: Option<String>,
    /// Its columns in their order.
    pub columns: Vec<String>,
    /// PostgreSQL: `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// PostgreSQL: `DEFERRABLE`, and whether it is `INITIALLY DEFERRED`.
    pub deferrable: Option<bool>,
    /// PostgreSQL: columns that are only carried along (`INCLUDE`).
    pub include: Vec<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct ForeignKey {
    /// Its name in the database; `None` where there is none. Not part of the fingerprint.
    pub name: Option<String>,
    /// Its columns in their order.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub target: TableName,
    /// The columns that it refers to. Never empty: where a declaration leaves them out, they are
    /// those of the target's primary key; unless SQLite has no such table.
    pub target_columns: Vec<String>,
    /// `ON DELETE`.
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`.
    pub on_update: ReferentialAction,
    /// `DEFERRABLE`, and whether it is `INITIALLY DEFERRED`.
    pub deferrable: Option<bool>,
    /// PostgreSQL: whether it was checked for the rows that are there. `true` elsewhere.
    pub validated: bool,
}

/// What happens to a row when the one that it refers to goes away or changes its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferentialAction {
    /// It goes, or changes, too.
    Cascade,
    /// The other statement is refused. The default.
    #[default]
    NoAction,
    /// The other statement is refused at once.
    Restrict,
    /// Its columns take their defaults.
    SetDefault,
    /// Its columns become NULL.
    SetNull,
}

/// A condition that every row fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that others build")]
pub struct Check {
    /// Its name in the database; `None` where there is none. Not part of the fingerprint.
    pub name: Option<String>,
    /// The condition, as SQL, without parentheses around it.
    pub expression: String,
    /// PostgreSQL: whether it was checked for the rows that are there. MySQL: whether it is
    /// enforced. `true` elsewhere.
    pub validated: bool,
}

impl ReferentialAction {
    /// As it stands in a statement.
    #[must_use]
    pub const fn as_sql(self) -> &'static str {
        match self {
            Self::Cascade => "CASCADE",
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::SetDefault => "SET DEFAULT",
            Self::SetNull => "SET NULL",
        }
    }
}
