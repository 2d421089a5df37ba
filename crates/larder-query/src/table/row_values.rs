//! The values of a model's columns, as the model serialises them.
//!
//! Invariant: there is one value for each column of the model, of the column's kind, or an error
//! that names the column; nothing is converted that would lose something.

use std::fmt;

use larder_model::{ColumnKind, TableModel};
use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};

use crate::{Bind, Param, ParamType, QueryError, Slot, Value, table::moment};

/// The value of one column, with the type that a NULL has there.
#[derive(Debug)]
pub(super) struct CellValue {
    value: Value,
    null: ParamType,
}

/// The values of a row, one for each column of the model in its order.
///
/// # Errors
/// [`QueryError::RowValue`].
pub(super) fn row_values<M: Serialize>(
    table: &TableModel,
    row: &M,
) -> Result<Vec<CellValue>, QueryError> {
    let mut found = Fields { table, values: table.columns().iter().map(|_| None).collect() };
    row.serialize(Row(&mut found)).map_err(|fault| fault.into_error(table))?;
    let cells = found.values.into_iter().zip(table.columns());
    cells
        .map(|(value, column)| match value {
            Some(value) => Ok(CellValue { value, null: null_type(column.data_type.kind()) }),
            None => Err(Fault::new("the row does not serialise it").of(column.name.as_str())),
        })
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.into_error(table))
}

impl CellValue {
    /// Whether it is the zero that stands for a number which the database is to give.
    pub(super) fn is_zero(&self) -> bool {
        matches!(self.value, Value::Int(0) | Value::Null)
    }
}

impl Bind for CellValue {
    const TYPE: ParamType = ParamType::Unknown;

    fn bind(&self, slot: Slot<'_>) {
        match &self.value {
            Value::Null => slot.put(Param::Null(self.null)),
            value => value.bind(slot),
        }
    }
}

const fn null_type(kind: ColumnKind) -> ParamType {
    match kind {
        ColumnKind::Blob => ParamType::Bytes,
        ColumnKind::Boolean => ParamType::Bool,
        ColumnKind::Date => ParamType::Date,
        ColumnKind::Decimal => ParamType::Decimal,
        ColumnKind::Float32 | ColumnKind::Float64 => ParamType::F64,
        ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => ParamType::I64,
        ColumnKind::Json => ParamType::Json,
        ColumnKind::Text => ParamType::Text,
        ColumnKind::Time => ParamType::Time,
        ColumnKind::Timestamp => ParamType::Timestamp,
        ColumnKind::TimestampUtc => ParamType::TimestampUtc,
        ColumnKind::Uuid => ParamType::Uuid,
        _ => ParamType::Unknown,
    }
}

/// Why a row has no value for a column.
#[derive(Debug)]
struct Fault {
    column: Option<String>,
    reason: String,
}

impl Fault {
    fn new(reason: &str) -> Self {
        Self { column: None, reason: reason.to_owned() }
    }

    fn of(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.to_owned());
        self
    }

    fn into_error(self, table: &TableModel) -> QueryError {
        QueryError::RowValue {
            table: table.name().as_str().into(),
            column: self.column.unwrap_or_default().into(),
            reason: self.reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { column: None, reason: message.to_string() }
    }
}

/// The values found so far.
struct Fields<'a> {
    table: &'a TableModel,
    values: Vec<Option<Value>>,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Fault> {
        let mut columns = self.table.columns().iter();
        // What is no column of the model, such as a field that is skipped, is no affair of it.
        let Some(at) = columns.position(|column| column.name.as_str() == name) else {
            return Ok(());
        };
        let kind = self.table.columns()[at].data_type.kind();
        let value = value.serialize(Cell(kind)).map_err(|fault| fault.of(name))?;
        self.values[at] = Some(value);
        Ok(())
    }
}

/// Takes a row apart; a row is a struct or a map.
struct Row<'a, 'f>(&'a mut Fields<'f>);

/// A map's key waits here for its value.
struct RowMap<'a, 'f> {
    fields: &'a mut Fields<'f>,
    key: String,
}

impl SerializeStruct for Row<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.0.field(name, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl SerializeMap for RowMap<'_, '_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        match key.serialize(Cell(ColumnKind::Text))? {
            Value::Text(key) => self.key = key,
            _ => return Err(Fault::new("a row has a name that is no text")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = std::mem::take(&mut self.key);
        self.fields.field(&key, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Refuses everything but what follows.
macro_rules! refuse {
    ($fault:expr; $($name:ident($($type:ty),*);)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<Self::Ok, Fault> {
            Err($fault)
        }
    )*};
}

fn no_row() -> Fault {
    Fault::new("a row is a struct with named fields")
}

impl<'a, 'f> Serializer for Row<'a, 'f> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Impossible<(), Fault>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = RowMap<'a, 'f>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Fault>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<RowMap<'a, 'f>, Fault> {
        Ok(RowMap { fields: self.0, key: String::new() })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    refuse! {
        no_row();
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Fault> {
        Err(no_row())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Fault> {
        Err(no_row())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        Err(no_row())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Fault> {
        Err(no_row())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Err(no_row())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Err(no_row())
    }
}

/// One value for a column of this kind. A JSON column takes whatever serialises.
struct Cell(ColumnKind);

impl Cell {
    fn mismatch(&self, what: &str) -> Fault {
        Fault::new(&format!("{what} is no {}", self.0))
    }

    fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value, Fault> {
        serde_json::to_string(value).map(Value::Json).map_err(ser::Error::custom)
    }

    fn integer(self, value: i64) -> Result<Value, Fault> {
        match self.0 {
            ColumnKind::Int16 | ColumnKind::Int32 | ColumnKind::Int64 => Ok(Value::Int(value)),
            ColumnKind::Decimal => Ok(Value::Decimal(value.to_string())),
            ColumnKind::Json => Self::json(&value),
            _ => Err(self.mismatch("an integer")),
        }
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
struct CellList {
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
struct CellMap {
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
