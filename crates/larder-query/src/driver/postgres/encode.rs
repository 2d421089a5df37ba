//! Parameters in the binary form of the types that the server wants.
//!
//! Guards that what does not fit is an error instead of another value.

use super::{
    decode::{EPOCH_DAYS, EPOCH_MICROS},
    kind::Kind,
    numeric,
};
use crate::{Param, ParamList, ParamType};

/// Why a parameter can not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) &'static str);

/// How a parameter reaches the type that the server inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fit {
    /// It has a binary form of that type.
    Direct,
    /// As a text, which the server reads: only it knows every spelling.
    Text,
    /// As a list of texts, likewise.
    Texts,
    /// As a value of its own type, of which the server makes what it wants or refuses it.
    Own(ParamType),
    /// As a list of values of their own type, likewise.
    OwnList(ParamType),
}

/// How a parameter fits the type that the server inferred for it.
pub(super) fn fit(param: Param<'_>, kind: &Kind) -> Fit {
    match (param, kind) {
        (Param::Null(_), _) => Fit::Direct,
        (Param::Array(list), Kind::Array(item, _)) => fit_list(list, item),
        (Param::Text(text), Kind::Uuid) if uuid(text).is_some() => Fit::Direct,
        (Param::Text(_), Kind::Json | Kind::Jsonb | Kind::Text) => Fit::Direct,
        (Param::Text(_), _) => Fit::Text,
        (param, kind) if is_direct(param, kind) => Fit::Direct,
        (param, _) => own(param),
    }
}

/// A parameter as a value of its own type.
pub(super) fn own(param: Param<'_>) -> Fit {
    match param {
        Param::Array(list) => own_list(list),
        param => Fit::Own(param.param_type()),
    }
}

fn is_direct(param: Param<'_>, kind: &Kind) -> bool {
    let is_integer =
        || matches!(kind, Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid | Kind::Xid8);
    match param {
        Param::Bool(_) => *kind == Kind::Bool,
        Param::F32(_) => matches!(kind, Kind::Float4 | Kind::Float8 | Kind::Numeric),
        // Nothing is rounded here: the column may have become a wider one since the server said
        // that it is narrow.
        Param::F64(value) if *kind == Kind::Float4 => narrow(value).is_some(),
        Param::F64(_) => matches!(kind, Kind::Float8 | Kind::Numeric),
        Param::Decimal(_) => is_integer() || *kind == Kind::Numeric,
        Param::Json(_) => matches!(kind, Kind::Json | Kind::Jsonb | Kind::Text),
        Param::Bytes(_) => *kind == Kind::Bytes,
        Param::Date(_) => matches!(kind, Kind::Date | Kind::Timestamp),
        Param::Time(_) => *kind == Kind::Time,
        Param::Timestamp(_) => *kind == Kind::Timestamp,
        Param::TimestampUtc(_) => *kind == Kind::TimestampTz,
        Param::Uuid(_) => *kind == Kind::Uuid,
        // Not floats: of several functions of one name, the server prefers the one for those.
        _ => integer(param).is_some() && (is_integer() || *kind == Kind::Numeric),
    }
}

fn fit_list(list: ParamList<'_>, item: &Kind) -> Fit {
    let mut all = Fit::Direct;
    for param in list {
        let one = match param {
            Param::Array(inner) => fit_list(inner, item),
            other => fit(other, item),
        };
        match one {
            Fit::Direct => {}
            Fit::Text | Fit::Texts => all = Fit::Texts,
            Fit::Own(_) | Fit::OwnList(_) => return own_list(list),
        }
    }
    all
}

/// A list of its own type, which is that of its items.
fn own_list(list: ParamList<'_>) -> Fit {
    let mut element = list.element();
    let mut list = list;
    while let ParamType::Array | ParamType::Unknown = element {
        match list.iter().find(|item| !matches!(item, Param::Null(_))) {
            Some(Param::Array(inner)) => (element, list) = (inner.element(), inner),
            Some(item) => element = item.param_type(),
            None => element = ParamType::Text,
        }
    }
    Fit::OwnList(element)
}

