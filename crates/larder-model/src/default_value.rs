//! Constants that a column takes where a row says nothing.
//!
//! Invariant: a default is a value, never a piece of SQL, so that nothing in it can become one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::ColumnKind;

/// A constant for rows that have no value of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DefaultValue {
    /// For columns of bytes, and of UUIDs: then 16 of them.
    Blob(Cow<'static, [u8]>),
    /// For columns of booleans.
    Boolean(bool),
    /// For columns of integers, reals and decimals: digits with an optional sign and an optional
    /// fraction, kept as they were written, because a decimal's `0.10` is not `0.1`.
    Number(Cow<'static, str>),
    /// For columns of text, JSON and the parts of the calendar; without a NUL. What a date or a
    /// document looks like is not checked.
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
            (Self::Number(digits), Kind::Decimal | Kind::Float32 | Kind::Float64) => {
                is_number(as_str(digits))
            }
            (Self::Number(digits), Kind::Int16) => {
                let digits = as_str(digits);
                is_number(digits) && i16::from_str_radix(digits, 10).is_ok()
            }
            (Self::Number(digits), Kind::Int32) => {
                let digits = as_str(digits);
                is_number(digits) && i32::from_str_radix(digits, 10).is_ok()
            }
            (Self::Number(digits), Kind::Int64) => {
                // The parser alone would take a leading plus sign as well.
                let digits = as_str(digits);
                is_number(digits) && i64::from_str_radix(digits, 10).is_ok()
            }
            (
                Self::Text(text),
                Kind::Date
                | Kind::Json
                | Kind::Text
                | Kind::Time
                | Kind::Timestamp
                | Kind::TimestampUtc,
            ) => !has_nul(as_str(text)),
            _ => false,
        }
    }
}

#[expect(clippy::ptr_arg, reason = "a constant function can not dereference a `Cow`")]
const fn as_str<'a>(text: &'a Cow<'static, str>) -> &'a str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    }
}

const fn has_nul(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0 {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether the text is `-?[0-9]+(\.[0-9]+)?`.
const fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = if let [b'-', ..] = bytes { 1 } else { 0 };
    let whole = digits_end(bytes, start);
    if whole == start {
        return false;
    }
    if whole == bytes.len() {
        return true;
    }
    let fraction = digits_end(bytes, whole + 1);
    bytes[whole] == b'.' && fraction > whole + 1 && fraction == bytes.len()
}

/// Where the digits that begin at `at` end.
const fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &'static str, kind: ColumnKind) -> bool {
        DefaultValue::Number(digits.into()).fits(kind)
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for digits in ["0", "-1", "007", "1.50", "-0.0"] {
            assert!(number(digits, ColumnKind::Decimal), "{digits}");
        }
        for digits in ["", "-", "+1", "1.", ".5", "1e5", "1 ", "1.2.3", "0x1", "NaN", "1);--"] {
            assert!(!number(digits, ColumnKind::Float64), "{digits}");
        }
    }

    #[test]
    fn integers_have_64_bits_and_no_fraction() {
        assert!(number("-9223372036854775808", ColumnKind::Int64));
        assert!(!number("9223372036854775808", ColumnKind::Int64));
        assert!(!number("1.0", ColumnKind::Int64));
    }

    #[test]
    fn other_values_fit_their_kind_only() {
        let text = DefaultValue::Text("x".into());
        assert!(text.fits(ColumnKind::Text) && text.fits(ColumnKind::Date));
        assert!(!text.fits(ColumnKind::Decimal) && !text.fits(ColumnKind::Int64));
        assert!(!DefaultValue::Text("a\0b".into()).fits(ColumnKind::Text));
        assert!(!DefaultValue::Boolean(true).fits(ColumnKind::Int64));
        assert!(!DefaultValue::Blob(Cow::Borrowed(&[0; 15])).fits(ColumnKind::Uuid));
        assert!(DefaultValue::Blob(Cow::Borrowed(&[0; 16])).fits(ColumnKind::Uuid));
    }
}
