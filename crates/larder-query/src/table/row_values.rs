//! The values of a model's columns, as the model serialises them.
//!
//! Invariant: there is one value for each column of the model, of the column's kind, or an error
//! that names the column; nothing is converted that would lose something.

mod cell;
mod operand;

use std::fmt;

use larder_model::{ColumnKind, TableModel};
use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeStruct},
};

use self::cell::Cell;
pub(super) use self::operand::{alone, operand, operands, pattern};
use crate::{Bind, Engine, Param, ParamType, QueryError, Slot, Value, table::moment};

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
    engine: Engine,
    table: &TableModel,
    row: &M,
) -> Result<Vec<CellValue>, QueryError> {
    let mut found = Fields { table, values: table.columns().iter().map(|_| None).collect() };
    row.serialize(Row(&mut found)).map_err(|fault| fault.into_error(table))?;
    let cells = found.values.into_iter().zip(table.columns());
    cells
        .map(|(value, column)| match value {
            Some(value) => CellValue::new(engine, column.data_type.kind(), value)
                .map_err(|fault| fault.of(column.name.as_str())),
            None => Err(Fault::new("the row does not serialise it").of(column.name.as_str())),
        })
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.into_error(table))
}

impl CellValue {
    fn new(engine: Engine, kind: ColumnKind, value: Value) -> Result<Self, Fault> {
        if engine == Engine::Sqlite && !moment::has_plain_text(&value) {
            return Err(Fault::new("SQLite orders and reads only the years 0 to 9999"));
        }
        Ok(Self { value, null: null_type(kind) })
    }

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
pub(in crate::table) struct Fault {
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
