//! From a row to a Rust type.
//!
//! Guards that a value goes only into a type that holds it: no rounding, no wrapping, no text
//! taken for a number. Fresh and stored rows come here in the same form, so that they convert
//! alike.

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::{Columns, RowError, value_ref::ValueRef};

mod cell;
#[cfg(test)]
mod tests;

use cell::Cell;

/// Converts a row; there are as many values as columns.
pub(crate) fn from_row<'de, T: DeserializeOwned>(
    columns: &'de Columns,
    values: impl Iterator<Item = ValueRef<'de>> + Clone,
) -> Result<T, RowError> {
    T::deserialize(RowDeserializer { columns, values })
}

/// Converts one value of a row.
pub(crate) fn from_cell<T: DeserializeOwned>(
    columns: &Columns,
    index: usize,
    value: ValueRef<'_>,
) -> Result<T, RowError> {
    T::deserialize(Cell(value)).map_err(|error| error.in_column(columns.name(index)))
}

struct RowDeserializer<'de, I> {
    columns: &'de Columns,
    values: I,
}

impl<'de, I: Iterator<Item = ValueRef<'de>> + Clone> RowDeserializer<'de, I> {
    /// The value of a row of one column.
    fn single(&self) -> Option<Cell<'de>> {
        if self.columns.len() != 1 {
            return None;
        }
        self.values.clone().next().map(Cell)
    }

    /// Hands the value of a row of one column on to `convert`.
    fn scalar<V: Visitor<'de>>(
        self,
        visitor: V,
        convert: impl FnOnce(Cell<'de>, V) -> Result<V::Value, RowError>,
    ) -> Result<V::Value, RowError> {
        match self.single() {
            Some(cell) => {
                convert(cell, visitor).map_err(|error| error.in_column(self.columns.name(0)))
            }
            None => {
                let found = format_args!("{} columns", self.columns.len());
                Err(RowError::mismatch(found, &visitor))
            }
        }
    }

    fn by_position<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_seq(ByPosition { columns: self.columns, values: self.values, index: 0 })
    }

    fn by_name<V: Visitor<'de>>(self, visitor: V, repeats: Repeats) -> Result<V::Value, RowError> {
        visitor.visit_map(ByName {
            columns: self.columns,
            values: self.values.enumerate(),
            repeats,
            current: None,
        })
    }
}

/// What needs exactly one column.
macro_rules! scalars {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
            self.scalar(visitor, |cell, visitor| cell.$method(visitor))
        }
    )*};
}

impl<'de, I> Deserializer<'de> for RowDeserializer<'de, I>
where
    I: Iterator<Item = ValueRef<'de>> + Clone,
{
    type Error = RowError;

    scalars! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.columns.len() == 1 {
            return self.scalar(visitor, |cell, visitor| cell.deserialize_any(visitor));
        }
        self.by_name(visitor, Repeats::Numbered)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.single() {
            Some(Cell(ValueRef::Null)) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.scalar(visitor, |cell, visitor| cell.deserialize_unit_struct(name, visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.single() {
            // A single list, blob or document is a list by itself.
            Some(Cell(ValueRef::Array(_) | ValueRef::Bytes(_) | ValueRef::Json(_))) => {
                self.scalar(visitor, |cell, visitor| cell.deserialize_seq(visitor))
            }
            _ => self.by_position(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        if len == self.columns.len() {
            self.by_position(visitor)
        } else {
            self.scalar(visitor, |cell, visitor| cell.deserialize_tuple(len, visitor))
        }
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
        self.by_name(visitor, Repeats::Numbered)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.by_name(visitor, Repeats::Skipped)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.scalar(visitor, |cell, visitor| cell.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_unit()
    }
}

/// The columns of a row as the elements of a list.
struct ByPosition<'de, I> {
    columns: &'de Columns,
    values: I,
    index: usize,
}

impl<'de, I: Iterator<Item = ValueRef<'de>>> SeqAccess<'de> for ByPosition<'de, I> {
    type Error = RowError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, RowError> {
        let Some(value) = self.values.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Cell(value))
            .map(Some)
            .map_err(|error| error.in_column(self.columns.name(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.columns.len().checked_sub(self.index)
    }
}

/// What becomes of a column whose name an earlier one has.
#[derive(Clone, Copy)]
enum Repeats {
    /// A map or a self-describing type gets it under its unique name.
    Numbered,
    /// A struct has one field of the name, and the first column is in it.
    Skipped,
}

/// The columns of a row as the entries of a map.
struct ByName<'de, I> {
    columns: &'de Columns,
    values: std::iter::Enumerate<I>,
    repeats: Repeats,
    current: Option<(usize, ValueRef<'de>)>,
}

impl<'de, I: Iterator<Item = ValueRef<'de>>> MapAccess<'de> for ByName<'de, I> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, RowError> {
        self.current = self.values.find(|(index, _)| match self.repeats {
            Repeats::Numbered => true,
            Repeats::Skipped => !self.columns.repeats(*index),
        });
        let Some((index, _)) = self.current else {
            return Ok(None);
        };
        let name = match self.repeats {
            Repeats::Numbered => self.columns.unique_name(index),
            Repeats::Skipped => self.columns.name(index),
        };
        seed.deserialize(Cell(ValueRef::Text(name.unwrap_or_default()))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        // A visitor that asks for a value without a key gets NULL, as after the last column.
        let (index, value) = self.current.take().unwrap_or((usize::MAX, ValueRef::Null));
        seed.deserialize(Cell(value)).map_err(|error| error.in_column(self.columns.name(index)))
    }
}
