//! The shape of a type, as its `Deserialize` asks for it.
//!
//! A postcard payload does not say what it holds. So the reader's type is asked, once, which
//! fields of which types it would read in which order; the digest of the answers travels with
//! every entry. Guards that a type that gained, lost, renamed, reordered or retyped a field does
//! not read the entries of its former self.

use std::fmt;

use larder_core::{Key, KeyBuilder, KeySpace};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess,
    SeqAccess, VariantAccess, Visitor, value::StrDeserializer,
};

/// How deep a type is looked into; a type that contains itself has no bottom.
const DEPTH_MAX: usize = 12;
/// How many answers are taken down, so that a type that branches at every level ends too.
const STEPS_MAX: usize = 4_096;

/// The fingerprint of a type and of a version that its owner counts.
///
/// It covers the type's name, its fields with their names, order and types, as the type's
/// `Deserialize` asks for them. Deterministic, and the same in every process.
#[must_use]
pub fn fingerprint<T: DeserializeOwned>(version: u64) -> u64 {
    let key = Key::builder(KeySpace::Object).text(std::any::type_name::<T>()).number(version);
    let mut tracer = Tracer { key, depth: 0, steps: 0 };
    // A type that checks what it reads may refuse an example; the shape up to there counts.
    let _ = T::deserialize(&mut tracer);
    let [a, b, c, d, e, f, g, h, ..] = *tracer.key.finish().digest();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Takes down what a type asks for, and answers with the simplest example.
struct Tracer {
    key: KeyBuilder,
    depth: usize,
    steps: usize,
}

/// The end of a trace: too deep, or an example that the type refused.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the trace of a type ended")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

impl Tracer {
    fn note(&mut self, what: &str) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(Stop);
        }
        self.key = self.key.clone().text(what);
        Ok(())
    }

    fn note_all(&mut self, what: &str, names: &[&str]) -> Result<(), Stop> {
        self.note(what)?;
        names.iter().try_for_each(|name| self.note(name))
    }

    /// Lets a type ask for its parts, one level deeper.
    fn deeper<T>(&mut self, ask: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.depth == DEPTH_MAX {
            return Err(Stop);
        }
        self.depth += 1;
        let answer = ask(self);
        self.depth -= 1;
        answer
    }

    fn parts<'de, V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Result<V::Value, Stop> {
        self.deeper(|tracer| visitor.visit_seq(Parts { tracer, left: count }))
    }
}

/// Types that are answered with an example.
macro_rules! examples {
    ($($method:ident => $visit:ident($($example:expr)?)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.note(stringify!($method))?;
            visitor.$visit($($example)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Tracer {
    type Error = Stop;

    examples! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_i8(1),
        deserialize_i16 => visit_i16(1),
        deserialize_i32 => visit_i32(1),
        deserialize_i64 => visit_i64(1),
        deserialize_i128 => visit_i128(1),
        deserialize_u8 => visit_u8(1),
        deserialize_u16 => visit_u16(1),
        deserialize_u32 => visit_u32(1),
        deserialize_u64 => visit_u64(1),
        deserialize_u128 => visit_u128(1),
        deserialize_f32 => visit_f32(1.0),
        deserialize_f64 => visit_f64(1.0),
        deserialize_char => visit_char('a'),
        deserialize_str => visit_str("a"),
        deserialize_string => visit_str("a"),
        deserialize_bytes => visit_bytes(b"a"),
        deserialize_byte_buf => visit_bytes(b"a"),
        deserialize_unit => visit_unit(),
        deserialize_identifier => visit_u64(0),
    }

    /// postcard can not read such a type either.
    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        self.note("any")?;
        Err(Stop)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.note("option")?;
        self.deeper(|tracer| visitor.visit_some(tracer))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note_all("unit struct", &[name])?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note_all("newtype", &[name])?;
        self.deeper(|tracer| visitor.visit_newtype_struct(tracer))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.note("seq")?;
        self.parts(1, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.note_all("tuple", &[&len.to_string()])?;
        self.parts(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note_all("tuple struct", &[name, &len.to_string()])?;
        self.parts(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.note("map")?;
        self.deeper(|tracer| visitor.visit_map(Parts { tracer, left: 1 }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note_all(name, fields)?;
        self.parts(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note_all(name, variants)?;
        // All variants are named; what the first one holds stands for the rest, because an
        // example can be one variant only.
        let first = variants.first().ok_or(Stop)?;
        self.deeper(|tracer| visitor.visit_enum(First { tracer, name: first }))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a sequence, a structure or a map.
struct Parts<'t> {
    tracer: &'t mut Tracer,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.tracer).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(&mut *self.tracer)
    }
}

/// The first variant of an enum.
struct First<'t> {
    tracer: &'t mut Tracer,
    name: &'static str,
}

impl<'de> EnumAccess<'de> for First<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        let name: StrDeserializer<'_, Stop> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for First<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.tracer.note("unit variant")
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        self.tracer.note("newtype variant")?;
        seed.deserialize(self.tracer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        de::Deserializer::deserialize_tuple(self.tracer, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.tracer.note_all("struct variant", fields)?;
        self.tracer.parts(fields.len(), visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// The fingerprints of a type of one name in several shapes.
    macro_rules! shapes {
        ($($body:tt)*) => {
            [$({
                #[derive(Deserialize)]
                #[expect(dead_code, reason = "only its shape counts")]
                struct Shape $body
                fingerprint::<Shape>(0)
            }),*]
        };
    }

    #[test]
    fn every_change_of_a_type_is_another_fingerprint() {
        let all = shapes! {
            { a: u32, b: u32 }
            { b: u32, a: u32 }
            { a: u32 }
            { a: u32, b: u64 }
            { a: u32, b: Option<u32> }
            { a: u32, c: u32 }
            { a: u32, b: Vec<u32> }
            { a: u32, b: (u32, u32) }
            { a: u32, b: std::collections::BTreeMap<u32, String> }
        };
        for (i, one) in all.iter().enumerate() {
            for other in &all[i + 1..] {
                assert_ne!(one, other, "{i}");
            }
        }
    }

    #[test]
    fn a_type_keeps_its_fingerprint_and_a_version_changes_it() {
        assert_eq!(fingerprint::<Vec<String>>(0), fingerprint::<Vec<String>>(0));
        assert_ne!(fingerprint::<Vec<String>>(0), fingerprint::<Vec<String>>(1));
    }

    #[test]
    fn types_that_contain_themselves_or_choose_have_one_too() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        struct Tree {
            left: Option<Box<Self>>,
            right: Vec<Self>,
        }
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape counts")]
        enum Choice {
            One { a: u8 },
            Two(String),
        }
        assert_ne!(fingerprint::<Tree>(0), fingerprint::<Choice>(0));
    }
}
