//! Parameters as the server takes them.
//!
//! Guards that a parameter is compared and stored as what it is: a decimal that is sent as text
//! would be compared as a double, and a date as text.

use sqlx::{
    Arguments as _, Encode, MySql, Type,
    encode::IsNull,
    error::BoxDynError,
    mysql::{MySqlArguments, MySqlTypeInfo, types::MySqlTime},
};

use super::{moments, types::Types};
use crate::{Param, ParamType, Params, QueryError};

/// The arguments of a statement that takes `expected` parameters.
///
/// | parameter | type on the wire |
/// |---|---|
/// | boolean | `TINYINT`, 0 or 1 |
/// | integers, floats | those of the same width and sign; not-a-number is refused |
/// | decimal | `DECIMAL`; text that is none is refused |
/// | text, JSON | `VARCHAR` in utf8mb4 |
/// | bytes, UUID | `BLOB`; a UUID is its 16 bytes |
/// | date | `DATE` |
/// | time | `TIME` |
/// | timestamp, timestamp in UTC | `DATETIME`; the session's time zone is UTC |
pub(super) fn arguments(
    params: &Params,
    expected: usize,
    types: &Types,
) -> Result<MySqlArguments, QueryError> {
    if params.len() != expected {
        return Err(QueryError::ParameterCount { expected, given: params.len() });
    }
    let mut arguments = MySqlArguments::default();
    arguments.reserve(params.len(), params.as_bytes().len());
    for (index, param) in params.iter().enumerate() {
        let refuse = |reason| QueryError::ParameterValue { position: index + 1, reason };
        check(param).map_err(refuse)?;
        let kind = wire_type(param.param_type(), types);
        arguments
            .add(Argument { param, kind })
            .map_err(|_| refuse("MySQL and MariaDB have no such value"))?;
    }
    Ok(arguments)
}

/// What the server would take for something else.
fn check(param: Param<'_>) -> Result<(), &'static str> {
    match param {
        Param::F32(value) if !value.is_finite() => Err(NOT_FINITE),
        Param::F64(value) if !value.is_finite() => Err(NOT_FINITE),
        Param::Decimal(text) if !is_decimal(text) => Err("it is not an exact number"),
        _ => Ok(()),
    }
}

const NOT_FINITE: &str = "MySQL and MariaDB have neither infinity nor not-a-number";

/// The server reads as much of a text as is a number, and takes the rest for nothing.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    let points = unsigned.bytes().filter(|&byte| byte == b'.').count();
    digits > 0 && points <= 1 && digits + points == unsigned.len()
}

struct Argument<'p> {
    param: Param<'p>,
    kind: MySqlTypeInfo,
}

impl Type<MySql> for Argument<'_> {
    fn type_info() -> MySqlTypeInfo {
        // Not asked for: `produces` says which.
        <str as Type<MySql>>::type_info()
    }
}

impl<'q> Encode<'q, MySql> for Argument<'_> {
    fn encode_by_ref(&self, buffer: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        encode(self.param, buffer)
    }

    fn produces(&self) -> Option<MySqlTypeInfo> {
        Some(self.kind.clone())
    }
}

fn wire_type(kind: ParamType, types: &Types) -> MySqlTypeInfo {
    fn of<T: Type<MySql> + ?Sized>() -> MySqlTypeInfo {
        T::type_info()
    }
    match kind {
        ParamType::Bool | ParamType::I8 => of::<i8>(),
        ParamType::I16 => of::<i16>(),
        ParamType::I32 => of::<i32>(),
        ParamType::I64 => of::<i64>(),
        ParamType::U8 => of::<u8>(),
        ParamType::U16 => of::<u16>(),
        ParamType::U32 => of::<u32>(),
        ParamType::U64 => of::<u64>(),
        ParamType::F32 => of::<f32>(),
        ParamType::F64 => of::<f64>(),
        ParamType::Bytes | ParamType::Uuid => of::<[u8]>(),
        ParamType::Time => of::<MySqlTime>(),
        ParamType::Date => types.date.clone(),
        ParamType::Decimal => types.decimal.clone(),
        ParamType::Timestamp | ParamType::TimestampUtc => types.timestamp.clone(),
        _ => of::<str>(),
    }
}

fn encode(param: Param<'_>, buffer: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
    let unknown = || BoxDynError::from("no such value");
    match param {
        Param::Bool(value) => buffer.push(value.into()),
        Param::I8(value) => buffer.extend(value.to_le_bytes()),
        Param::I16(value) => buffer.extend(value.to_le_bytes()),
        Param::I32(value) => buffer.extend(value.to_le_bytes()),
        Param::I64(value) => buffer.extend(value.to_le_bytes()),
        Param::U8(value) => buffer.extend(value.to_le_bytes()),
        Param::U16(value) => buffer.extend(value.to_le_bytes()),
        Param::U32(value) => buffer.extend(value.to_le_bytes()),
        Param::U64(value) => buffer.extend(value.to_le_bytes()),
        Param::F32(value) => buffer.extend(value.to_le_bytes()),
        Param::F64(value) => buffer.extend(value.to_le_bytes()),
        Param::Decimal(text) | Param::Json(text) | Param::Text(text) => {
            return Encode::<MySql>::encode(text, buffer);
        }
        Param::Bytes(bytes) => return Encode::<MySql>::encode(bytes, buffer),
        Param::Uuid(bytes) => return Encode::<MySql>::encode(bytes.as_slice(), buffer),
        Param::Date(days) => moments::write_date(days, buffer).ok_or_else(unknown)?,
        Param::Time(micros) => moments::write_time(micros, buffer).ok_or_else(unknown)?,
        Param::Timestamp(micros) | Param::TimestampUtc(micros) => {
            moments::write_timestamp(micros, buffer).ok_or_else(unknown)?;
        }
        Param::Null(_) => return Ok(IsNull::Yes),
        // A list, which these servers do not have.
        _ => return Err(unknown()),
    }
    Ok(IsNull::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_numbers_are_decimals() {
        for text in ["0", "-1.50", "+1", "1.", ".5", "12345678901234567890.123456789"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", ".", "1e5", "1.2.3", "1 ", "NaN", "0x1", "--1"] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    #[test]
    fn what_the_server_has_no_value_for_is_refused() {
        for param in [Param::F64(f64::NAN), Param::F32(f32::INFINITY), Param::Decimal("1e5")] {
            assert!(check(param).is_err(), "{param:?}");
        }
        let mut buffer = Vec::new();
        for param in [Param::Time(i64::MIN), Param::Date(i32::MAX), Param::Timestamp(i64::MIN)] {
            assert!(encode(param, &mut buffer).is_err(), "{param:?}");
        }
    }
}
