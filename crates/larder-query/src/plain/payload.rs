//! The payload: a JSON list of objects.
//!
//! Guards that decoding what was encoded gives the same rows, so that a hit can not differ from
//! the miss before it, and that no bytes, whoever stored them, are more than a miss.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::value::RawValue;

use super::{
    is_mysql_family,
    python::{BytesRepr, DateTime, Dumps, Time, TimeDelta, decimal},
};
use crate::{Columns, Engine, Row, RowSet, Value, calendar::IsoDate};

/// The rows with the types that JSON leaves of them, under names that are unique.
pub(super) fn plain_rows(engine: Engine, set: RowSet) -> RowSet {
    if set.is_empty() {
        // An entry without rows has no names either.
        return RowSet::default();
    }
    let columns = set.columns();
    let names = (0..columns.len()).filter_map(|index| columns.unique_name(index));
    let mut plain = RowSet::new(Columns::new(names.map(|name| (name, ""))));
    for row in set {
        plain.push(row.into_values().into_iter().map(|value| plain_value(engine, value)).collect());
    }
    plain
}

fn plain_value(engine: Engine, value: Value) -> Value {
    let zone = if is_mysql_family(engine) { "" } else { "+00:00" };
    match value {
        Value::Array(items) => array(items.into_iter().map(|item| plain_value(engine, item))),
        Value::Bool(value) if engine != Engine::Postgres => Value::Int(value.into()),
        Value::Bytes(bytes) => Value::Text(BytesRepr(&bytes).to_string()),
        Value::Date(days) => Value::Text(IsoDate(days.into()).to_string()),
        Value::Decimal(text) => Value::Text(decimal(&text)),
        Value::Json(text) if engine == Engine::Postgres => document(text),
        Value::Json(text) => Value::Text(text),
        Value::Time(micros) if is_mysql_family(engine) => {
            Value::Text(TimeDelta(micros).to_string())
        }
        Value::Time(micros) => Value::Text(Time(micros).to_string()),
        Value::Timestamp(micros) => Value::Text(DateTime { micros, zone: "" }.to_string()),
        Value::TimestampUtc(micros) => Value::Text(DateTime { micros, zone }.to_string()),
        Value::UInt(value) => i64::try_from(value).map_or(Value::UInt(value), Value::Int),
        Value::Uuid(_) => Value::Text(value.to_string()),
        other => other,
    }
}

/// A list as a document.
fn array(items: impl Iterator<Item = Value>) -> Value {
    let items: Vec<_> = items.collect();
    let text = dumps(items.iter().map(Cell)).and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or(Value::Null, Value::Json)
}

/// A list in the layout of Python. Writing to memory does not fail, and no name is anything but
/// text.
fn dumps(items: impl Iterator<Item = impl Serialize>) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    serde_json::Serializer::with_formatter(&mut payload, Dumps).collect_seq(items).ok()?;
    Some(payload)
}

/// A document as it reads back: a scalar in it is a scalar.
fn document(text: String) -> Value {
    let read = serde_json::from_str::<&RawValue>(&text).ok().and_then(cell);
    read.unwrap_or(Value::Text(text))
}

/// The rows as bytes; `None` if a number is infinite or none, for which JSON has no form.
///
/// Python would store `NaN`, which only Python reads.
pub(super) fn encode(plain: &RowSet) -> Option<Bytes> {
    let infinite = |value: &Value| matches!(value, Value::Float(number) if !number.is_finite());
    if plain.into_iter().any(|row| row.values().iter().any(infinite)) {
        return None;
    }
    dumps(plain.into_iter().map(Object)).map(Bytes::from)
}

/// A row as an object.
struct Object<'a>(&'a Row);

/// A value as JSON has it.
struct Cell<'a>(&'a Value);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.values().len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &Cell(value))?;
        }
        map.end()
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            // As it came, so that no digit and no order of names is lost.
            Value::Decimal(text) | Value::Json(text) => {
                match serde_json::from_str::<&RawValue>(text) {
                    Ok(raw) => raw.serialize(serializer),
                    Err(_not_json) => serializer.serialize_str(text),
                }
            }
            other => other.serialize(serializer),
        }
    }
}

/// The rows in a payload; `None` for anything but a list of objects with the same names.
pub(super) fn decode(payload: &[u8]) -> Option<RowSet> {
    let Payload(rows) = serde_json::from_slice(payload).ok()?;
    Some(rows)
}

struct Payload(RowSet);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Rows).map(Self)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = RowSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RowSet, A::Error> {
        let Some(Fields { names, values }) = seq.next_element()? else {
            return Ok(RowSet::default());
        };
        let header = Columns::new(names.iter().map(|Name(name)| (&**name, "")));
        if (0..header.len()).any(|index| header.repeats(index)) {
            return Err(A::Error::custom("a name occurs twice"));
        }
        let mut rows = RowSet::new(header);
        rows.push(values);
        while let Some(fields) = seq.next_element::<Fields<'de>>()? {
            if fields.names != names {
                return Err(A::Error::custom("the objects have different names"));
            }
            rows.push(fields.values);
        }
        Ok(rows)
    }
}

/// One object.
struct Fields<'de> {
    names: Vec<Name<'de>>,
    values: Vec<Value>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        impl<'de> Visitor<'de> for Map {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields { names: Vec::new(), values: Vec::new() };
                while let Some((name, raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    fields.names.push(name);
                    fields.values.push(cell(raw).ok_or_else(|| A::Error::custom("no value"))?);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Map)
    }
}

/// A name, borrowed unless it has escapes.
#[derive(PartialEq, Eq)]
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// One value, by its first character, which tells in JSON what follows.
fn cell(raw: &RawValue) -> Option<Value> {
    let text = raw.get();
    Some(match text.as_bytes().first()? {
        b'n' => Value::Null,
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'"' => Value::Text(serde_json::from_str(text).ok()?),
        b'[' | b'{' => Value::Json(text.to_owned()),
        _ => number(text),
    })
}

/// A number that no variant holds, of more than 64 bits or beyond a double, stays as it is.
fn number(text: &str) -> Value {
    if let Ok(int) = text.parse() {
        return Value::Int(int);
    }
    if let Ok(int) = text.parse() {
        return Value::UInt(int);
    }
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() && text.contains(['.', 'e', 'E']) => Value::Float(float),
        _ => Value::Decimal(text.to_owned()),
    }
}
