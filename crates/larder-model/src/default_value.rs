//! Constants that a column takes where a row says nothing.
//!
//! Invariant: a default is a value, never a piece of SQL, so that nothing in it can become one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{ColumnKind, constant, json_text};

/// A constant for rows that have no value of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DefaultValue {
    /// For columns of bytes, and of UUIDs: then 16 of them.
    Blob(Cow<'static, [u8]>),
    /// For columns of booleans.
    Boolean(bool),
    /// For columns of integers, reals and decimals: digits with an optional minus sign and an
    /// optional fraction, without needless zeros before them. They are kept as they were written,
    /// because a decimal's `0.10` is not `0.1`.
    Number(Cow<'static, str>),
    /// For columns of text, without a NUL; of JSON, a document; of the calendar, `YYYY-MM-DD`,
    /// `HH:MM:SS` with up to six digits of a fraction, or both with a blank between them. A
    /// moment is in UTC and does not say so.
    Text(Cow<'static, str>),
}

impl DefaultValue {
    /// Whether a column of this kind can hold the value.
    #[must_use]
    pub const fn fits(&self, kind: ColumnKind) -> bool {
        use ColumnKind as Kind;
        match (self, kind) {
            (Self::Boolean(_), Kind::Boolean) | (Self::Blob(_), Kind::Blob) => true,
            (Self::Blob(bytes), Kind::Uuid) => {
                let bytes = match bytes {
                    Cow::Borrowed(bytes) => bytes,
                    Cow::Owned(bytes) => bytes.as_slice(),
                };
                bytes.len() == 16
            }
            (Self::Number(digits), _) => {
                constant::is_number(as_str(digits)) && is_in_range(as_str(digits), kind)
            }
            (Self::Text(text), Kind::Text) => !constant::has_nul(as_str(text)),
            (Self::Text(text), Kind::Json) => json_text::is_document(as_str(text)),
            (Self::Text(text), kind) => constant::is_calendar(as_str(text), kind),
            _ => false,
        }
    }
}

/// Whether a number lies within the range of the kind. A float takes the number that is nearest.
const fn is_in_range(digits: &str, kind: ColumnKind) -> bool {
    match kind {
        // MySQL's and MariaDB's, where a column without a precision has the largest one.
        ColumnKind::Decimal => {
            let (whole, fraction) = constant::digits(digits);
            whole <= 35 && fraction <= 30
        }
        // More digits could be beyond the largest.
        ColumnKind::Float32 => digits.len() <= 38,
        ColumnKind::Float64 => digits.len() <= 300,
        ColumnKind::Int16 => i16::from_str_radix(digits, 10).is_ok(),
        ColumnKind::Int32 => i32::from_str_radix(digits, 10).is_ok(),
        ColumnKind::Int64 => i64::from_str_radix(digits, 10).is_ok(),
        _ => false,
    }
}

#[expect(clippy::ptr_arg, reason = "a constant function can not dereference a `Cow`")]
const fn as_str<'a>(text: &'a Cow<'static, str>) -> &'a str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &'static str, kind: ColumnKind) -> bool {
        DefaultValue::Number(digits.into()).fits(kind)
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert!(number("-1.50", ColumnKind::Decimal));
        assert!(!number("0.0000000000000000000000000000001", ColumnKind::Decimal));
        assert!(number("1.50", ColumnKind::Float32));
        assert!(!number("1e5", ColumnKind::Float64));
        assert!(!number(Box::leak("9".repeat(39).into_boxed_str()), ColumnKind::Float32));
        assert!(!number("1", ColumnKind::Text));
    }

    #[test]
    fn integers_have_their_bits_and_no_fraction() {
        assert!(number("-32768", ColumnKind::Int16) && !number("32768", ColumnKind::Int16));
        assert!(number("2147483647", ColumnKind::Int32));
        assert!(!number("2147483648", ColumnKind::Int32));
        assert!(number("-9223372036854775808", ColumnKind::Int64));
        assert!(!number("9223372036854775808", ColumnKind::Int64));
        assert!(!number("1.0", ColumnKind::Int64));
    }

    #[test]
    fn other_values_fit_their_kind_only() {
        let text = DefaultValue::Text("x".into());
        assert!(text.fits(ColumnKind::Text));
        assert!(!text.fits(ColumnKind::Date) && !text.fits(ColumnKind::Json));
        assert!(DefaultValue::Text("{}".into()).fits(ColumnKind::Json));
        assert!(DefaultValue::Text("2024-02-29".into()).fits(ColumnKind::Date));
        assert!(!text.fits(ColumnKind::Decimal) && !text.fits(ColumnKind::Int64));
        assert!(!DefaultValue::Text("a\0b".into()).fits(ColumnKind::Text));
        assert!(!DefaultValue::Boolean(true).fits(ColumnKind::Int64));
        assert!(!DefaultValue::Blob(Cow::Borrowed(&[0; 15])).fits(ColumnKind::Uuid));
        assert!(DefaultValue::Blob(Cow::Borrowed(&[0; 16])).fits(ColumnKind::Uuid));
    }
}
