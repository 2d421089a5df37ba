//! One value of a key or a filter, for the column that it is compared with.
//!
//! Guards that a comparison takes what a row takes: a database that would convert one side to the
//! type of the other finds rows that nobody asked for.

use larder_model::{ColumnKind, ColumnModel, TableModel};
use serde::Serializer as _;

use super::{CellValue, Fault, cell::Cell};
use crate::{Bind, Engine, Param, Params, QueryError, Value};

/// The value as the column holds it.
///
/// # Errors
/// [`QueryError::ColumnValue`].
pub(in crate::table) fn operand(
    engine: Engine,
    table: &TableModel,
    column: &ColumnModel,
    value: Param<'_>,
) -> Result<CellValue, QueryError> {
    let kind = column.data_type.kind();
    let cell = converted(kind, value).and_then(|value| CellValue::new(engine, kind, value));
    cell.map_err(|fault| refused(table, column, &fault.reason))
}

/// A pattern for the texts of a column.
///
/// # Errors
/// [`QueryError::ColumnValue`] if the column has no texts.
pub(in crate::table) fn pattern(
    engine: Engine,
    table: &TableModel,
    column: &ColumnModel,
    value: Param<'_>,
) -> Result<CellValue, QueryError> {
    match column.data_type.kind() {
        ColumnKind::Blob | ColumnKind::Text => operand(engine, table, column, value),
        kind => Err(refused(table, column, &format!("a pattern is no {kind}"))),
    }
}

/// The values of a key, one for each of these columns.
///
/// # Errors
/// [`QueryError::ColumnValue`].
pub(in crate::table) fn operands<'a>(
    engine: Engine,
    table: &TableModel,
    columns: impl IntoIterator<Item = &'a ColumnModel>,
    values: &Params,
) -> Result<Vec<CellValue>, QueryError> {
    let pairs = columns.into_iter().zip(values);
    pairs.map(|(column, value)| operand(engine, table, column, value)).collect()
}

/// One parameter by itself, bound and read back.
pub(in crate::table) fn alone(value: &impl Bind) -> Params {
    let mut params = Params::new();
    params.bind(value);
    params
}

fn refused(table: &TableModel, column: &ColumnModel, reason: &str) -> QueryError {
    QueryError::ColumnValue {
        table: table.name().as_str().into(),
        column: column.name.as_str().into(),
        reason: reason.into(),
    }
}

fn converted(kind: ColumnKind, value: Param<'_>) -> Result<Value, Fault> {
    let cell = Cell(kind);
    match (kind, value) {
        (_, Param::Null(_)) => Ok(Value::Null),
        (_, Param::Bool(value)) => cell.serialize_bool(value),
        (_, Param::I8(value)) => cell.serialize_i8(value),
        (_, Param::I16(value)) => cell.serialize_i16(value),
        (_, Param::I32(value)) => cell.serialize_i32(value),
        (_, Param::I64(value)) => cell.serialize_i64(value),
        (_, Param::U8(value)) => cell.serialize_u8(value),
        (_, Param::U16(value)) => cell.serialize_u16(value),
        (_, Param::U32(value)) => cell.serialize_u32(value),
        (_, Param::U64(value)) => cell.serialize_u64(value),
        // The shortest text that means this number and no other.
        (ColumnKind::Decimal, Param::F32(value)) => cell.serialize_str(&value.to_string()),
        (ColumnKind::Decimal, Param::F64(value)) => cell.serialize_str(&value.to_string()),
        (_, Param::F32(value)) => cell.serialize_f32(value),
        (_, Param::F64(value)) => cell.serialize_f64(value),
        (ColumnKind::Decimal, Param::Decimal(text)) => cell.serialize_str(text),
        (ColumnKind::Float32 | ColumnKind::Float64, Param::Decimal(text)) => {
            text.parse().map(Value::Float).map_err(|_| cell.mismatch("this decimal number"))
        }
        (_, Param::Text(text)) => cell.serialize_str(text),
        (_, Param::Bytes(bytes)) => cell.serialize_bytes(bytes),
        (ColumnKind::Date, Param::Date(_))
        | (ColumnKind::Json, Param::Json(_))
        | (ColumnKind::Time, Param::Time(_))
        | (ColumnKind::Timestamp, Param::Timestamp(_))
        | (ColumnKind::TimestampUtc, Param::TimestampUtc(_))
        | (ColumnKind::Uuid, Param::Uuid(_)) => Ok(value.to_value()),
        // A row's identifier serialises as a text as well.
        (ColumnKind::Text, Param::Uuid(_)) => Ok(Value::Text(value.to_value().to_string())),
        (_, other) => Err(cell.mismatch(other.to_value().type_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: ColumnKind, value: impl Bind) -> Option<Value> {
        converted(kind, alone(&value).iter().next().unwrap()).ok()
    }

    #[test]
    fn a_number_takes_numbers_and_no_text() {
        for kind in [ColumnKind::Int16, ColumnKind::Int32, ColumnKind::Int64] {
            assert_eq!(value(kind, 1_u8), Some(Value::Int(1)));
            assert_eq!(value(kind, None::<&str>), Some(Value::Null));
            assert!(value(kind, "1").is_none() && value(kind, true).is_none());
            assert!(value(kind, 1.0).is_none() && value(kind, u64::MAX).is_none());
        }
        assert_eq!(value(ColumnKind::Float64, 3), Some(Value::Float(3.0)));
        assert_eq!(value(ColumnKind::Float64, i64::MAX), None);
        assert_eq!(value(ColumnKind::Decimal, 1.5), Some(Value::Decimal("1.5".into())));
        assert_eq!(value(ColumnKind::Decimal, f64::NAN), None);
    }

    #[test]
    fn a_text_takes_text_alone() {
        assert_eq!(value(ColumnKind::Text, "a"), Some(Value::Text("a".into())));
        assert!(value(ColumnKind::Text, 0_i64).is_none());
        assert!(value(ColumnKind::Text, false).is_none());
        assert!(value(ColumnKind::Text, [0_u8].as_slice()).is_none());
    }

    #[test]
    fn a_moment_takes_its_type_or_its_text() {
        assert_eq!(value(ColumnKind::Date, "1970-01-02"), Some(Value::Date(1)));
        assert!(value(ColumnKind::Date, "1970-01-02x").is_none());
        assert!(value(ColumnKind::Timestamp, 0).is_none());
        assert!(value(ColumnKind::Boolean, 1).is_none());
    }
}
