//! Parameters, stored only as the canonical bytes that are also part of the cache key.
//!
//! Guards that equal bytes mean the same parameters: each has a tag for its type, whatever varies
//! in length says how long it is, and what fills up a word is zero, so that no two lists share an
//! encoding.
//!
//! # Format
//! Tags and words of values are grouped as [`Buffer`] does it. A number is one word, a UUID two,
//! a NULL none: its type is part of its tag. A text or byte string of up to seven bytes is one
//! word, its length first; a longer one is a word with [`LONG`] and its length, and its bytes. A
//! list is like a byte string: a word with the tag of its items' type, and the items as parameters.

use std::fmt::{self, Write as _};

use smallvec::SmallVec;

use crate::{
    Bind, Value,
    buffer::{Buffer, GROUP, Word},
};

/// The bound parameters of one statement.
///
/// They live in one buffer: binding up to eight of them, in up to eight words of eight bytes,
/// allocates nothing. A number or a text of up to seven bytes is one word. The buffer is the
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
    buffer: Buffer,
}

/// One parameter, read back.
///
/// The widths of numbers are kept, because a database with typed parameters wants to know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Param<'a> {
    /// A list, for the databases that have arrays.
    Array(ParamList<'a>),
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
    /// [`Param::Array`]
    Array = 21,
}

/// Marks the tag of a NULL's type.
const NULL: u8 = 0x80;

/// In the place of a short length: the length is in the rest of the word, the lowest byte first.
const LONG: u8 = 8;

impl ParamType {
    const ALL: [Self; 22] = [
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
        Self::Array,
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
        self.buffer.count()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The canonical encoding.
    #[must_use]
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.as_slice()
    }

    /// Reads the parameters back, in order.
    #[must_use]
    pub fn iter(&self) -> ParamIter<'_> {
        ParamIter::new(self.as_bytes())
    }

    #[inline(always)]
    fn push_number(&mut self, kind: ParamType, number: u64) {
        self.buffer.push(kind.tag(), [number.to_le_bytes()]);
    }

    #[inline(always)]
    fn push_sized(&mut self, kind: ParamType, payload: &[u8]) {
        // The lengths of up to seven bytes are less than `LONG`.
        match short(payload) {
            Some(word) => {
                self.buffer.push(kind.tag(), [(word << 8 | payload.len() as u64).to_le_bytes()]);
            }
            None => {
                let len = (payload.len() as u64) << 8 | u64::from(LONG);
                self.buffer.push_long(kind.tag(), len.to_le_bytes(), payload);
            }
        }
    }

    /// Writes a list from the encoding of its items.
    fn push_list(&mut self, element: ParamType, items: &[u8]) {
        let mut payload = Vec::with_capacity(size_of::<Word>() + items.len());
        payload.extend_from_slice(&u64::from(element.tag()).to_le_bytes());
        payload.extend_from_slice(items);
        self.push_sized(ParamType::Array, &payload);
    }

    /// Writes a text whose length is known only afterwards.
    fn push_displayed(&mut self, kind: ParamType, text: &dyn fmt::Display) {
        let mut written = Written::default();
        // Writing into memory does not fail. A `Display` that reports an error nevertheless has
        // written what it could, and that is what is bound.
        let _ = write!(written, "{text}");
        self.push_sized(kind, &written.0);
    }
}

