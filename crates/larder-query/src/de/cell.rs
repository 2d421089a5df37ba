//! From one value to a Rust type.
//!
//! Guards the table of what goes where that `Row::to` documents.

use serde::{
    Deserializer,
    de::{
        IntoDeserializer, Visitor,
        value::{BorrowedStrDeserializer, SeqDeserializer},
    },
};

use crate::{
    RowError,
    value_ref::{ArrayRef, ValueRef},
};

/// A value that is asked for as a certain type.
#[derive(Clone, Copy)]
pub(super) struct Cell<'de>(pub(super) ValueRef<'de>);

/// Up to here every integer is a double; beyond, some are not.
const EXACT_IN_F64: u64 = 1 << 53;
/// The same for single precision.
const EXACT_IN_F32: u64 = 1 << 24;

impl<'de> Cell<'de> {
    fn mismatch<T, V: Visitor<'de>>(self, visitor: &V) -> Result<T, RowError> {
        Err(RowError::mismatch(format_args!("{}", self.0.type_name()), visitor))
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Bool(value) => visitor.visit_u64(value.into()),
            ValueRef::Int(value) => visitor.visit_i64(value),
            ValueRef::UInt(value) => visitor.visit_u64(value),
            ValueRef::Decimal(text) => match text.parse::<i128>() {
                Ok(value) => visit_smallest(value, visitor),
                Err(_not_whole) => self.mismatch(&visitor),
            },
            _ => self.mismatch(&visitor),
        }
    }

    fn float<V: Visitor<'de>>(self, visitor: V, exact_up_to: u64) -> Result<V::Value, RowError> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to the limit")]
        match self.0 {
            ValueRef::Float(value) => visitor.visit_f64(value),
            ValueRef::Int(value) if value.unsigned_abs() <= exact_up_to => {
                visitor.visit_f64(value as f64)
            }
            ValueRef::UInt(value) if value <= exact_up_to => visitor.visit_f64(value as f64),
            ValueRef::Int(_) | ValueRef::UInt(_) => {
                Err(RowError::mismatch(format_args!("integer with too many digits"), &visitor))
            }
            ValueRef::Decimal(text) => match text.parse() {
                Ok(value) => visitor.visit_f64(value),
                Err(_not_a_number) => self.mismatch(&visitor),
            },
            _ => self.mismatch(&visitor),
        }
    }

    /// What reads itself from text; blobs too, since an identifier may be stored as one.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Decimal(text) | ValueRef::Json(text) | ValueRef::Text(text) => {
                visitor.visit_borrowed_str(text)
            }
            ValueRef::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            ValueRef::Date(_)
            | ValueRef::Time(_)
            | ValueRef::Timestamp(_)
            | ValueRef::TimestampUtc(_)
            | ValueRef::Uuid(_) => visitor.visit_string(self.0.to_string()),
            ValueRef::Array(_)
            | ValueRef::Bool(_)
            | ValueRef::Float(_)
            | ValueRef::Int(_)
            | ValueRef::Null
            | ValueRef::UInt(_) => self.mismatch(&visitor),
        }
    }

    fn bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            ValueRef::Uuid(bytes) => visitor.visit_bytes(&bytes),
            _ => self.mismatch(&visitor),
        }
    }

    /// A list from a list, from bytes or from a JSON document.
    fn list<V: Visitor<'de>>(
        self,
        visitor: V,
        from_json: impl FnOnce(&mut JsonDeserializer<'de>, V) -> serde_json::Result<V::Value>,
    ) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Array(items) => visit_list(items, visitor),
            ValueRef::Bytes(bytes) => visit_bytes_as_list(bytes, visitor),
            ValueRef::Uuid(bytes) => visit_bytes_as_list(&bytes, visitor),
            _ => self.document(visitor, from_json),
        }
    }

    /// Whatever a JSON document can hold. SQLite has no type for documents, so a text is one too.
    fn document<V: Visitor<'de>>(
        self,
        visitor: V,
        from_json: impl FnOnce(&mut JsonDeserializer<'de>, V) -> serde_json::Result<V::Value>,
    ) -> Result<V::Value, RowError> {
        let (ValueRef::Json(text) | ValueRef::Text(text)) = self.0 else {
            return self.mismatch(&visitor);
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let value = from_json(&mut json, visitor).map_err(|error| RowError::json(&error))?;
        json.end().map_err(|error| RowError::json(&error))?;
        Ok(value)
    }
}

