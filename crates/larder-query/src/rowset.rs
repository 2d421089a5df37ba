//! What a query returned: the columns once, and the rows.
//!
//! Guards that all rows of a set share one header.

use std::sync::Arc;

use bytes::Bytes;
use larder_model::{ColumnKind, ModelEntry};
use serde::{Serialize, Serializer, de::DeserializeOwned};

use crate::{Columns, CorruptRows, Row, RowError, Value, rowset_codec};

/// The columns and rows of a result. Serializes as an array of objects; see [`Row`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSet {
    columns: Arc<Columns>,
    rows: Vec<Row>,
}

impl RowSet {
    /// A result without rows.
    #[must_use]
    pub fn new(columns: Columns) -> Self {
        Self { columns: Arc::new(columns), rows: Vec::new() }
    }

    /// Adds a row; missing values are NULL and surplus ones are dropped.
    pub fn push(&mut self, values: Vec<Value>) {
        self.rows.push(Row::new(&self.columns, values));
    }

    /// The columns. They are known also if there is no row.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The rows, in the database's order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows, in the database's order.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Converts every row, by the rules of [`Row::to`].
    ///
    /// # Errors
    /// [`RowError::Mismatch`] of the first row that does not convert.
    pub fn to<T: DeserializeOwned>(&self) -> Result<Vec<T>, RowError> {
        self.rows.iter().map(Row::to).collect()
    }

    /// The result as a JSON array of objects; see [`Row::to_json`].
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.rows.iter().map(Row::to_json).collect()
    }

    /// The stored form, whose codec is [`Codec::ROWS`](larder_core::Codec::ROWS).
    #[must_use]
    pub fn encode(&self) -> Bytes {
        rowset_codec::encode(self)
    }

    /// Reads the stored form.
    ///
    /// Never allocates for a length that the bytes do not have, and never panics.
    ///
    /// # Errors
    /// [`CorruptRows`] for anything but a complete set in a known version.
    pub fn decode(stored: &[u8]) -> Result<Self, CorruptRows> {
        rowset_codec::decode(stored)
    }

    /// Converts every row of a stored set, by the rules of [`Row::to`] and with the same outcome,
    /// without building the set in between.
    ///
    /// # Errors
    /// The outer one as [`RowSet::decode`], the inner one as [`RowSet::to`].
    pub fn decode_to<T: DeserializeOwned>(
        stored: &[u8],
    ) -> Result<Result<Vec<T>, RowError>, CorruptRows> {
        rowset_codec::decode_to(stored)
    }
}

impl RowSet {
    /// The same with texts as the documents that they are, in the columns of a model that hold
    /// documents: a database without a type for them, such as SQLite, does not tell.
    pub(crate) fn of_model(self, model: &ModelEntry) -> Self {
        let is_document = |name: &str| {
            let column = model.table().column(name);
            column.is_some_and(|column| column.data_type.kind() == ColumnKind::Json)
        };
        let is_document_at = |at: &usize| self.columns.name(*at).is_some_and(is_document);
        let documents: Vec<_> = (0..self.columns.len()).filter(is_document_at).collect();
        if documents.is_empty() {
            return self;
        }
        let Self { columns, rows } = self;
        let document = |row: Row| {
            let mut values = row.into_values();
            for at in &documents {
                if let Some(value @ Value::Text(_)) = values.get_mut(*at)
                    && let Value::Text(text) = std::mem::replace(value, Value::Null)
                {
                    *value = Value::Json(text);
                }
            }
            Row::new(&columns, values)
        };
        let rows = rows.into_iter().map(document).collect();
        Self { columns, rows }
    }
}

impl Serialize for RowSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.rows)
    }
}

impl IntoIterator for RowSet {
    type IntoIter = std::vec::IntoIter<Row>;
    type Item = Row;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a> IntoIterator for &'a RowSet {
    type IntoIter = std::slice::Iter<'a, Row>;
    type Item = &'a Row;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}