/// The name of the type that a parameter has by itself.
pub(super) const fn own_type(kind: ParamType) -> &'static str {
    match kind {
        ParamType::Bool => "bool",
        ParamType::I8 | ParamType::I16 | ParamType::U8 => "int2",
        ParamType::I32 | ParamType::U16 => "int4",
        ParamType::I64 | ParamType::U32 => "int8",
        ParamType::U64 | ParamType::Decimal => "numeric",
        ParamType::F32 => "float4",
        ParamType::F64 => "float8",
        ParamType::Bytes => "bytea",
        ParamType::Date => "date",
        ParamType::Time => "time",
        ParamType::Timestamp => "timestamp",
        ParamType::TimestampUtc => "timestamptz",
        ParamType::Uuid => "uuid",
        ParamType::Json => "jsonb",
        ParamType::Array | ParamType::Text | ParamType::Unknown => "text",
    }
}

/// Writes a parameter. `false` for NULL, which has no bytes.
pub(super) fn encode(param: Param<'_>, kind: &Kind, out: &mut Vec<u8>) -> Result<bool, Refused> {
    match param {
        Param::Null(_) => return Ok(false),
        Param::Array(list) => array(list, kind, out)?,
        Param::Json(text) | Param::Text(text) => string(text, kind, out)?,
        // In a list of which some items are texts, the others are too.
        Param::Bytes(_) if *kind == Kind::Text => {
            out.extend_from_slice(b"\\x");
            out.extend_from_slice(param.to_value().to_string().as_bytes());
        }
        _ if *kind == Kind::Text => string(&param.to_value().to_string(), kind, out)?,
        Param::Bool(value) => out.push(value.into()),
        Param::Bytes(bytes) => out.extend_from_slice(bytes),
        Param::Date(days) => date(days, kind, out)?,
        Param::Decimal(text) => decimal(text, kind, out)?,
        Param::F32(value) => float32(value, kind, out)?,
        Param::F64(value) => float64(value, kind, out)?,
        Param::Time(micros) => {
            if !(0..=86_400_000_000).contains(&micros) {
                return Err(Refused("PostgreSQL's times are within one day"));
            }
            out.extend(micros.to_be_bytes());
        }
        Param::Timestamp(micros) | Param::TimestampUtc(micros) => {
            out.extend(timestamp(micros)?.to_be_bytes());
        }
        Param::Uuid(bytes) => out.extend(bytes),
        // What is left are integers, and NULL, which is above.
        _ => integers(integer(param).unwrap_or_default(), kind, out)?,
    }
    Ok(true)
}

fn integer(param: Param<'_>) -> Option<i128> {
    Some(match param {
        Param::I8(value) => value.into(),
        Param::I16(value) => value.into(),
        Param::I32(value) => value.into(),
        Param::I64(value) => value.into(),
        Param::U8(value) => value.into(),
        Param::U16(value) => value.into(),
        Param::U32(value) => value.into(),
        Param::U64(value) => value.into(),
        _ => return None,
    })
}

fn integers(value: i128, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    let refused = |_| Refused("it is out of the range of the parameter's type");
    match kind {
        Kind::Int2 => out.extend(i16::try_from(value).map_err(refused)?.to_be_bytes()),
        Kind::Int4 => out.extend(i32::try_from(value).map_err(refused)?.to_be_bytes()),
        Kind::Int8 => out.extend(i64::try_from(value).map_err(refused)?.to_be_bytes()),
        Kind::Oid => out.extend(u32::try_from(value).map_err(refused)?.to_be_bytes()),
        Kind::Xid8 => out.extend(u64::try_from(value).map_err(refused)?.to_be_bytes()),
        Kind::Numeric => decimal(&value.to_string(), kind, out)?,
        _ => return Err(Refused("the parameter's type is no number")),
    }
    Ok(())
}

fn float32(value: f32, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    match kind {
        Kind::Float4 => out.extend(value.to_be_bytes()),
        Kind::Float8 => out.extend(f64::from(value).to_be_bytes()),
        _ => decimal(&decimal_text(value), kind, out)?,
    }
    Ok(())
}

fn float64(value: f64, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    match kind {
        Kind::Float4 => {
            let narrow = narrow(value);
            let refused = Refused("it has too many digits for the parameter's type");
            out.extend(narrow.ok_or(refused)?.to_be_bytes());
        }
        Kind::Float8 => out.extend(value.to_be_bytes()),
        _ => decimal(&decimal_text(value), kind, out)?,
    }
    Ok(())
}

/// The same number in single precision, if there is one.
fn narrow(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "checked afterwards")]
    let narrow = value as f32;
    (f64::from(narrow).to_bits() == value.to_bits() || value.is_nan()).then_some(narrow)
}

