//! What a model declares beside its columns.

use serde::{Deserialize, Serialize};

use crate::{Identifier, ReferentialAction};

/// An index of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexModel {
    /// Its name; `None`: `<table>_<columns>_idx`, shortened where a database wants it shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Identifier>,
    /// Whether it forbids equal rows.
    #[serde(default)]
    pub unique: bool,
    /// What it orders by; at least one part.
    pub parts: Vec<IndexPartModel>,
    /// The condition of a partial index, as SQL. PostgreSQL and SQLite only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// How it is kept, if not as a B-tree: `gin`, `fulltext`. As the database names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// One part of an index of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that users build")]
pub struct IndexPartModel {
    /// What it is.
    pub of: IndexTermModel,
    /// Whether it is in descending order.
    #[serde(default)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_schema: Option<Identifier>,
    /// The table that it refers to.
    pub target: Identifier,
    /// The columns that it refers to; as many as it has.
    pub target_columns: Vec<Identifier>,
    /// What happens to a row when the one that it refers to goes.
    #[serde(default)]
    pub on_delete: ReferentialAction,
    /// What happens to a row when the one that it refers to changes its key.
    #[serde(default)]
    pub on_update: ReferentialAction,
}

/// A condition that every row fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that users build")]
pub struct CheckModel {
    /// Its name; `None`: `<table>_check<n>`, counted from 1 in the order of the expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
        Self {
            name: None,
            unique: false,
            parts: columns.into_iter().map(IndexPartModel::column).collect(),
            predicate: None,
            method: None,
        }
    }

    /// An index over columns and expressions.
    #[must_use]
    pub fn of_parts(parts: Vec<IndexPartModel>) -> Self {
        Self { parts, ..Self::over([]) }
    }

    /// Has a name of its own.
    #[must_use]
    pub fn with_name(self, name: Identifier) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Forbids equal rows.
    #[must_use]
    pub fn with_unique(self) -> Self {
        Self { unique: true, ..self }
    }

    /// Covers only the rows that fulfil a condition, as SQL.
    #[must_use]
    pub fn with_predicate(self, predicate: impl Into<String>) -> Self {
        Self { predicate: Some(predicate.into()), ..self }
    }

    /// Is kept in another way than as a B-tree.
    #[must_use]
    pub fn with_method(self, method: impl Into<String>) -> Self {
        Self { method: Some(method.into()), ..self }
    }
}

impl IndexPartModel {
    /// A column in ascending order.
    #[must_use]
    pub const fn column(name: Identifier) -> Self {
        Self { of: IndexTermModel::Column(name), descending: false }
    }

    /// An expression, as SQL, in ascending order.
    #[must_use]
    pub fn expression(sql: impl Into<String>) -> Self {
        Self { of: IndexTermModel::Expression(sql.into()), descending: false }
    }

    /// In descending order.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
    }
}

impl ForeignKeyModel {
    /// A reference from one column to one of another table, without actions.
    #[must_use]
    pub fn new(column: Identifier, target: Identifier, target_column: Identifier) -> Self {
        Self::over(vec![column], target, vec![target_column])
    }

    /// A reference from several columns to as many of another table, without actions.
    #[must_use]
    pub fn over(
        columns: Vec<Identifier>,
        target: Identifier,
        target_columns: Vec<Identifier>,
    ) -> Self {
        Self {
            columns,
            target_schema: None,
            target,
            target_columns,
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
        }
    }

    /// The table that it refers to lives in this schema.
    #[must_use]
    pub fn with_target_schema(self, schema: Identifier) -> Self {
        Self { target_schema: Some(schema), ..self }
    }

    /// What happens to a row when the one that it refers to goes.
    #[must_use]
    pub fn with_on_delete(self, action: ReferentialAction) -> Self {
        Self { on_delete: action, ..self }
    }

    /// What happens to a row when the one that it refers to changes its key.
    #[must_use]
    pub fn with_on_update(self, action: ReferentialAction) -> Self {
        Self { on_update: action, ..self }
    }
}
