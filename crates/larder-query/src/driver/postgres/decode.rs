//! From the binary form of a value to ours.
//!
//! Guards that every digit and every NULL survives, and that bytes of another form than expected
//! are an error and never a panic.

use super::{kind::Kind, numeric, reader::Reader, text};
use crate::Value;

/// A value is not of the form that its type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent a value in a form that is not known")]
pub(super) struct Malformed;

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Arrays have up to six dimensions; what is nested deeper is no array.
const DIMENSIONS_MAX: usize = 6;
/// How deep arrays and records may be nested in each other.
const DEPTH_MAX: u8 = 16;

/// What becomes of a value that only the server understands: its type's number, and its bytes.
pub(super) type Unknown<'a> = dyn FnMut(u32, &[u8]) -> Result<Value, Malformed> + 'a;

/// Reads one value that is not NULL.
pub(super) fn decode(
    kind: &Kind,
    bytes: &[u8],
    unknown: &mut Unknown<'_>,
) -> Result<Value, Malformed> {
    Decoder { unknown, depth: DEPTH_MAX }.value(kind, bytes)
}

/// Whether reading a value of this kind may need the server.
pub(super) fn needs_server(kind: &Kind) -> bool {
    match kind {
        Kind::Array(item, _) => needs_server(item),
        // Its columns may be of any type.
        Kind::Other(_) | Kind::Record => true,
        _ => false,
    }
}

struct Decoder<'u, 'a> {
    unknown: &'u mut Unknown<'a>,
    depth: u8,
}

impl Decoder<'_, '_> {
    fn value(&mut self, kind: &Kind, bytes: &[u8]) -> Result<Value, Malformed> {
        let mut reader = Reader(bytes);
        let value = match kind {
            Kind::Array(item, _) => return self.nested(|this| this.array(item, bytes)),
            Kind::Record => return self.nested(|this| this.record(bytes)),
            Kind::Other(oid) => return (self.unknown)(*oid, bytes),
            // Of a database in SQL_ASCII, whose texts may be anything.
            Kind::Text => return Ok(text_or_bytes(bytes)),
            Kind::Char => return Ok(text_or_bytes(bytes.strip_suffix(b"\0").unwrap_or(bytes))),
            Kind::Bytes => return Ok(Value::Bytes(bytes.to_vec())),
            Kind::Json => return utf8(bytes).map(Value::Json),
            Kind::Jsonb => {
                return match bytes {
                    [1, text @ ..] => utf8(text).map(Value::Json),
                    _ => Err(Malformed),
                };
            }
            Kind::Bit => return text::bits(bytes).map(Value::Text),
            Kind::Cidr | Kind::Inet => return text::inet(bytes).map(Value::Text),
            Kind::Mac => return text::mac(bytes).map(Value::Text),
            Kind::Numeric => return numeric::decode(bytes).map(Value::Decimal),
            Kind::Void => return Ok(Value::Null),
            Kind::Bool => Value::Bool(reader.u8()? != 0),
            Kind::Int2 => Value::Int(reader.i16()?.into()),
            Kind::Int4 => Value::Int(reader.i32()?.into()),
            Kind::Int8 => Value::Int(reader.i64()?),
            Kind::Oid => Value::Int(reader.u32()?.into()),
            Kind::Xid8 => match reader.i64()? {
                number @ 0.. => Value::Int(number),
                beyond => Value::UInt(beyond.cast_unsigned()),
            },
            Kind::Float4 => Value::Float(f32::from_be_bytes(reader.take()?).into()),
            Kind::Float8 => Value::Float(f64::from_be_bytes(reader.take()?)),
            Kind::Date => date(reader.i32()?),
            Kind::Time => Value::Time(reader.i64()?),
            Kind::TimeTz => Value::Text(text::time_tz(reader.i64()?, reader.i32()?)),
            Kind::Timestamp => timestamp(reader.i64()?, "", Value::Timestamp),
            Kind::TimestampTz => timestamp(reader.i64()?, "Z", Value::TimestampUtc),
            Kind::Interval => {
                let (micros, days) = (reader.i64()?, reader.i32()?);
                Value::Text(text::interval(micros, days, reader.i32()?))
            }
            Kind::Uuid => Value::Uuid(reader.take()?),
        };
        reader.end()?;
        Ok(value)
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        let value = read(self);
        self.depth += 1;
        value
    }

    fn item(&mut self, kind: &Kind, bytes: Option<&[u8]>) -> Result<Value, Malformed> {
        bytes.map_or(Ok(Value::Null), |bytes| self.value(kind, bytes))
    }

    /// The number of dimensions, whether there are NULLs, the items' type; of each dimension the
    /// length and the first index; then the items.
    fn array(&mut self, item: &Kind, bytes: &[u8]) -> Result<Value, Malformed> {
        let mut reader = Reader(bytes);
        let dimensions = usize::try_from(reader.i32()?).map_err(|_| Malformed)?;
        if dimensions > DIMENSIONS_MAX {
            return Err(Malformed);
        }
        let (_nulls, _oid) = (reader.i32()?, reader.u32()?);
        let mut lengths = Vec::with_capacity(dimensions);
        for _ in 0..dimensions {
            lengths.push(usize::try_from(reader.i32()?).map_err(|_| Malformed)?);
            let _first_index = reader.i32()?;
        }
        let list = self.dimension(item, &lengths, &mut reader)?;
        reader.end()?;
        Ok(list)
    }

