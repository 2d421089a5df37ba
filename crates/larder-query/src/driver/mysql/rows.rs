//! From the server's rows to ours.
//!
//! Guards that no digit is lost, that a zero date is an error which names its column, and that
//! text is told from bytes by its character set and not by its collation.

use sqlx::{
    Column as _, Decode, MySql, Row as _, Type, TypeInfo as _,
    mysql::{MySqlColumn, MySqlRow, MySqlTypeInfo},
};

use super::{error, moments};
use crate::{Columns, QueryError, RowError, Value};

/// How the values of a row are written: rows of prepared statements are binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Binary,
    Text,
}

/// The header of a result.
pub(super) fn columns(columns: &[MySqlColumn]) -> Columns {
    Columns::new(columns.iter().map(|column| (column.name(), declared(column.type_info()))))
}

/// The values of a row.
pub(super) fn values(row: &MySqlRow, format: Format) -> Result<Vec<Value>, QueryError> {
    let value = |column: &MySqlColumn| {
        let raw = row.try_get_raw(column.ordinal()).map_err(error::map)?;
        // A value without bytes is NULL. The driver calls a zero date NULL as well, which is why
        // it is not asked.
        let Ok(bytes) = <&[u8] as Decode<MySql>>::decode(raw) else {
            return Ok(Value::Null);
        };
        decode(column.type_info(), bytes, format).ok_or_else(|| unreadable(column).into())
    };
    row.columns().iter().map(value).collect()
}

fn unreadable(column: &MySqlColumn) -> RowError {
    let kind = declared(column.type_info());
    let detail = if is_moment(kind) {
        format!("found a {kind} that no calendar has, such as 0000-00-00, expected one that exists")
    } else {
        format!("found a {kind} that can not be read")
    };
    RowError::Mismatch { column: Some(column.name().to_owned()), detail }
}

fn is_moment(kind: &str) -> bool {
    matches!(kind, "DATE" | "DATETIME" | "TIMESTAMP")
}

/// The type's name. The driver calls text `BLOB` if its collation compares bytes, as that of
/// MariaDB's `JSON` does.
fn declared(kind: &MySqlTypeInfo) -> &str {
    match kind.name() {
        "BINARY" if is_text(kind) => "CHAR",
        "VARBINARY" if is_text(kind) => "VARCHAR",
        "TINYBLOB" if is_text(kind) => "TINYTEXT",
        "BLOB" if is_text(kind) => "TEXT",
        "MEDIUMBLOB" if is_text(kind) => "MEDIUMTEXT",
        "LONGBLOB" if is_text(kind) => "LONGTEXT",
        name => name,
    }
}

fn is_text(kind: &MySqlTypeInfo) -> bool {
    <str as Type<MySql>>::compatible(kind)
}

fn is_unsigned(kind: &MySqlTypeInfo) -> bool {
    <u64 as Type<MySql>>::compatible(kind)
}

fn decode(kind: &MySqlTypeInfo, bytes: &[u8], format: Format) -> Option<Value> {
    let text = || std::str::from_utf8(bytes).ok();
    let owned = || text().map(str::to_owned);
    Some(match (kind.name(), format) {
        // Other values than 0 and 1 survive as integers.
        ("BOOLEAN", format) => match integer(kind, bytes, format)? {
            Value::Int(value @ (0 | 1)) => Value::Bool(value == 1),
            Value::UInt(value @ (0 | 1)) => Value::Bool(value == 1),
            value => value,
        },
        (
            "TINYINT" | "TINYINT UNSIGNED" | "SMALLINT" | "SMALLINT UNSIGNED" | "INT"
            | "INT UNSIGNED" | "MEDIUMINT" | "MEDIUMINT UNSIGNED" | "BIGINT" | "BIGINT UNSIGNED"
            | "YEAR",
            format,
        ) => integer(kind, bytes, format)?,
        ("FLOAT", Format::Binary) => {
            Value::Float(f32::from_le_bytes(bytes.try_into().ok()?).into())
        }
        ("FLOAT", Format::Text) => Value::Float(text()?.parse::<f32>().ok()?.into()),
        ("DOUBLE", Format::Binary) => Value::Float(f64::from_le_bytes(bytes.try_into().ok()?)),
        ("DOUBLE", Format::Text) => Value::Float(text()?.parse().ok()?),
        ("DECIMAL", _) => Value::Decimal(owned()?),
        ("BIT", _) => Value::UInt(bits(bytes)?),
        ("JSON", _) => Value::Json(owned()?),
        ("DATE", Format::Binary) => Value::Date(moments::date_from_binary(bytes)?),
        ("DATE", Format::Text) => Value::Date(moments::date_from_text(text()?)?),
        ("TIME", Format::Binary) => Value::Time(moments::time_from_binary(bytes)?),
        ("TIME", Format::Text) => Value::Time(moments::time_from_text(text()?)?),
        ("DATETIME", Format::Binary) => Value::Timestamp(moments::timestamp_from_binary(bytes)?),
        ("DATETIME", Format::Text) => Value::Timestamp(moments::timestamp_from_text(text()?)?),
        // The session's time zone is UTC.
        ("TIMESTAMP", Format::Binary) => {
            Value::TimestampUtc(moments::timestamp_from_binary(bytes)?)
        }
        ("TIMESTAMP", Format::Text) => Value::TimestampUtc(moments::timestamp_from_text(text()?)?),
        _ if is_text(kind) => match text() {
            Some(text) => Value::Text(text.to_owned()),
            // The server sends UTF-8. What is none nevertheless is handed out as it is.
            None => Value::Bytes(bytes.to_vec()),
        },
        _ => Value::Bytes(bytes.to_vec()),
    })
}

fn integer(kind: &MySqlTypeInfo, bytes: &[u8], format: Format) -> Option<Value> {
    let unsigned = is_unsigned(kind);
    if format == Format::Text {
        let text = std::str::from_utf8(bytes).ok()?;
        return if unsigned {
            text.parse().ok().map(Value::UInt)
        } else {
            text.parse().ok().map(Value::Int)
        };
    }
    let negative = !unsigned && bytes.last().is_some_and(|&high| high >= 0x80);
    let mut full = [if negative { 0xff } else { 0 }; 8];
    full.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(if unsigned {
        Value::UInt(u64::from_le_bytes(full))
    } else {
        Value::Int(i64::from_le_bytes(full))
    })
}

/// Bits come with the highest first, in either format.
fn bits(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(bytes.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte)))
}
