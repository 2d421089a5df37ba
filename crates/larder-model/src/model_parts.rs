//! What a model declares beside its columns.

use serde::{Deserialize, Serialize};

use crate::{Identifier, ReferentialAction};

/// An index of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexModel {
    /// Its name; `None`: `<table>_<columns>_idx`, shortened where a database wants it shorter.
    pub name: Option<Identifier>,
    /// Whether it forbids equal rows.
    pub unique: bool,
    /// What it orders by; at least one part.
    pub parts: Vec<IndexPartModel>,
    /// The condition of a partial index, as SQL. PostgreSQL and SQLite only.
    pub predicate: Option<String>,
    /// How it is kept, if not as a B-tree: `gin`, `fulltext`. As the database names it.
    pub method: Option<String>,
}

/// One part of an index of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that users build")]
pub struct IndexPartModel {
    /// What it is.
    pub of: IndexTermModel,
    /// Whether it is in descending order.
    pub descending: bool,
}

/// What an index orders by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else")]
pub enum IndexTermModel {
    /// A column of the model.
    Column(Identifier),
    /// An expression, as SQL.
    Expression(String),
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForeignKeyModel {
    /// Its columns.
    pub columns: Vec<Identifier>,
    /// The schema of the table that it refers to; `None`: the model's own.
    pub target_schema: Option<Identifier>,
    /// The table that it refers to.
    pub target: Identifier,
    /// The columns that it refers to; as many as it has.
    pub target_columns: Vec<Identifier>,
    /// What happens to a row when the one that it refers to goes.
    pub on_delete: ReferentialAction,
    /// What happens to a row when the one that it refers to changes its key.
    pub on_update: ReferentialAction,
}

/// A condition that every row fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that users build")]
pub struct CheckModel {
    /// Its name; `None`: `<table>_check<n>`, counted from 1 in the order of the expressions.
    pub name: Option<Identifier>,
    /// The condition, as SQL.
    pub expression: String,
}

/// Columns whose values together are in no two rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that users build")]
pub struct UniqueModel {
    /// The columns; at least one.
    pub columns: Vec<Identifier>,
}

impl IndexModel {
    /// An index over columns in ascending order.
    #[must_use]
    pub fn over(columns: impl IntoIterator<Item = Identifier>) -> Self {
        let part =
            |column| IndexPartModel { of: IndexTermModel::Column(column), descending: false };
        Self {
            name: None,
            unique: false,
            parts: columns.into_iter().map(part).collect(),
            predicate: None,
            method: None,
        }
    }
}

impl ForeignKeyModel {
    /// A reference from one column to one of another table, without actions.
    #[must_use]
    pub fn new(column: Identifier, target: Identifier, target_column: Identifier) -> Self {
        Self {
            columns: vec![column],
            target_schema: None,
            target,
            target_columns: vec![target_column],
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
        }
    }
}
