//! Which Rust types can be bound as parameters.
//!
//! Guards that a Rust type always becomes the same parameter type, also when it is `None`.

use std::{borrow::Cow, sync::Arc};

use crate::{Param, ParamType, Slot, Value};

/// A value that can be bound as one parameter of a statement.
///
/// Implemented for `bool`, `char`, integers up to 64 bits, floats, text, bytes, `Option` (`None`
/// is NULL), references, `Arc`, `Box` and `Cow` of these, and [`Value`]. A list (`Vec`, slice or
/// array) of any of them is one parameter too, which PostgreSQL takes as an array, as in
/// `= ANY($1)`; only a list of `u8` is a byte string. The features `chrono`,
/// `decimal`, `json` and `uuid` add the types of those crates. A type of your own binds by
/// handing its slot on:
///
/// ```
/// use larder_query::{Bind, ParamType, Params, Slot};
///
/// struct Iata([u8; 2]);
///
/// impl Bind for Iata {
///     const TYPE: ParamType = <str as Bind>::TYPE;
///
///     fn bind(&self, slot: Slot<'_>) {
///         String::from_utf8_lossy(&self.0).bind(slot);
///     }
/// }
///
/// let mut params = Params::new();
/// params.bind(Iata(*b"LH")).bind(None::<Iata>);
/// assert_eq!(params.len(), 2);
/// ```
///
/// A slot that is dropped without a value binds nothing, which the statement then reports as a
/// missing parameter.
pub trait Bind {
    /// The type of the parameter, and of the NULL that `None` binds.
    const TYPE: ParamType;

    /// Puts the value into the slot.
    fn bind(&self, slot: Slot<'_>);

    /// The type of a list of such values.
    #[doc(hidden)]
    const LIST_TYPE: ParamType = ParamType::Array;

    /// Puts a list of such values into the slot. Only bytes do it differently.
    #[doc(hidden)]
    #[inline(always)]
    fn bind_list(items: &[Self], slot: Slot<'_>)
    where
        Self: Sized,
    {
        slot.list(items);
    }
}

/// Types that are copied into a parameter of their own name.
macro_rules! bind_copied {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl Bind for $rust {
            const TYPE: ParamType = ParamType::$variant;

            #[inline(always)]
            fn bind(&self, slot: Slot<'_>) {
                slot.put(Param::$variant(*self));
            }
        }
    )*};
}

bind_copied! {
    bool => Bool,
    f32 => F32,
    f64 => F64,
    i8 => I8,
    i16 => I16,
    i32 => I32,
    i64 => I64,
    u16 => U16,
    u32 => U32,
    u64 => U64,
}

impl Bind for u8 {
    const LIST_TYPE: ParamType = ParamType::Bytes;
    const TYPE: ParamType = ParamType::U8;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::U8(*self));
    }

    #[inline(always)]
    fn bind_list(items: &[Self], slot: Slot<'_>) {
        slot.put(Param::Bytes(items));
    }
}

/// Pointers that bind as what they point to.
macro_rules! bind_pointer {
    ($($pointer:ty),* $(,)?) => {$(
        impl<T: Bind + ?Sized> Bind for $pointer {
            const TYPE: ParamType = T::TYPE;

            #[inline(always)]
            fn bind(&self, slot: Slot<'_>) {
                T::bind(self, slot);
            }
        }
    )*};
}

bind_pointer!(&T, Arc<T>, Box<T>);

impl Bind for String {
    const TYPE: ParamType = ParamType::Text;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        self.as_str().bind(slot);
    }
}

impl<T: Bind> Bind for Vec<T> {
    const TYPE: ParamType = T::LIST_TYPE;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        self.as_slice().bind(slot);
    }
}

impl Bind for str {
    const TYPE: ParamType = ParamType::Text;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::Text(self));
    }
}

impl Bind for char {
    const TYPE: ParamType = ParamType::Text;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::Text(self.encode_utf8(&mut [0; 4])));
    }
}

impl<T: Bind> Bind for [T] {
    const TYPE: ParamType = T::LIST_TYPE;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        T::bind_list(self, slot);
    }
}

impl<T: Bind, const N: usize> Bind for [T; N] {
    const TYPE: ParamType = T::LIST_TYPE;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        T::bind_list(self, slot);
    }
}

impl<T: Bind + ToOwned + ?Sized> Bind for Cow<'_, T> {
    const TYPE: ParamType = T::TYPE;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        T::bind(self, slot);
    }
}

impl<T: Bind> Bind for Option<T> {
    const TYPE: ParamType = T::TYPE;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        match self {
            Some(value) => value.bind(slot),
            None => slot.null(T::TYPE),
        }
    }
}

impl Bind for Value {
    const TYPE: ParamType = ParamType::Unknown;

    #[inline(always)]
    fn bind(&self, slot: Slot<'_>) {
        if let Self::Array(items) = self {
            return slot.list(items);
        }
        slot.put(match self {
            // Bound above.
            Self::Array(_) => return,
            Self::Bool(value) => Param::Bool(*value),
            Self::Bytes(bytes) => Param::Bytes(bytes),
            Self::Date(days) => Param::Date(*days),
            Self::Decimal(text) => Param::Decimal(text),
            Self::Float(value) => Param::F64(*value),
            Self::Int(value) => Param::I64(*value),
            Self::Json(text) => Param::Json(text),
            Self::Null => Param::Null(ParamType::Unknown),
            Self::Text(text) => Param::Text(text),
            Self::Time(micros) => Param::Time(*micros),
            Self::Timestamp(micros) => Param::Timestamp(*micros),
            Self::TimestampUtc(micros) => Param::TimestampUtc(*micros),
            Self::UInt(value) => Param::U64(*value),
            Self::Uuid(bytes) => Param::Uuid(*bytes),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Params,
        value::tests::{any_value, same},
    };

    #[test]
    fn owners_and_references_bind_as_what_they_hold() {
        let text = "text".to_owned();
        let mut params = Params::new();
        params.bind(&text).bind(text.clone()).bind(text.as_str());
        params.bind(Arc::<str>::from("text")).bind(Cow::Borrowed("text"));
        params.bind(Some(Box::<str>::from("text"))).bind(Some(&"text"));
        assert_eq!(params.len(), 7);
        assert!(params.iter().all(|param| param == Param::Text("text")));
    }

    #[test]
    fn bytes_and_text_are_two_types() {
        let mut params = Params::new();
        params.bind(vec![1_u8]).bind([1_u8]).bind(&[1_u8][..]).bind('\u{1}');
        let list: Vec<_> = params.iter().collect();
        assert_eq!(list[..3], [Param::Bytes(&[1]); 3]);
        assert_eq!(list[3], Param::Text("\u{1}"));
    }

    #[test]
    fn none_is_a_null_of_its_type() {
        let mut params = Params::new();
        params.bind(None::<i16>).bind(None::<Option<String>>);
        assert_eq!(
            params.iter().collect::<Vec<_>>(),
            [Param::Null(ParamType::I16), Param::Null(ParamType::Text)]
        );
    }

    /// All kinds of not-a-number are one parameter.
    fn canonical(value: Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
            Value::Float(number) if number.is_nan() => Value::Float(f64::NAN),
            other => other,
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_itself(value in any_value()) {
            let mut params = Params::new();
            params.bind(&value);
            let back = params.iter().next().map(Param::to_value);
            let expected = canonical(value);
            prop_assert!(back.is_some_and(|back| same(&back, &expected)));
        }
    }
}