    fn dimension(
        &mut self,
        item: &Kind,
        lengths: &[usize],
        reader: &mut Reader<'_>,
    ) -> Result<Value, Malformed> {
        let Some((&len, inner)) = lengths.split_first() else {
            return Ok(Value::Array(Vec::new()));
        };
        let mut list = Vec::new();
        for _ in 0..len {
            list.push(if inner.is_empty() {
                let bytes = reader.sized()?;
                self.item(item, bytes)?
            } else {
                self.dimension(item, inner, reader)?
            });
        }
        Ok(Value::Array(list))
    }

    /// How many columns; of each the type and the value.
    fn record(&mut self, bytes: &[u8]) -> Result<Value, Malformed> {
        let mut reader = Reader(bytes);
        let mut list = Vec::new();
        for _ in 0..reader.i32()? {
            let kind = Kind::of_oid(reader.u32()?);
            let bytes = reader.sized()?;
            list.push(self.item(&kind, bytes)?);
        }
        reader.end()?;
        Ok(Value::Array(list))
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

fn text_or_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_not_text) => Value::Bytes(bytes.to_vec()),
    }
}

/// A day without end has no number of ours; it is the text that PostgreSQL writes for it.
fn date(days: i32) -> Value {
    match days {
        i32::MAX => Value::Text("infinity".to_owned()),
        i32::MIN => Value::Text("-infinity".to_owned()),
        // The last day is in the year 5874897, which leaves room.
        days => Value::Date(days.saturating_add(EPOCH_DAYS)),
    }
}

/// The last years of PostgreSQL's calendar are beyond what 64 bits hold from 1970 on.
fn timestamp(micros: i64, suffix: &'static str, value: impl FnOnce(i64) -> Value) -> Value {
    match micros {
        i64::MAX => Value::Text("infinity".to_owned()),
        i64::MIN => Value::Text("-infinity".to_owned()),
        micros => match micros.checked_add(EPOCH_MICROS) {
            Some(micros) => value(micros),
            None => Value::Text(text::far_timestamp(micros, suffix)),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(oid: u32, bytes: &[u8]) -> Result<Value, Malformed> {
        decode(&Kind::of_oid(oid), bytes, &mut |oid, _| Ok(Value::Int(oid.into())))
    }

    fn array(words: &[i32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn arrays_nest_and_keep_nulls() {
        let empty = array(&[0, 0, 23]);
        assert_eq!(read(1007, &empty), Ok(Value::Array(vec![])));
        let one = array(&[1, 1, 23, 2, 1, 4, 7, -1]);
        let seven = Value::Int(7);
        assert_eq!(read(1007, &one), Ok(Value::Array(vec![seven.clone(), Value::Null])));
        let two = array(&[2, 0, 23, 2, 1, 1, -3, 4, 7, 4, 8]);
        let rows = [vec![seven], vec![Value::Int(8)]].map(Value::Array);
        assert_eq!(read(1007, &two), Ok(Value::Array(rows.into())));
    }

    #[test]
    fn arrays_that_lie_about_their_size_are_refused() {
        for words in [
            &[1, 0, 23, i32::MAX, 1][..],
            &[1, 0, 23, -1, 1],
            &[7, 0, 23, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 7],
            &[-1, 0, 23],
            &[1, 0, 23, 1, 1, -2],
            &[1, 0, 23, 1, 1, 4, 7, 8],
        ] {
            assert_eq!(read(1007, &array(words)), Err(Malformed), "{words:?}");
        }
    }

    #[test]
    fn records_carry_their_types() {
        let bytes = array(&[2, 23, 4, 7, 790, -1]);
        assert_eq!(read(2249, &bytes), Ok(Value::Array(vec![Value::Int(7), Value::Null])));
        let unknown = array(&[1, 790, 4, 0]);
        assert_eq!(read(2249, &unknown), Ok(Value::Array(vec![Value::Int(790)])));
    }

    #[test]
    fn what_has_no_end_is_a_text() {
        assert_eq!(read(1082, &i32::MAX.to_be_bytes()), Ok(Value::Text("infinity".into())));
        assert_eq!(read(1114, &i64::MIN.to_be_bytes()), Ok(Value::Text("-infinity".into())));
        assert_eq!(read(1082, &0_i32.to_be_bytes()), Ok(Value::Date(10_957)));
        let last = 9_223_371_331_199_999_999_i64;
        let text = Value::Text("+294276-12-31T23:59:59.999999Z".into());
        assert_eq!(read(1184, &last.to_be_bytes()), Ok(text));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(index in 0_u32..4_000, bytes: Vec<u8>) {
            let _ = read(index, &bytes);
        }
    }
}
