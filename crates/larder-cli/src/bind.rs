//! Parameters as they are written on the command line.
//!
//! Guards that a text becomes a number only if nothing of it is lost, and that no message holds
//! a value, which may be secret.

use larder::Value;

use crate::moment;

/// What may stand before a value, for messages and help.
const KINDS: &str = "bool, date, decimal, hex, int, json, null, real, text, time, timestamp, uuid";

/// Reads one parameter: `kind:value`, `null`, or a value whose kind shows.
///
/// A value without a kind is an integer or a real number if it is written as one, otherwise text.
/// `007` and `+5` are text: as numbers they would lose a character. A word before a colon that is
/// no kind belongs to the text, as in `12:30`.
///
/// # Errors
/// What is wrong with the value, without the value.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    if text == "null" {
        return Ok(Value::Null);
    }
    let Some((kind, value)) = text.split_once(':') else {
        return Ok(guess(text));
    };
    match kind {
        "bool" => value.parse().map(Value::Bool).map_err(|_| wrong("true or false")),
        "date" => moment::date(value).map(Value::Date).ok_or_else(|| wrong("a date: 2024-02-29")),
        "decimal" if is_decimal(value) => Ok(Value::Decimal(value.to_owned())),
        "decimal" => Err(wrong("a decimal number")),
        "hex" => bytes(value).map(Value::Bytes).ok_or_else(|| wrong("pairs of hexadecimal digits")),
        "int" => integer(value).ok_or_else(|| wrong("an integer of 64 bits")),
        "json" => match serde_json::from_str::<serde::de::IgnoredAny>(value) {
            Ok(_valid) => Ok(Value::Json(value.to_owned())),
            Err(_invalid) => Err(wrong("a JSON document")),
        },
        "null" if value.is_empty() => Ok(Value::Null),
        "real" => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(wrong("a finite number")),
        },
        "text" => Ok(Value::Text(value.to_owned())),
        "time" => moment::time(value).map(Value::Time).ok_or_else(|| wrong("a time: 12:30:00")),
        "timestamp" => moment::timestamp(value)
            .ok_or_else(|| wrong("a timestamp: 2024-02-29T12:30:00, with a Z for UTC")),
        "uuid" => uuid(value).map(Value::Uuid).ok_or_else(|| wrong("a UUID")),
        _ => Ok(guess(text)),
    }
}

fn wrong(expected: &str) -> String {
    format!("expected {expected} (kinds are: {KINDS})")
}

fn guess(text: &str) -> Value {
    let exact = |number: i64| (number.to_string() == text).then_some(Value::Int(number));
    let number = text.parse().ok().and_then(exact).or_else(|| real(text));
    number.unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// A number with a fraction or an exponent; words such as `inf` and `nan` are none.
fn real(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let leading_zero = digits > 1 && unsigned.starts_with('0');
    if digits == 0 || leading_zero || !unsigned[digits..].starts_with(['.', 'e', 'E']) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Float(number))
}

fn integer(text: &str) -> Option<Value> {
    let signed = text.parse().ok().map(Value::Int);
    signed.or_else(|| text.parse().ok().map(Value::UInt))
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// 32 digits, with hyphens where they belong or without any.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let hyphens: Vec<_> = text.match_indices('-').map(|(at, _)| at).collect();
    if !hyphens.is_empty() && hyphens != [8, 13, 18, 23] {
        return None;
    }
    bytes(&text.replace('-', ""))?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Value) {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }

    #[test]
    fn a_kind_decides() {
        check("int:5", Value::Int(5));
        check("int:18446744073709551615", Value::UInt(u64::MAX));
        check("text:5", Value::Text("5".into()));
        check("text:", Value::Text(String::new()));
        check("text:int:5", Value::Text("int:5".into()));
        check("real:1", Value::Float(1.0));
        check("bool:true", Value::Bool(true));
        check("hex:00fF", Value::Bytes(vec![0, 255]));
        check("hex:", Value::Bytes(Vec::new()));
        check("json:{\"a\": [1]}", Value::Json("{\"a\": [1]}".into()));
        check("decimal:-1.10", Value::Decimal("-1.10".into()));
        check("date:1970-01-02", Value::Date(1));
        check("time:00:00:01.5", Value::Time(1_500_000));
        check("timestamp:1970-01-01 00:00:01", Value::Timestamp(1_000_000));
        check("timestamp:1970-01-01T00:00:01Z", Value::TimestampUtc(1_000_000));
        check(
            "uuid:11111111-1111-1111-1111-1111111111fF",
            Value::Uuid({
                let mut bytes = [0x11; 16];
                bytes[15] = 0xff;
                bytes
            }),
        );
        check("null", Value::Null);
        check("null:", Value::Null);
    }

    #[test]
    fn without_a_kind_what_is_written_as_a_number_is_one() {
        check("5", Value::Int(5));
        check("-9223372036854775808", Value::Int(i64::MIN));
        check("0", Value::Int(0));
        check("1.5", Value::Float(1.5));
        check("-0.25", Value::Float(-0.25));
        check("1e3", Value::Float(1_000.0));
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "",
            "LH",
            "NULL",
            "true",
            "007",
            "+5",
            "-",
            "-0",
            "00.5",
            ".5",
            "1e999",
            "inf",
            "nan",
            "-inf",
            "1 ",
            "12:30",
            "http://h",
            "9223372036854775808",
            "0x10",
            "1_000",
            "٣",
        ] {
            check(text, Value::Text(text.into()));
        }
    }

    #[test]
    fn a_value_that_does_not_fit_its_kind_is_an_error_that_does_not_echo_it() {
        for text in [
            "int:hunter2",
            "int:",
            "int:1.5",
            "real:hunter2",
            "real:nan",
            "bool:hunter2",
            "hex:hunter2",
            "hex:0",
            "json:{hunter2",
            "date:hunter2",
            "time:hunter2",
            "timestamp:hunter2",
            "uuid:hunter2",
            "uuid:1111-11111111-1111-1111-1111111111ff",
            "decimal:hunter2",
            "decimal:1.",
            "decimal:1e5",
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with("expected ") && !error.contains("hunter2"),
                "{text}: {error}"
            );
        }
    }
}
