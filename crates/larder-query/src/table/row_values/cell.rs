//! One value of a row, for a column that holds values of some kind.
//!
//! Guards that a value which the column does not hold is refused, and not converted.

use larder_model::ColumnKind;
use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};

use super::Fault;
use crate::{Value, table::moment};

/// One value for a column of this kind. A JSON column takes whatever serialises.
pub(super) struct Cell(pub(super) ColumnKind);

impl Cell {
    pub(super) fn mismatch(&self, what: &str) -> Fault {
        Fault::new(&format!("{what} is no {}", self.0))
    }

    fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value, Fault> {
        serde_json::to_string(value).map(Value::Json).map_err(ser::Error::custom)
    }

    fn integer(self, value: i64) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => Ok(Value::Int(value)),
            ColumnKind::Decimal => Ok(Value::Decimal(value.to_string())),
            ColumnKind::Float32 | ColumnKind::Float64 => self.float(value),
            ColumnKind::Json => Self::json(&value),
            _ => Err(self.mismatch("an integer")),
        }
    }

    /// An integer that a floating-point number has too.
    fn float(self, value: i64) -> Result<Value, Fault> {
        const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;
        let float = (value.unsigned_abs() <= EXACT_MAX).then(|| value.to_string().parse().ok());
        float.flatten().map(Value::Float).ok_or_else(|| self.mismatch("an integer of this size"))
    }

    fn text(self, text: &str) -> Result<Value, Fault> {
        let value = match self.0 {
            ColumnKind::Text => Some(Value::Text(text.to_owned())),
            ColumnKind::Json => return Self::json(text),
            ColumnKind::Date => moment::date(text).map(Value::Date),
            ColumnKind::Time => moment::time(text).map(Value::Time),
            ColumnKind::Timestamp => moment::timestamp(text).map(Value::Timestamp),
            ColumnKind::TimestampUtc => moment::timestamp_utc(text).map(Value::TimestampUtc),
            ColumnKind::Decimal => is_decimal(text).then(|| Value::Decimal(text.to_owned())),
            ColumnKind::Uuid => uuid(text).map(Value::Uuid),
            ColumnKind::Blob => Some(Value::Bytes(text.as_bytes().to_vec())),
            _ => None,
        };
        value.ok_or_else(|| self.mismatch("this text"))
    }

    fn bytes(self, bytes: Vec<u8>) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Blob => Ok(Value::Bytes(bytes)),
            ColumnKind::Uuid => {
                let bytes = <[u8; 16]>::try_from(bytes);
                bytes.map(Value::Uuid).map_err(|_| self.mismatch("this byte string"))
            }
            ColumnKind::Json => Self::json(&bytes),
            _ => Err(self.mismatch("a byte string")),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(fraction)
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<_> = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16)).collect();
    let digits = digits.into_iter().collect::<Option<Vec<_>>>()?;
    let pairs = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok());
    let bytes = pairs.collect::<Option<Vec<_>>>()?;
    (digits.len() == 32).then(|| bytes.try_into().ok()).flatten()
}

impl Serializer for Cell {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = CellList;
    type SerializeTuple = CellList;
    type SerializeTupleStruct = Impossible<Value, Fault>;
    type SerializeTupleVariant = Impossible<Value, Fault>;
    type SerializeMap = CellMap;
    type SerializeStruct = CellMap;
    type SerializeStructVariant = Impossible<Value, Fault>;

    fn serialize_bool(self, value: bool) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Boolean => Ok(Value::Bool(value)),
            ColumnKind::Json => Self::json(&value),
            _ => Err(self.mismatch("a boolean")),
        }
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, Fault> {
        self.integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, Fault> {
        self.integer(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Fault> {
        match i64::try_from(value) {
            Ok(value) => self.integer(value),
            Err(_) if self.0 == ColumnKind::Json => Self::json(&value),
            Err(_) => Err(self.mismatch("an integer of more than 63 bits")),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Fault> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Float32 | ColumnKind::Float64 => Ok(Value::Float(value)),
            ColumnKind::Json => Self::json(&value),
            _ => Err(self.mismatch("a floating-point number")),
        }
    }

    fn serialize_char(self, value: char) -> Result<Value, Fault> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Fault> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Fault> {
        self.bytes(value.to_vec())
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Json => Ok(Value::Json("null".to_owned())),
            _ => Ok(Value::Null),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Fault> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Fault> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        let _ = name;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Json => {
                Self::json(&std::collections::BTreeMap::from([(variant, json(value)?)]))
            }
            _ => Err(self.mismatch("a variant with content")),
        }
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<CellList, Fault> {
        Ok(CellList { cell: self, items: Vec::with_capacity(length.unwrap_or_default().min(4096)) })
    }

    fn serialize_tuple(self, length: usize) -> Result<CellList, Fault> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Fault> {
        Err(self.mismatch("a tuple struct"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Err(self.mismatch("a variant with content"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<CellMap, Fault> {
        match self.0 {
            ColumnKind::Json => Ok(CellMap { map: serde_json::Map::new(), key: String::new() }),
            _ => Err(self.mismatch("a map")),
        }
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<CellMap, Fault> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Err(self.mismatch("a variant with content"))
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(value).map_err(ser::Error::custom)
}

/// A list of bytes, or of anything for a JSON column.
pub(in crate::table) struct CellList {
    cell: Cell,
    items: Vec<serde_json::Value>,
}

impl CellList {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.items.push(json(value)?);
        Ok(())
    }

    fn finish(self) -> Result<Value, Fault> {
        if self.cell.0 == ColumnKind::Json {
            return Cell::json(&self.items);
        }
        let byte =
            |item: &serde_json::Value| item.as_u64().and_then(|item| u8::try_from(item).ok());
        match self.items.iter().map(byte).collect::<Option<Vec<_>>>() {
            Some(bytes) => self.cell.bytes(bytes),
            None => Err(self.cell.mismatch("a list")),
        }
    }
}

impl SerializeSeq for CellList {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        self.finish()
    }
}

impl SerializeTuple for CellList {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        self.finish()
    }
}

/// An object of a JSON column.
pub(in crate::table) struct CellMap {
    map: serde_json::Map<String, serde_json::Value>,
    key: String,
}

impl SerializeMap for CellMap {
    type Ok = Value;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = match json(key)? {
            serde_json::Value::String(key) => key,
            // As `serde_json` writes keys that are numbers or booleans.
            other => other.to_string(),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = std::mem::take(&mut self.key);
        self.map.insert(key, json(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Fault> {
        Cell::json(&self.map)
    }
}

impl SerializeStruct for CellMap {
    type Ok = Value;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.map.insert(name.to_owned(), json(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Fault> {
        Cell::json(&self.map)
    }
}
