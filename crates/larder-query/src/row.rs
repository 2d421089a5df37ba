//! A row whose columns are known only at run time.
//!
//! Guards that access by name and by position see the same values, and that nothing is lost on
//! the way to JSON.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap as _};

use crate::{ColumnIndex, Columns, RowError, Value, de};

/// One row: values in the order of the columns.
///
/// Serializes as an object with the columns in order. Names that occur twice are told apart as
/// [`Columns::unique_name`] says, so that `SELECT a.id, b.id` loses nothing: `{"id":1,"id:2":7}`.
/// The values are written as [`Value`] says.
#[derive(Clone, PartialEq)]
pub struct Row {
    columns: Arc<Columns>,
    values: Box<[Value]>,
}

impl Row {
    /// A row of these values; missing ones are NULL and surplus ones are dropped, so that a row
    /// always has as many values as columns.
    pub(crate) fn new(columns: &Arc<Columns>, mut values: Vec<Value>) -> Self {
        values.resize(columns.len(), Value::Null);
        Self { columns: Arc::clone(columns), values: values.into_boxed_slice() }
    }

    /// The columns, shared by all rows of a result.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The values, in the order of the columns.
    #[must_use]
    pub const fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values, without their columns.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values.into_vec()
    }

    /// The value of a column, by position or by name; of equal names the first.
    #[must_use]
    pub fn value(&self, column: impl ColumnIndex) -> Option<&Value> {
        self.values.get(column.position_in(&self.columns)?)
    }

    /// The values of all columns of one name, in order.
    pub fn values_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.columns.names().zip(&self.values)
    }

    /// Converts one column's value, by the rules of [`Row::to`].
    ///
    /// # Errors
    /// [`RowError::NoColumn`] and [`RowError::Mismatch`].
    pub fn get<T: DeserializeOwned>(&self, column: impl ColumnIndex) -> Result<T, RowError> {
        let index =
            column.position_in(&self.columns).ok_or_else(|| RowError::no_column(&column))?;
        de::from_cell(&self.columns, index, self.values[index].as_ref())
    }

    /// Converts the whole row.
    ///
    /// - A struct takes its fields from the columns of those names, of equal names the first;
    ///   columns that it does not know are left out. A map takes every column.
    /// - A tuple takes the columns in order and must have as many elements; a `Vec` likewise.
    /// - A row of one column is also the value in it, so that `SELECT count(*)` is an `i64` and a
    ///   single blob a `Vec<u8>`.
    ///
    /// Integers go into any integer type that holds them, and into a `bool` if they are 0 or 1.
    /// Integers go into floats that hold them exactly, decimals into the nearest one. Text goes
    /// into text, `char`, unit variants and whatever reads itself from text, such as the types
    /// of `chrono`, `uuid` and `rust_decimal`; a text such as `2024-02-29 12:30:00` is handed to
    /// these with a `T` in the middle, as they expect it. A column with a JSON document, declared as such or
    /// as text, goes into a struct, map or list. NULL goes into `Option` and `()` only.
    ///
    /// # Errors
    /// [`RowError::Mismatch`], which names the column and both types.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, RowError> {
        de::from_row(&self.columns, self.values.iter().map(Value::as_ref))
    }

    /// The row as a JSON object.
    ///
    /// A number within a JSON document that fits neither 64 bits nor a double is rounded to a
    /// double; everything else is exact.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Serializing fails only for maps whose keys are not text, and these are column names.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (index, value) in self.values.iter().enumerate() {
            let name = self.columns.unique_name(index).unwrap_or_default();
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let columns = Columns::new([("id", "INTEGER"), ("name", "TEXT"), ("id", "INTEGER")]);
        let values =
            vec![Value::Int(9_007_199_254_740_993), Value::Text("Lufthansa".into()), Value::Null];
        Row::new(&Arc::new(columns), values)
    }

    #[test]
    fn a_column_is_found_by_position_and_by_name() {
        let row = row();
        assert_eq!(row.value(1), row.value("name"));
        assert_eq!(row.value("id"), Some(&Value::Int(9_007_199_254_740_993)));
        assert_eq!(row.value(2), Some(&Value::Null));
        assert_eq!(row.value(3), None);
        assert_eq!(row.value("ID"), None);
        assert_eq!(row.values_named("id").count(), 2);
    }

    #[test]
    fn a_column_converts_or_says_why_not() {
        let row = row();
        assert_eq!(row.get::<i64>("id").unwrap(), 9_007_199_254_740_993);
        assert_eq!(row.get::<Option<i64>>(2).unwrap(), None);
        assert_eq!(row.get::<String>("name").unwrap(), "Lufthansa");
        assert_eq!(
            row.get::<i64>("nothing").unwrap_err().to_string(),
            "there is no column \"nothing\""
        );
        assert_eq!(row.get::<i64>(7).unwrap_err().to_string(), "there is no column 7");
        assert_eq!(
            row.get::<i64>("name").unwrap_err().to_string(),
            "column \"name\": found text, expected i64"
        );
    }

    #[test]
    fn json_keeps_order_digits_and_duplicate_names() {
        assert_eq!(
            serde_json::to_string(&row()).unwrap(),
            "{\"id\":9007199254740993,\"name\":\"Lufthansa\",\"id:2\":null}"
        );
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_row_is_a_json_object() {
        let json = row().to_json();
        assert_eq!(json["id"], 9_007_199_254_740_993_i64);
        assert!(json["id:2"].is_null());
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(3));
    }

    #[test]
    fn a_row_has_as_many_values_as_columns() {
        let columns = Arc::new(Columns::new([("a", ""), ("b", "")]));
        assert_eq!(Row::new(&columns, vec![]).values().len(), 2);
        assert_eq!(Row::new(&columns, vec![Value::Null; 3]).values().len(), 2);
    }
}
