//! Parameters, stored only as the canonical bytes that are also part of the cache key.
//!
//! Guards that equal bytes mean the same parameters: each has a tag for its type, and whatever
//! varies in length says how long it is, so that no two lists share an encoding.

use std::fmt::{self, Write as _};

use crate::{Bind, Value, buffer::Buffer, varint};

/// The bound parameters of one statement.
///
/// They live in one buffer: binding up to 55 bytes of them allocates nothing. The buffer is the
/// parameters' part of a cache key, and the driver reads the values back from it.
///
/// Two lists have the same bytes only if they have the same length, types and values: `1_i32`,
/// `1_i64`, `"1"`, `1.0` and `true` are five parameters, `-0.0` is not `0.0`, and NULL is neither
/// an empty text nor the text `NULL`. Only all kinds of not-a-number are one value, since no
/// database tells them apart.
///
/// `Debug` shows the types and never a value: parameters may be secrets.
///
/// ```
/// use larder_query::Params;
///
/// let (mut one, mut other) = (Params::new(), Params::new());
/// one.bind("ab").bind("c");
/// other.bind("a").bind("bc");
/// assert_ne!(one.as_bytes(), other.as_bytes());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    bytes: Buffer,
    len: usize,
}

/// One parameter, read back.
///
/// The widths of numbers are kept, because a database with typed parameters wants to know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Param<'a> {
    /// A boolean.
    Bool(bool),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A day, in days since 1970-01-01.
    Date(i32),
    /// An exact number in decimal notation.
    Decimal(&'a str),
    /// A single-precision number.
    F32(f32),
    /// A double-precision number.
    F64(f64),
    /// A signed integer of 16 bits.
    I16(i16),
    /// A signed integer of 32 bits.
    I32(i32),
    /// A signed integer of 64 bits.
    I64(i64),
    /// A signed integer of 8 bits.
    I8(i8),
    /// A JSON document, as text.
    Json(&'a str),
    /// NULL, with the type that the value would have had.
    Null(ParamType),
    /// A text.
    Text(&'a str),
    /// A time of day, in microseconds since midnight.
    Time(i64),
    /// A moment without a time zone, in microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// A moment in UTC, in microseconds since 1970-01-01 00:00 UTC.
    TimestampUtc(i64),
    /// An unsigned integer of 16 bits.
    U16(u16),
    /// An unsigned integer of 32 bits.
    U32(u32),
    /// An unsigned integer of 64 bits.
    U64(u64),
    /// An unsigned integer of 8 bits.
    U8(u8),
    /// A universally unique identifier.
    Uuid([u8; 16]),
}

/// The type of a parameter. The numbers are the tags of the encoding and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum ParamType {
    /// Not known: the type of [`Value::Null`].
    Unknown = 0,
    /// [`Param::Bool`]
    Bool = 1,
    /// [`Param::I8`]
    I8 = 2,
    /// [`Param::I16`]
    I16 = 3,
    /// [`Param::I32`]
    I32 = 4,
    /// [`Param::I64`]
    I64 = 5,
    /// [`Param::U8`]
    U8 = 6,
    /// [`Param::U16`]
    U16 = 7,
    /// [`Param::U32`]
    U32 = 8,
    /// [`Param::U64`]
    U64 = 9,
    /// [`Param::F32`]
    F32 = 10,
    /// [`Param::F64`]
    F64 = 11,
    /// [`Param::Decimal`]
    Decimal = 12,
    /// [`Param::Text`]
    Text = 13,
    /// [`Param::Bytes`]
    Bytes = 14,
    /// [`Param::Date`]
    Date = 15,
    /// [`Param::Time`]
    Time = 16,
    /// [`Param::Timestamp`]
    Timestamp = 17,
    /// [`Param::TimestampUtc`]
    TimestampUtc = 18,
    /// [`Param::Uuid`]
    Uuid = 19,
    /// [`Param::Json`]
    Json = 20,
}

/// The tag of NULL; the type follows it.
const TAG_NULL: u8 = 0xff;

impl ParamType {
    const ALL: [Self; 21] = [
        Self::Unknown,
        Self::Bool,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::F32,
        Self::F64,
        Self::Decimal,
        Self::Text,
        Self::Bytes,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::TimestampUtc,
        Self::Uuid,
        Self::Json,
    ];

    #[inline(always)]
    const fn tag(self) -> u8 {
        self as u8
    }

    fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.get(usize::from(tag)).copied()
    }
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next parameter.
    #[inline(always)]
    pub fn bind(&mut self, value: impl Bind) -> &mut Self {
        value.bind(Slot(self));
        self
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The canonical encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Reads the parameters back, in order.
    #[must_use]
    pub fn iter(&self) -> ParamIter<'_> {
        ParamIter { bytes: self.bytes.as_slice() }
    }

    #[inline(always)]
    fn push_fixed<const N: usize>(&mut self, kind: ParamType, payload: [u8; N]) {
        self.len += 1;
        self.bytes.append([kind.tag()], &payload);
    }

    #[inline(always)]
    fn push_sized(&mut self, kind: ParamType, payload: &[u8]) {
        self.len += 1;
        match u8::try_from(payload.len()) {
            // The only encoding of a small number is the number itself.
            Ok(len) if len < 0x80 => self.bytes.append([kind.tag(), len], payload),
            _ => self.push_long(kind, payload),
        }
    }

    #[cold]
    fn push_long(&mut self, kind: ParamType, payload: &[u8]) {
        let (len, len_bytes) = varint::encode(payload.len() as u64);
        self.bytes.append([kind.tag()], &len[..len_bytes]);
        self.bytes.append([], payload);
    }

    /// Writes a text whose length is known only afterwards, without a buffer in between.
    fn push_displayed(&mut self, kind: ParamType, text: &dyn fmt::Display) {
        self.len += 1;
        self.bytes.append([kind.tag()], &[]);
        let start = self.bytes.as_slice().len();
        // Writing into memory does not fail. A `Display` that reports an error nevertheless has
        // written what it could, and that is what is bound.
        let _ = write!(self.bytes, "{text}");
        let (len, len_bytes) = varint::encode((self.bytes.as_slice().len() - start) as u64);
        self.bytes.insert(start, &len[..len_bytes]);
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.iter().map(|param| param.param_type())).finish()
    }
}

