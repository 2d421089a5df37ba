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
    pub data_type: DataType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether it belongs to the primary key.
    pub key: bool,
    /// Whether no two rows have the same value here.
    pub unique: bool,
    /// Whether the database numbers it: an integer that is the whole key.
    pub auto_increment: bool,
    /// What a row has here that says nothing.
    pub default: Option<DefaultModel>,
    /// The expression, as SQL, from which the database computes it and stores it.
    pub generated: Option<String>,
    /// Its collation, as the database names it.
    pub collation: Option<String>,
    /// Its comment. Does not count for the checksum.
    pub comment: Option<String>,
    /// The name that it had before. Does not count for the checksum.
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
}
