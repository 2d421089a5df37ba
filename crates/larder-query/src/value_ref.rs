//! A borrowed value: what rows, stored rows and parameters have in common.
//!
//! Guards that a fresh row and one read back from a cache are formatted, serialized and
//! deserialized by the same code, so that a hit can not differ from the miss before it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Value,
    calendar::{IsoDate, IsoTime, IsoTimestamp},
    rowset_codec::StoredItems,
};

/// [`Value`](crate::Value) without ownership; the variants mean the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ValueRef<'a> {
    Array(ArrayRef<'a>),
    Bool(bool),
    Bytes(&'a [u8]),
    Date(i32),
    Decimal(&'a str),
    Float(f64),
    Int(i64),
    Json(&'a str),
    Null,
    Text(&'a str),
    Time(i64),
    Timestamp(i64),
    TimestampUtc(i64),
    UInt(u64),
    Uuid([u8; 16]),
}

/// The items of a list: of one in memory, or of one in stored bytes, whose items are read as they
/// are asked for.
#[derive(Clone, Copy)]
pub(crate) enum ArrayRef<'a> {
    Stored(StoredItems<'a>),
    Values(&'a [Value]),
}

impl<'a> ArrayRef<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = ValueRef<'a>> + Clone {
        let (stored, values) = match self {
            Self::Stored(items) => (Some(items), None),
            Self::Values(values) => (None, Some(values)),
        };
        let values = values.unwrap_or_default().iter().map(Value::as_ref);
        stored.into_iter().flatten().chain(values)
    }
}

impl PartialEq for ArrayRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for ArrayRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl ValueRef<'_> {
    /// The type's name in messages.
    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Array(_) => "list",
            Self::Bool(_) => "boolean",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Decimal(_) => "decimal",
            Self::Float(_) => "float",
            Self::Int(_) => "integer",
            Self::Json(_) => "JSON",
            Self::Null => "NULL",
            Self::Text(_) => "text",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::TimestampUtc(_) => "timestamp in UTC",
            Self::UInt(_) => "unsigned integer",
            Self::Uuid(_) => "UUID",
        }
    }
}

impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Array(items) => fmt_list(items, f),
            Self::Bool(value) => value.fmt(f),
            Self::Bytes(bytes) => Hex(bytes).fmt(f),
            Self::Date(days) => IsoDate(days.into()).fmt(f),
            Self::Decimal(text) | Self::Json(text) | Self::Text(text) => f.write_str(text),
            Self::Float(value) => fmt_float(value, f),
            Self::Int(value) => value.fmt(f),
            Self::Null => f.write_str("NULL"),
            Self::Time(micros) => IsoTime(micros).fmt(f),
            Self::Timestamp(micros) => iso(micros, "").fmt(f),
            Self::TimestampUtc(micros) => iso(micros, "Z").fmt(f),
            Self::UInt(value) => value.fmt(f),
            Self::Uuid(bytes) => fmt_uuid(bytes, f),
        }
    }
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Array(items) => serializer.collect_seq(items.iter()),
            Self::Bool(value) => serializer.serialize_bool(value),
            Self::Bytes(bytes) if !serializer.is_human_readable() => {
                serializer.serialize_bytes(bytes)
            }
            Self::Float(value) if value.is_finite() || !serializer.is_human_readable() => {
                serializer.serialize_f64(value)
            }
            Self::Int(value) => serializer.serialize_i64(value),
            Self::Json(text) if serializer.is_human_readable() => {
                match serde_json::from_str::<serde_json::Value>(text) {
                    Ok(document) => document.serialize(serializer),
                    Err(_not_json) => serializer.serialize_str(text),
                }
            }
            Self::Decimal(text) | Self::Json(text) | Self::Text(text) => {
                serializer.serialize_str(text)
            }
            Self::Null => serializer.serialize_unit(),
            Self::UInt(value) => serializer.serialize_u64(value),
            Self::Bytes(_)
            | Self::Date(_)
            | Self::Float(_)
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::TimestampUtc(_)
            | Self::Uuid(_) => serializer.collect_str(self),
        }
    }
}

const fn iso(micros: i64, suffix: &'static str) -> IsoTimestamp {
    IsoTimestamp { micros, separator: 'T', suffix }
}

/// The shortest text that reads back as the same number, marked as a float by a point or an
/// exponent; the names of the rest are PostgreSQL's.
fn fmt_float(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if value.is_nan() {
        f.write_str("NaN")
    } else if value.is_infinite() {
        f.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        write!(f, "{value:?}")
    }
}

fn fmt_list(items: ArrayRef<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("[")?;
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    f.write_str("]")
}

fn fmt_uuid(bytes: [u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

/// Bytes in lower-case hexadecimal.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