/// Up to seven bytes as one number, the first byte lowest; `None` for more.
///
/// Without a loop or a copy of variable length, so that it costs a few instructions.
#[inline(always)]
fn short(bytes: &[u8]) -> Option<u64> {
    let len = bytes.len();
    Some(match (bytes.first_chunk(), bytes.last_chunk()) {
        // Two overlapping halves; where they overlap, they agree.
        (Some(low), Some(high)) if len < usize::from(LONG) => {
            let high = u64::from(u32::from_le_bytes(*high)) << (8 * (len - 4));
            u64::from(u32::from_le_bytes(*low)) | high
        }
        (Some(_), Some(_)) => return None,
        _ => match *bytes {
            [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
            [a, b] => u64::from_le_bytes([a, b, 0, 0, 0, 0, 0, 0]),
            [a] => u64::from(a),
            _ => 0,
        },
    })
}

/// A text that is written piece by piece.
#[derive(Default)]
struct Written(SmallVec<[u8; 64]>);

impl fmt::Write for Written {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
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
            Param::Array(list) => params.push_list(list.element, list.items),
            Param::Bool(value) => params.push_number(kind, value.into()),
            Param::I8(value) => params.push_number(kind, value.cast_unsigned().into()),
            Param::I16(value) => params.push_number(kind, value.cast_unsigned().into()),
            Param::I32(value) | Param::Date(value) => {
                params.push_number(kind, value.cast_unsigned().into());
            }
            Param::I64(value)
            | Param::Time(value)
            | Param::Timestamp(value)
            | Param::TimestampUtc(value) => params.push_number(kind, value.cast_unsigned()),
            Param::U8(value) => params.push_number(kind, value.into()),
            Param::U16(value) => params.push_number(kind, value.into()),
            Param::U32(value) => params.push_number(kind, value.into()),
            Param::U64(value) => params.push_number(kind, value),
            Param::F32(value) => {
                let canonical = if value.is_nan() { f32::NAN } else { value };
                params.push_number(kind, canonical.to_bits().into());
            }
            Param::F64(value) => {
                let canonical = if value.is_nan() { f64::NAN } else { value };
                params.push_number(kind, canonical.to_bits());
            }
            Param::Decimal(text) | Param::Text(text) | Param::Json(text) => {
                params.push_sized(kind, text.as_bytes());
            }
            Param::Bytes(bytes) => params.push_sized(kind, bytes),
            Param::Uuid([a, b, c, d, e, f, g, h, rest @ ..]) => {
                params.buffer.push(kind.tag(), [[a, b, c, d, e, f, g, h], rest]);
            }
            Param::Null(kind) => params.buffer.push(NULL | kind.tag(), []),
        }
    }

    /// Binds NULL of the given type.
    pub fn null(self, kind: ParamType) {
        self.put(Param::Null(kind));
    }

    /// Binds a list of items as one parameter.
    pub fn list<T: Bind>(self, items: &[T]) {
        let mut list = Params::new();
        for item in items {
            list.bind(item);
        }
        self.0.push_list(T::TYPE, list.as_bytes());
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
            Self::Array(_) => ParamType::Array,
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
            Self::Array(list) => Value::Array(list.iter().map(Param::to_value).collect()),
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

    /// Reads one parameter: its tag, and its value off the front of the words; `None` if that is
    /// not an encoding.
    fn decode(tag: u8, words: &mut &'a [u8]) -> Option<Self> {
        if tag & NULL != 0 {
            return ParamType::from_tag(tag & !NULL).map(Self::Null);
        }
        Some(match ParamType::from_tag(tag)? {
            ParamType::Unknown => return None,
            ParamType::Bool => Self::Bool(take::<1>(words)? == [1]),
            ParamType::I8 => Self::I8(i8::from_le_bytes(take(words)?)),
            ParamType::I16 => Self::I16(i16::from_le_bytes(take(words)?)),
            ParamType::I32 => Self::I32(i32::from_le_bytes(take(words)?)),
            ParamType::I64 => Self::I64(i64::from_le_bytes(take(words)?)),
            ParamType::U8 => Self::U8(u8::from_le_bytes(take(words)?)),
            ParamType::U16 => Self::U16(u16::from_le_bytes(take(words)?)),
            ParamType::U32 => Self::U32(u32::from_le_bytes(take(words)?)),
            ParamType::U64 => Self::U64(u64::from_le_bytes(take(words)?)),
            ParamType::F32 => Self::F32(f32::from_le_bytes(take(words)?)),
            ParamType::F64 => Self::F64(f64::from_le_bytes(take(words)?)),
            ParamType::Decimal => Self::Decimal(take_text(words)?),
            ParamType::Text => Self::Text(take_text(words)?),
            ParamType::Bytes => Self::Bytes(take_sized(words)?),
            ParamType::Date => Self::Date(i32::from_le_bytes(take(words)?)),
            ParamType::Time => Self::Time(i64::from_le_bytes(take(words)?)),
            ParamType::Timestamp => Self::Timestamp(i64::from_le_bytes(take(words)?)),
            ParamType::TimestampUtc => Self::TimestampUtc(i64::from_le_bytes(take(words)?)),
            ParamType::Uuid => Self::Uuid(take(words)?),
            ParamType::Json => Self::Json(take_text(words)?),
            ParamType::Array => Self::Array(ParamList::decode(take_sized(words)?)?),
        })
    }
}

/// The items of a list that is bound as one parameter.
#[derive(Clone, Copy, PartialEq)]
pub struct ParamList<'a> {
    element: ParamType,
    /// The items, encoded as parameters of their own.
    items: &'a [u8],
}

impl<'a> ParamList<'a> {
    /// The type that the items were bound with; it is known also for an empty list.
    #[must_use]
    pub const fn element(self) -> ParamType {
        self.element
    }

    /// Reads the items, in order.
    #[must_use]
    pub const fn iter(self) -> ParamIter<'a> {
        ParamIter::new(self.items)
    }

    fn decode(payload: &'a [u8]) -> Option<Self> {
        let (element, items) = payload.split_first_chunk::<8>()?;
        let tag = u8::try_from(u64::from_le_bytes(*element)).ok()?;
        Some(Self { element: ParamType::from_tag(tag)?, items })
    }
}

impl<'a> IntoIterator for ParamList<'a> {
    type IntoIter = ParamIter<'a>;
    type Item = Param<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for ParamList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Takes bytes, and what fills up their last word.
fn take_slice<'a>(words: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (padded, rest) =
        words.split_at_checked(len.checked_next_multiple_of(size_of::<Word>())?)?;
    *words = rest;
    padded.get(..len)
}

fn take<const N: usize>(words: &mut &[u8]) -> Option<[u8; N]> {
    take_slice(words, N)?.try_into().ok()
}

fn take_sized<'a>(words: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, payload) = take_slice(words, size_of::<Word>())?.split_first()?;
    if *len < LONG {
        return payload.get(..usize::from(*len));
    }
    let [a, b, c, d, e, f, g] = *payload else {
        return None;
    };
    let len = u64::from_le_bytes([a, b, c, d, e, f, g, 0]);
    take_slice(words, usize::try_from(len).ok()?)
}

fn take_text<'a>(words: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take_sized(words)?).ok()
}

/// The parameters of [`Params::iter`].
#[derive(Clone, Debug)]
pub struct ParamIter<'a> {
    /// What is left of the group's tags.
    tags: &'a [u8],
    words: &'a [u8],
}

impl<'a> ParamIter<'a> {
    const fn new(words: &'a [u8]) -> Self {
        Self { tags: &[], words }
    }
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        if self.tags.is_empty() {
            (self.tags, self.words) = self.words.split_at_checked(GROUP)?;
        }
        let (tag, tags) = self.tags.split_first()?;
        // A tag of zero is none, and none follows it.
        let param = Param::decode(*tag, &mut self.words)?;
        self.tags = tags;
        Some(param)
    }
}

#[cfg(test)]
mod tests;
