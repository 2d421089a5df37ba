//! The stored form of a row set.
//!
//! Guards that stored bytes are read exactly as they were written or not at all: every length is
//! checked against what is there before anything is allocated, and nothing may be left over.
//!
//! | part | content |
//! |---|---|
//! | version | one byte, 1 |
//! | columns | their number, then for each its name and its declared type, as texts |
//! | rows | their number, then for each a mark (one byte, 1) and one value per column |
//! | value | a tag (one byte) and what the table of tags says |
//!
//! A number is a varint, a text its length in bytes and its UTF-8. The mark makes sure that a row
//! takes at least one byte, so that no row count can be larger than the bytes that are left.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    Columns, RowError, RowSet, de,
    value_ref::{ArrayRef, ValueRef},
    varint,
};

const VERSION: u8 = 1;
/// How deep lists may be nested; PostgreSQL's arrays have up to six dimensions.
const DEPTH_MAX: u8 = 32;
const ROW_MARK: u8 = 1;

/// The tags of values; a new kind of value gets a new number.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    /// A zigzag varint.
    pub(super) const INT: u8 = 3;
    /// A varint.
    pub(super) const UINT: u8 = 4;
    /// Eight bytes, IEEE 754, big-endian.
    pub(super) const FLOAT: u8 = 5;
    /// A text.
    pub(super) const DECIMAL: u8 = 6;
    /// A text.
    pub(super) const TEXT: u8 = 7;
    /// A length and as many bytes.
    pub(super) const BYTES: u8 = 8;
    /// A zigzag varint.
    pub(super) const DATE: u8 = 9;
    /// A zigzag varint.
    pub(super) const TIME: u8 = 10;
    /// A zigzag varint.
    pub(super) const TIMESTAMP: u8 = 11;
    /// A zigzag varint.
    pub(super) const TIMESTAMP_UTC: u8 = 12;
    /// Sixteen bytes.
    pub(super) const UUID: u8 = 13;
    /// A text.
    pub(super) const JSON: u8 = 14;
    /// The number of items and their values.
    pub(super) const ARRAY: u8 = 15;
}

/// Stored rows that can not be read; for a cache this is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored rows can not be read: {reason}")]
pub struct CorruptRows {
    reason: &'static str,
}

impl CorruptRows {
    const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

pub(crate) fn encode(set: &RowSet) -> Bytes {
    let columns = set.columns();
    let mut out = Vec::with_capacity(16 + columns.len() * (16 + 12 * set.len()));
    out.push(VERSION);
    put_number(&mut out, columns.len() as u64);
    for (index, name) in columns.names().enumerate() {
        put_sized(&mut out, name.as_bytes());
        let kind = columns.declared_type(index).unwrap_or_default();
        put_sized(&mut out, kind.as_bytes());
    }
    put_number(&mut out, set.len() as u64);
    for row in set {
        out.push(ROW_MARK);
        for value in row.values() {
            put_value(&mut out, value.as_ref());
        }
    }
    out.into()
}

fn put_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => out.push(tag::NULL),
        ValueRef::Array(items) => {
            out.push(tag::ARRAY);
            put_number(out, items.iter().count() as u64);
            items.iter().for_each(|item| put_value(out, item));
        }
        ValueRef::Bool(value) => out.push(if value { tag::TRUE } else { tag::FALSE }),
        ValueRef::Int(value) => put_signed(out, tag::INT, value),
        ValueRef::UInt(value) => {
            out.push(tag::UINT);
            put_number(out, value);
        }
        ValueRef::Float(value) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&value.to_be_bytes());
        }
        ValueRef::Decimal(text) => put_text(out, tag::DECIMAL, text),
        ValueRef::Text(text) => put_text(out, tag::TEXT, text),
        ValueRef::Json(text) => put_text(out, tag::JSON, text),
        ValueRef::Bytes(bytes) => {
            out.push(tag::BYTES);
            put_sized(out, bytes);
        }
        ValueRef::Date(days) => put_signed(out, tag::DATE, days.into()),
        ValueRef::Time(micros) => put_signed(out, tag::TIME, micros),
        ValueRef::Timestamp(micros) => put_signed(out, tag::TIMESTAMP, micros),
        ValueRef::TimestampUtc(micros) => put_signed(out, tag::TIMESTAMP_UTC, micros),
        ValueRef::Uuid(bytes) => {
            out.push(tag::UUID);
            out.extend_from_slice(&bytes);
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    let (bytes, len) = varint::encode(number);
    out.extend_from_slice(&bytes[..len]);
}

fn put_signed(out: &mut Vec<u8>, tag: u8, number: i64) {
    out.push(tag);
    put_number(out, varint::zigzag(number));
}

fn put_text(out: &mut Vec<u8>, tag: u8, text: &str) {
    out.push(tag);
    put_sized(out, text.as_bytes());
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn decode(stored: &[u8]) -> Result<RowSet, CorruptRows> {
    let mut reader = Reader::open(stored)?;
    let mut set = RowSet::new(Columns::clone(&reader.columns));
    while let Some(values) = reader.next_row()? {
        set.push(values.iter().map(|&value| value.into()).collect());
    }
    Ok(set)
}

pub(crate) fn decode_to<T: DeserializeOwned>(
    stored: &[u8],
) -> Result<Result<Vec<T>, RowError>, CorruptRows> {
    let mut reader = Reader::open(stored)?;
    let columns = Arc::clone(&reader.columns);
    let mut items = Vec::new();
    let mut mismatch = None;
    // The rows after a mismatch are still read, so that damage is found wherever it is.
    while let Some(values) = reader.next_row()? {
        if mismatch.is_some() {
            continue;
        }
        match de::from_row(&columns, values.iter().copied()) {
            Ok(item) => items.push(item),
            Err(error) => mismatch = Some(error),
        }
    }
    Ok(mismatch.map_or(Ok(items), Err))
}

/// Reads one row at a time, the values borrowed from the stored bytes.
struct Reader<'a> {
    columns: Arc<Columns>,
    bytes: &'a [u8],
    rows_left: u64,
    values: Vec<ValueRef<'a>>,
}

