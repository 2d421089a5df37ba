//! One column of a model.
//!
//! Guards nothing by itself: whether columns go together is the table's question.

use serde::{Deserialize, Serialize};

use crate::{ColumnType, DataType, DefaultModel, Identifier};

/// One column as a model declares it. Plain data; [`TableModel`](crate::TableModel) checks it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnModel {
    /// Its name.
    pub name: Identifier,
    /// What it holds.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// Whether it may be NULL.
    #[serde(default, skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// Whether it belongs to the primary key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub key: bool,
    /// Whether no two rows have the same value here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    /// Whether the database numbers it: an integer that is the whole key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub auto_increment: bool,
    /// What a row has here that says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultModel>,
    /// The expression, as SQL, from which the database computes it and stores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// Its collation, as the database names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Its comment. Does not count for the checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The name that it had before. Does not count for the checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<Identifier>,
}

impl ColumnModel {
    /// A column that may not be NULL and has nothing else.
    #[must_use]
    pub fn new(name: Identifier, data_type: impl Into<DataType>) -> Self {
        Self {
            name,
            data_type: data_type.into(),
            nullable: false,
            key: false,
            unique: false,
            auto_increment: false,
            default: None,
            generated: None,
            collation: None,
            comment: None,
            renamed_from: None,
        }
    }

    /// A column for values of a Rust type.
    #[must_use]
    pub fn of<T: ColumnType>(name: Identifier) -> Self {
        Self { nullable: T::NULLABLE, ..Self::new(name, T::KIND) }
    }

    /// Belongs to the primary key.
    #[must_use]
    pub fn with_key(self) -> Self {
        Self { key: true, ..self }
    }

    /// No two rows have the same value here.
    #[must_use]
    pub fn with_unique(self) -> Self {
        Self { unique: true, ..self }
    }

    /// May be NULL.
    #[must_use]
    pub fn with_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Holds a narrower type of the same kind.
    #[must_use]
    pub fn with_type(self, data_type: DataType) -> Self {
        Self { data_type, ..self }
    }

    /// The database numbers it.
    #[must_use]
    pub fn with_auto_increment(self) -> Self {
        Self { auto_increment: true, ..self }
    }

    /// What a row has here that says nothing.
    #[must_use]
    pub fn with_default(self, default: impl Into<DefaultModel>) -> Self {
        Self { default: Some(default.into()), ..self }
    }

    /// The expression, as SQL, from which the database computes it.
    #[must_use]
    pub fn with_generated(self, expression: impl Into<String>) -> Self {
        Self { generated: Some(expression.into()), ..self }
    }

    /// Its collation, as the database names it.
    #[must_use]
    pub fn with_collation(self, collation: impl Into<String>) -> Self {
        Self { collation: Some(collation.into()), ..self }
    }

    /// Its comment.
    #[must_use]
    pub fn with_comment(self, comment: impl Into<String>) -> Self {
        Self { comment: Some(comment.into()), ..self }
    }

    /// The name that it had before.
    #[must_use]
    pub fn with_renamed_from(self, name: Identifier) -> Self {
        Self { renamed_from: Some(name), ..self }
    }
}

/// For the serialiser, which hands out references.
const fn is_false(flag: &bool) -> bool {
    !*flag
}