/// The shortest digits that read back as the same number, without an exponent.
fn decimal_text(value: impl std::fmt::Display) -> String {
    match value.to_string().as_str() {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

fn decimal(text: &str, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    match kind {
        Kind::Numeric => numeric::encode(text, out)
            .ok_or(Refused("it is no decimal number, or it has too many digits")),
        _ => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let value = whole.parse().ok().filter(|_| fraction.bytes().all(|byte| byte == b'0'));
            integers(value.ok_or(Refused("it is no whole number"))?, kind, out)
        }
    }
}

fn date(days: i32, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    let days_since_2000 = i64::from(days) - i64::from(EPOCH_DAYS);
    if *kind == Kind::Timestamp {
        let micros = days_since_2000.checked_mul(86_400_000_000).ok_or(OUT_OF_CALENDAR)?;
        out.extend(micros.to_be_bytes());
        return Ok(());
    }
    let days = i32::try_from(days_since_2000).map_err(|_| OUT_OF_CALENDAR)?;
    // The lowest number has a meaning of its own: before every day.
    if days == i32::MIN {
        return Err(OUT_OF_CALENDAR);
    }
    out.extend(days.to_be_bytes());
    Ok(())
}

const OUT_OF_CALENDAR: Refused = Refused("it is beyond PostgreSQL's calendar");

fn timestamp(micros: i64) -> Result<i64, Refused> {
    let micros = micros.checked_sub(EPOCH_MICROS).ok_or(OUT_OF_CALENDAR)?;
    if micros == i64::MIN { Err(OUT_OF_CALENDAR) } else { Ok(micros) }
}

fn string(text: &str, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    if *kind == Kind::Uuid {
        out.extend(uuid(text).ok_or(Refused("it is no UUID"))?);
        return Ok(());
    }
    if text.as_bytes().contains(&0) {
        return Err(Refused("PostgreSQL's texts hold no zero byte"));
    }
    if *kind == Kind::Jsonb {
        // The version of the format.
        out.push(1);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The usual spelling of a UUID; the server knows more of them.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|&i| text[i] != b'-') {
        return None;
    }
    let mut digits =
        text.iter().filter(|byte| **byte != b'-').map(|byte| char::from(*byte).to_digit(16));
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = u8::try_from(digits.next()?? * 16 + digits.next()??).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

/// The number of dimensions, whether there are NULLs, the items' type; of each dimension the
/// length and the first index; then the items.
fn array(list: ParamList<'_>, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Refused> {
    let Kind::Array(item, oid) = kind else {
        return Err(Refused("the parameter's type is no array"));
    };
    let mut lengths = Vec::new();
    let mut first = Some(list);
    while let Some(dimension) = first {
        lengths.push(dimension.iter().count());
        first = match dimension.iter().next() {
            Some(Param::Array(inner)) => Some(inner),
            _ => None,
        };
    }
    if lengths.contains(&0) {
        // An empty array has no dimensions.
        lengths.clear();
    }
    let number = |len: usize| {
        i32::try_from(len).map(i32::to_be_bytes).map_err(|_| Refused("the list is too long"))
    };
    out.extend(number(lengths.len())?);
    let flags = out.len();
    out.extend(0_i32.to_be_bytes());
    out.extend(oid.to_be_bytes());
    for len in &lengths {
        out.extend(number(*len)?);
        out.extend(1_i32.to_be_bytes());
    }
    if !lengths.is_empty() && items(list, &lengths, item, out)? {
        out[flags..flags + 4].copy_from_slice(&1_i32.to_be_bytes());
    }
    Ok(())
}

/// Writes the items of one dimension. Whether one of them is NULL.
fn items(
    list: ParamList<'_>,
    lengths: &[usize],
    kind: &Kind,
    out: &mut Vec<u8>,
) -> Result<bool, Refused> {
    const UNEVEN: Refused = Refused("the lists within the list differ in length");
    let (len, inner) = lengths.split_first().ok_or(UNEVEN)?;
    if list.iter().count() != *len {
        return Err(UNEVEN);
    }
    let mut has_null = false;
    for param in list {
        has_null |= match param {
            Param::Array(list) => items(list, inner, kind, out)?,
            _ if !inner.is_empty() => return Err(UNEVEN),
            scalar => {
                let start = out.len();
                out.extend((-1_i32).to_be_bytes());
                let is_value = encode(scalar, kind, out)?;
                if is_value {
                    let len = i32::try_from(out.len() - start - 4)
                        .map_err(|_| Refused("an item of the list is too long"))?;
                    out[start..start + 4].copy_from_slice(&len.to_be_bytes());
                }
                !is_value
            }
        };
    }
    Ok(has_null)
}

#[cfg(test)]
mod tests;