impl<'a> Reader<'a> {
    fn open(stored: &'a [u8]) -> Result<Self, CorruptRows> {
        let mut bytes = stored;
        if take::<1>(&mut bytes)? != [VERSION] {
            return Err(CorruptRows::new("the version is not known"));
        }
        let column_count = take_count(&mut bytes, "more columns than bytes")?;
        let mut names = Vec::new();
        for _ in 0..column_count {
            let name = take_text(&mut bytes)?;
            names.push((name, take_text(&mut bytes)?));
        }
        let rows_left = take_count(&mut bytes, "more rows than bytes")?;
        Ok(Self { columns: Arc::new(Columns::new(names)), bytes, rows_left, values: Vec::new() })
    }

    fn next_row(&mut self) -> Result<Option<&[ValueRef<'a>]>, CorruptRows> {
        if self.rows_left == 0 {
            return if self.bytes.is_empty() {
                Ok(None)
            } else {
                Err(CorruptRows::new("something is left over"))
            };
        }
        self.rows_left -= 1;
        if take::<1>(&mut self.bytes)? != [ROW_MARK] {
            return Err(CorruptRows::new("a row is not where it should be"));
        }
        self.values.clear();
        for _ in 0..self.columns.len() {
            self.values.push(take_value(&mut self.bytes, DEPTH_MAX)?);
        }
        Ok(Some(&self.values))
    }
}

/// The items of a stored list that was found to be whole.
#[derive(Clone, Copy)]
pub(crate) struct StoredItems<'a> {
    bytes: &'a [u8],
    left: u64,
}

impl<'a> Iterator for StoredItems<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        // Every item was read once before.
        take_value(&mut self.bytes, DEPTH_MAX).ok()
    }
}

/// Reads the items once, so that damage is found before anybody asks for them.
fn take_list<'a>(bytes: &mut &'a [u8], depth: u8) -> Result<ValueRef<'a>, CorruptRows> {
    let depth = depth.checked_sub(1).ok_or(CorruptRows::new("lists are nested too deep"))?;
    let left = take_count(bytes, "more items than bytes")?;
    let items = StoredItems { bytes, left };
    for _ in 0..left {
        take_value(bytes, depth)?;
    }
    Ok(ValueRef::Array(ArrayRef::Stored(items)))
}

fn take_value<'a>(bytes: &mut &'a [u8], depth: u8) -> Result<ValueRef<'a>, CorruptRows> {
    let [tag] = take(bytes)?;
    Ok(match tag {
        tag::NULL => ValueRef::Null,
        tag::FALSE => ValueRef::Bool(false),
        tag::TRUE => ValueRef::Bool(true),
        tag::INT => ValueRef::Int(take_signed(bytes)?),
        tag::UINT => ValueRef::UInt(take_number(bytes)?),
        tag::FLOAT => ValueRef::Float(f64::from_be_bytes(take(bytes)?)),
        tag::DECIMAL => ValueRef::Decimal(take_text(bytes)?),
        tag::TEXT => ValueRef::Text(take_text(bytes)?),
        tag::BYTES => ValueRef::Bytes(take_sized(bytes)?),
        tag::DATE => ValueRef::Date(
            i32::try_from(take_signed(bytes)?)
                .map_err(|_| CorruptRows::new("a date is out of range"))?,
        ),
        tag::TIME => ValueRef::Time(take_signed(bytes)?),
        tag::TIMESTAMP => ValueRef::Timestamp(take_signed(bytes)?),
        tag::TIMESTAMP_UTC => ValueRef::TimestampUtc(take_signed(bytes)?),
        tag::UUID => ValueRef::Uuid(take(bytes)?),
        tag::JSON => ValueRef::Json(take_text(bytes)?),
        tag::ARRAY => return take_list(bytes, depth),
        _ => return Err(CorruptRows::new("a value's tag is not known")),
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], CorruptRows> {
    let (field, rest) = bytes.split_first_chunk::<N>().ok_or(CorruptRows::new("cut short"))?;
    *bytes = rest;
    Ok(*field)
}

fn take_number(bytes: &mut &[u8]) -> Result<u64, CorruptRows> {
    varint::decode(bytes).ok_or(CorruptRows::new("a number is cut short or too long"))
}

fn take_signed(bytes: &mut &[u8]) -> Result<i64, CorruptRows> {
    take_number(bytes).map(varint::unzigzag)
}

/// A number of things that take at least one byte each.
fn take_count(bytes: &mut &[u8], reason: &'static str) -> Result<u64, CorruptRows> {
    let count = take_number(bytes)?;
    if count > bytes.len() as u64 {
        return Err(CorruptRows::new(reason));
    }
    Ok(count)
}

fn take_sized<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], CorruptRows> {
    let len = take_number(bytes)?;
    let (field, rest) = usize::try_from(len)
        .ok()
        .and_then(|len| bytes.split_at_checked(len))
        .ok_or(CorruptRows::new("cut short"))?;
    *bytes = rest;
    Ok(field)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, CorruptRows> {
    std::str::from_utf8(take_sized(bytes)?).map_err(|_| CorruptRows::new("a text is not UTF-8"))
}

#[cfg(test)]
mod tests;
