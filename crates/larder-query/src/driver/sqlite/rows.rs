//! From SQLite's rows to ours.
//!
//! Guards that the storage class of each value decides its type. What a column was declared as
//! decides nothing but that 0 and 1 in a `BOOLEAN` column are booleans, which loses nothing.

use sqlx::{
    Column as _, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteColumn, SqliteRow, SqliteValueRef},
};

use super::error;
use crate::{Columns, QueryError, Value};

/// The header of a result.
pub(super) fn columns(columns: &[SqliteColumn]) -> Columns {
    Columns::new(columns.iter().map(|column| (column.name(), column.type_info().name())))
}

/// The values of a row.
pub(super) fn values(row: &SqliteRow) -> Result<Vec<Value>, QueryError> {
    let value = |column: &SqliteColumn| {
        let raw = row.try_get_raw(column.ordinal())?;
        decode(raw, column.type_info().name() == "BOOLEAN")
    };
    row.columns()
        .iter()
        .map(|column| value(column).map_err(|source| error::map(source).into()))
        .collect()
}

fn decode(raw: SqliteValueRef<'_>, declared_boolean: bool) -> Result<Value, sqlx::Error> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let class = raw.type_info().name().to_owned();
    match class.as_str() {
        "INTEGER" => Ok(match get::<i64>(raw)? {
            value @ (0 | 1) if declared_boolean => Value::Bool(value == 1),
            value => Value::Int(value),
        }),
        "REAL" => get(raw).map(Value::Float),
        // SQLite does not check that a text is one. What is none is handed out as bytes.
        "TEXT" => get(raw).map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(not_text) => Value::Bytes(not_text.into_bytes()),
        }),
        _ => get(raw).map(Value::Bytes),
    }
}

fn get<'r, T: Decode<'r, Sqlite>>(raw: SqliteValueRef<'r>) -> Result<T, sqlx::Error> {
    T::decode(raw).map_err(sqlx::Error::Decode)
}
