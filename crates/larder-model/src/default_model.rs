//! What a column takes where a row says nothing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::DefaultValue;

/// The default of a model's column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DefaultModel {
    /// The moment of the statement, for columns of the calendar.
    Now,
    /// An expression, as SQL, of a database that the model's author knows.
    Sql(Cow<'static, str>),
    /// A constant.
    Value(DefaultValue),
}

impl From<DefaultValue> for DefaultModel {
    fn from(value: DefaultValue) -> Self {
        Self::Value(value)
    }
}