type JsonDeserializer<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// Visitors of the common integer types know 64 bits only.
fn visit_smallest<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, RowError> {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => visitor.visit_i64(value),
        (_, Ok(value)) => visitor.visit_u64(value),
        _ => visitor.visit_i128(value),
    }
}

fn visit_list<'de, V: Visitor<'de>>(
    items: ArrayRef<'de>,
    visitor: V,
) -> Result<V::Value, RowError> {
    let mut list = SeqDeserializer::new(items.iter().map(Cell));
    let value = visitor.visit_seq(&mut list)?;
    list.end()?;
    Ok(value)
}

fn visit_bytes_as_list<'de, V: Visitor<'de>>(
    bytes: &[u8],
    visitor: V,
) -> Result<V::Value, RowError> {
    let mut list = SeqDeserializer::<_, RowError>::new(bytes.iter().copied());
    let value = visitor.visit_seq(&mut list)?;
    // An array takes as many bytes as it has room for; what is left then did not fit.
    list.end()?;
    Ok(value)
}

/// Whether a text is a moment as SQL writes it, `YYYY-MM-DD HH:MM:SS` with or without a fraction.
/// It differs from ISO 8601, which is what readers expect, in nothing but the space.
fn is_sql_timestamp(text: &str) -> bool {
    let pattern = b"0000-00-00 00:00:00";
    let Some((moment, fraction)) = text.as_bytes().split_at_checked(pattern.len()) else {
        return false;
    };
    let fits = |(byte, pattern): (&u8, &u8)| match pattern {
        b'0' => byte.is_ascii_digit(),
        _ => byte == pattern,
    };
    let fraction_fits = match fraction {
        [] => true,
        [b'.', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    fraction_fits && moment.iter().zip(pattern).all(fits)
}

macro_rules! same_as {
    ($helper:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
            self.$helper(visitor)
        }
    )*};
}

impl<'de> IntoDeserializer<'de, RowError> for Cell<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = RowError;

    same_as!(integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    same_as!(integer: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    same_as!(integer: deserialize_i128 deserialize_u128);
    same_as!(text: deserialize_char deserialize_identifier);
    same_as!(bytes: deserialize_bytes deserialize_byte_buf);

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.float(visitor, EXACT_IN_F32)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.float(visitor, EXACT_IN_F64)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Array(items) => visit_list(items, visitor),
            ValueRef::Bool(value) => visitor.visit_bool(value),
            ValueRef::Float(value) => visitor.visit_f64(value),
            ValueRef::Int(value) => visitor.visit_i64(value),
            ValueRef::Json(_) => {
                self.document(visitor, |json, visitor| json.deserialize_any(visitor))
            }
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::UInt(value) => visitor.visit_u64(value),
            _ => self.text(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Bool(value) => visitor.visit_bool(value),
            ValueRef::Int(0) | ValueRef::UInt(0) => visitor.visit_bool(false),
            ValueRef::Int(1) | ValueRef::UInt(1) => visitor.visit_bool(true),
            _ => self.mismatch(&visitor),
        }
    }

    /// What asks for a borrowed text wants to read it, as the types for moments do.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Text(text) if is_sql_timestamp(text) => {
                visitor.visit_string(text.replacen(' ', "T", 1))
            }
            _ => self.text(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Bytes(_) => self.mismatch(&visitor),
            _ => self.text(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.0 {
            ValueRef::Null => visitor.visit_unit(),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.list(visitor, |json, visitor| json.deserialize_seq(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.list(visitor, |json, visitor| json.deserialize_tuple(len, visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.document(visitor, |json, visitor| json.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.document(visitor, |json, visitor| json.deserialize_struct(name, fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match self.0 {
            // A variant with content is an object, and no variant is called by a brace.
            ValueRef::Text(text) if !text.starts_with('{') => {
                visitor.visit_enum(BorrowedStrDeserializer::new(text))
            }
            _ => self
                .document(visitor, |json, visitor| json.deserialize_enum(name, variants, visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }
}
