//! One value of a row: neutral of every crate for time, decimals and identifiers.
//!
//! Guards that what the database said survives: the type, every digit, NULL beside empty.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::value_ref::{ArrayRef, ValueRef};

/// A value as the database returned it.
///
/// Equality compares type and content: `Int(1)`, `UInt(1)`, `Float(1.0)` and `Text("1")` are four
/// values, and so are `Null` and an empty text. Not-a-number equals nothing, as in Rust.
///
/// # Text and JSON
/// `Display` writes a value in plain text; `Serialize` writes what JSON can hold without loss:
///
/// | variant | `Display` | JSON |
/// |---|---|---|
/// | `Array` | `[1, 2, NULL]` | an array |
/// | `Bool` | `true` | `true` |
/// | `Bytes` | lower-case hexadecimal | the same as a string |
/// | `Date`, `Time`, `Timestamp` | ISO 8601 | the same as a string |
/// | `TimestampUtc` | ISO 8601 with `Z` | the same as a string |
/// | `Decimal` | its text | a string, so that no digit is lost |
/// | `Float` | shortest exact text | a number; a string if it is not finite |
/// | `Int`, `UInt` | digits | an integer, exact up to 64 bits |
/// | `Json` | its text | the document itself; a string if it is no valid JSON |
/// | `Null` | `NULL` | `null` |
/// | `Text` | itself | a string |
/// | `Uuid` | hyphenated, lower case | the same as a string |
///
/// A format that is not human-readable gets `Bytes` as bytes and `Json` as text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A list of values, as PostgreSQL's arrays are; one of several dimensions is a list of lists.
    Array(Vec<Self>),
    /// A boolean.
    Bool(bool),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A day, in days since 1970-01-01.
    Date(i32),
    /// An exact number in the database's own notation, trailing zeros included.
    Decimal(String),
    /// A double-precision number.
    Float(f64),
    /// A signed integer.
    Int(i64),
    /// A JSON document, as text.
    Json(String),
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A time of day, in microseconds since midnight; MySQL's may be negative or beyond a day.
    Time(i64),
    /// A moment without a time zone, in microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// A moment in UTC, in microseconds since 1970-01-01 00:00 UTC.
    TimestampUtc(i64),
    /// An unsigned integer, as MySQL and MariaDB have it.
    UInt(u64),
    /// A universally unique identifier.
    Uuid([u8; 16]),
}

impl Value {
    /// Whether this is NULL.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type's name as it appears in messages, such as `"integer"`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.as_ref().type_name()
    }

    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Array(items) => ValueRef::Array(ArrayRef::Values(items)),
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Bytes(bytes) => ValueRef::Bytes(bytes),
            Self::Date(days) => ValueRef::Date(*days),
            Self::Decimal(text) => ValueRef::Decimal(text),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Json(text) => ValueRef::Json(text),
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text),
            Self::Time(micros) => ValueRef::Time(*micros),
            Self::Timestamp(micros) => ValueRef::Timestamp(*micros),
            Self::TimestampUtc(micros) => ValueRef::TimestampUtc(*micros),
            Self::UInt(value) => ValueRef::UInt(*value),
            Self::Uuid(bytes) => ValueRef::Uuid(*bytes),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Date(days) => Self::Date(days),
            ValueRef::Decimal(text) => Self::Decimal(text.to_owned()),
            ValueRef::Float(value) => Self::Float(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::Json(text) => Self::Json(text.to_owned()),
            ValueRef::Null => Self::Null,
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Time(micros) => Self::Time(micros),
            ValueRef::Timestamp(micros) => Self::Timestamp(micros),
            ValueRef::TimestampUtc(micros) => Self::TimestampUtc(micros),
            ValueRef::UInt(value) => Self::UInt(value),
            ValueRef::Uuid(bytes) => Self::Uuid(bytes),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value, floats by their bits so that every one of them occurs.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        any_scalar().prop_recursive(3, 8, 4, |item| {
            prop::collection::vec(item, 0..4).prop_map(Value::Array)
        })
    }

    fn any_scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<i32>().prop_map(Value::Date),
            "-?[0-9]{1,40}(\\.[0-9]{1,20})?".prop_map(Value::Decimal),
            any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
            any::<i64>().prop_map(Value::Int),
            "\\{\"[a-z]\":[0-9]\\}".prop_map(Value::Json),
            Just(Value::Null),
            any::<String>().prop_map(Value::Text),
            any::<i64>().prop_map(Value::Time),
            any::<i64>().prop_map(Value::Timestamp),
            any::<i64>().prop_map(Value::TimestampUtc),
            any::<u64>().prop_map(Value::UInt),
            any::<[u8; 16]>().prop_map(Value::Uuid),
        ]
    }

    /// Equality under which not-a-number equals itself and zero has a sign.
    pub(crate) fn same(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
            (Value::Array(left), Value::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
            }
            _ => left == right,
        }
    }

    fn json(value: &Value) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn json_loses_no_digit() {
        assert_eq!(json(&Value::Int(i64::MIN)), "-9223372036854775808");
        assert_eq!(json(&Value::UInt(u64::MAX)), "18446744073709551615");
        assert_eq!(json(&Value::Int(9_007_199_254_740_993)), "9007199254740993");
        assert_eq!(
            json(&Value::Decimal("1.10000000000000000000000001".into())),
            "\"1.10000000000000000000000001\""
        );
    }

    #[test]
    fn json_keeps_null_empty_text_and_empty_bytes_apart() {
        assert_eq!(json(&Value::Null), "null");
        assert_eq!(json(&Value::Text(String::new())), "\"\"");
        assert_ne!(Value::Text(String::new()), Value::Bytes(Vec::new()));
        assert_ne!(Value::Null, Value::Text(String::new()));
    }

    #[test]
    fn what_json_can_not_hold_becomes_text() {
        assert_eq!(json(&Value::Float(f64::INFINITY)), "\"Infinity\"");
        assert_eq!(json(&Value::Float(f64::NAN)), "\"NaN\"");
        assert_eq!(json(&Value::Float(1.0)), "1.0");
        assert_eq!(json(&Value::Bytes(vec![0, 0xff])), "\"00ff\"");
        assert_eq!(json(&Value::TimestampUtc(1_000_001)), "\"1970-01-01T00:00:01.000001Z\"");
        assert_eq!(json(&Value::Uuid([0x11; 16])), "\"11111111-1111-1111-1111-111111111111\"");
    }

    #[test]
    fn a_list_is_a_list_in_text_and_json() {
        let inner = Value::Array(vec![Value::Null, Value::Text("a".into())]);
        let list = Value::Array(vec![Value::Int(1), inner, Value::Array(vec![])]);
        assert_eq!(list.to_string(), "[1, [NULL, a], []]");
        assert_eq!(json(&list), "[1,[null,\"a\"],[]]");
    }

    #[test]
    fn a_json_document_nests_and_a_broken_one_stays_text() {
        assert_eq!(json(&Value::Json("[1, {\"a\":null}]".into())), "[1,{\"a\":null}]");
        assert_eq!(json(&Value::Json("[1,".into())), "\"[1,\"");
    }

    proptest! {
        #[test]
        fn every_value_has_text_and_json(value in any_value()) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json(&value)).is_ok());
            let borrowed = Value::from(value.as_ref());
            prop_assert!(same(&borrowed, &value));
            prop_assert_eq!(borrowed.to_string(), value.to_string());
        }
    }
}