impl<'a> IntoIterator for &'a Params {
    type IntoIter = ParamIter<'a>;
    type Item = Param<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

/// The place of the next parameter; putting a value there uses it up, so that each value that is
/// bound takes exactly one place.
#[derive(Debug)]
pub struct Slot<'a>(&'a mut Params);

impl Slot<'_> {
    /// Binds one parameter.
    #[inline(always)]
    pub fn put(self, param: Param<'_>) {
        let Self(params) = self;
        let kind = param.param_type();
        match param {
            Param::Bool(value) => params.push_fixed(kind, [u8::from(value)]),
            Param::I8(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::I16(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::I32(value) | Param::Date(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::I64(value)
            | Param::Time(value)
            | Param::Timestamp(value)
            | Param::TimestampUtc(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::U8(value) => params.push_fixed(kind, [value]),
            Param::U16(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::U32(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::U64(value) => params.push_fixed(kind, value.to_be_bytes()),
            Param::F32(value) => {
                let canonical = if value.is_nan() { f32::NAN } else { value };
                params.push_fixed(kind, canonical.to_bits().to_be_bytes());
            }
            Param::F64(value) => {
                let canonical = if value.is_nan() { f64::NAN } else { value };
                params.push_fixed(kind, canonical.to_bits().to_be_bytes());
            }
            Param::Decimal(text) | Param::Text(text) | Param::Json(text) => {
                params.push_sized(kind, text.as_bytes());
            }
            Param::Bytes(bytes) => params.push_sized(kind, bytes),
            Param::Uuid(bytes) => params.push_fixed(kind, bytes),
            Param::Null(kind) => {
                params.len += 1;
                params.bytes.append([TAG_NULL, kind.tag()], &[]);
            }
        }
    }

    /// Binds NULL of the given type.
    pub fn null(self, kind: ParamType) {
        self.put(Param::Null(kind));
    }

    /// Binds an exact number by its text, which is written in place.
    pub fn decimal(self, number: &dyn fmt::Display) {
        self.0.push_displayed(ParamType::Decimal, number);
    }

    /// Binds a JSON document by its text, which is written in place.
    pub fn json(self, document: &dyn fmt::Display) {
        self.0.push_displayed(ParamType::Json, document);
    }
}

impl<'a> Param<'a> {
    /// The parameter's type; for NULL, the type that the value would have had.
    #[must_use]
    #[inline(always)]
    pub const fn param_type(self) -> ParamType {
        match self {
            Self::Bool(_) => ParamType::Bool,
            Self::Bytes(_) => ParamType::Bytes,
            Self::Date(_) => ParamType::Date,
            Self::Decimal(_) => ParamType::Decimal,
            Self::F32(_) => ParamType::F32,
            Self::F64(_) => ParamType::F64,
            Self::I16(_) => ParamType::I16,
            Self::I32(_) => ParamType::I32,
            Self::I64(_) => ParamType::I64,
            Self::I8(_) => ParamType::I8,
            Self::Json(_) => ParamType::Json,
            Self::Null(kind) => kind,
            Self::Text(_) => ParamType::Text,
            Self::Time(_) => ParamType::Time,
            Self::Timestamp(_) => ParamType::Timestamp,
            Self::TimestampUtc(_) => ParamType::TimestampUtc,
            Self::U16(_) => ParamType::U16,
            Self::U32(_) => ParamType::U32,
            Self::U64(_) => ParamType::U64,
            Self::U8(_) => ParamType::U8,
            Self::Uuid(_) => ParamType::Uuid,
        }
    }

    /// The parameter as a value of a row. Widths are lost: every signed integer is
    /// [`Value::Int`], every unsigned one [`Value::UInt`], and every NULL is the same.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Self::Date(days) => Value::Date(days),
            Self::Decimal(text) => Value::Decimal(text.to_owned()),
            Self::F32(value) => Value::Float(value.into()),
            Self::F64(value) => Value::Float(value),
            Self::I16(value) => Value::Int(value.into()),
            Self::I32(value) => Value::Int(value.into()),
            Self::I64(value) => Value::Int(value),
            Self::I8(value) => Value::Int(value.into()),
            Self::Json(text) => Value::Json(text.to_owned()),
            Self::Null(_) => Value::Null,
            Self::Text(text) => Value::Text(text.to_owned()),
            Self::Time(micros) => Value::Time(micros),
            Self::Timestamp(micros) => Value::Timestamp(micros),
            Self::TimestampUtc(micros) => Value::TimestampUtc(micros),
            Self::U16(value) => Value::UInt(value.into()),
            Self::U32(value) => Value::UInt(value.into()),
            Self::U64(value) => Value::UInt(value),
            Self::U8(value) => Value::UInt(value.into()),
            Self::Uuid(bytes) => Value::Uuid(bytes),
        }
    }

    /// Takes one parameter off the front of an encoding; `None` at its end.
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let [tag] = take(bytes)?;
        if tag == TAG_NULL {
            let [kind] = take(bytes)?;
            return ParamType::from_tag(kind).map(Self::Null);
        }
        Some(match ParamType::from_tag(tag)? {
            ParamType::Unknown => return None,
            ParamType::Bool => Self::Bool(take(bytes)? == [1]),
            ParamType::I8 => Self::I8(i8::from_be_bytes(take(bytes)?)),
            ParamType::I16 => Self::I16(i16::from_be_bytes(take(bytes)?)),
            ParamType::I32 => Self::I32(i32::from_be_bytes(take(bytes)?)),
            ParamType::I64 => Self::I64(i64::from_be_bytes(take(bytes)?)),
            ParamType::U8 => Self::U8(u8::from_be_bytes(take(bytes)?)),
            ParamType::U16 => Self::U16(u16::from_be_bytes(take(bytes)?)),
            ParamType::U32 => Self::U32(u32::from_be_bytes(take(bytes)?)),
            ParamType::U64 => Self::U64(u64::from_be_bytes(take(bytes)?)),
            ParamType::F32 => Self::F32(f32::from_be_bytes(take(bytes)?)),
            ParamType::F64 => Self::F64(f64::from_be_bytes(take(bytes)?)),
            ParamType::Decimal => Self::Decimal(take_text(bytes)?),
            ParamType::Text => Self::Text(take_text(bytes)?),
            ParamType::Bytes => Self::Bytes(take_sized(bytes)?),
            ParamType::Date => Self::Date(i32::from_be_bytes(take(bytes)?)),
            ParamType::Time => Self::Time(i64::from_be_bytes(take(bytes)?)),
            ParamType::Timestamp => Self::Timestamp(i64::from_be_bytes(take(bytes)?)),
            ParamType::TimestampUtc => Self::TimestampUtc(i64::from_be_bytes(take(bytes)?)),
            ParamType::Uuid => Self::Uuid(take(bytes)?),
            ParamType::Json => Self::Json(take_text(bytes)?),
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (field, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*field)
}

fn take_sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint::decode(bytes)?).ok()?;
    let (payload, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(payload)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_sized(bytes)?).ok()
}

/// The parameters of [`Params::iter`].
#[derive(Clone, Debug)]
pub struct ParamIter<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        Param::decode(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests;
