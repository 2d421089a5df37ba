//! JSON as Python's `json.dumps(value, sort_keys=True)` writes it.
//!
//! Guards that the text is the same byte for byte, because a hash is taken of it that other
//! programs take too.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The text of a value: keys in the order of their code points, `, ` and `: ` between, nothing
/// but ASCII.
pub(super) fn dumps(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(out, value);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            // The map is in the order of insertion if somebody in the graph asked for that.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, value)) in fields.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_string(out, name);
                out.push_str(": ");
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn write_number(out: &mut String, number: &Number) {
    match number.as_f64() {
        Some(float) if number.is_f64() => write_float(out, float),
        _ => out.push_str(&number.to_string()),
    }
}

/// As `float.__repr__`: the fewest digits that mean this number, with an exponent from 1e16 on and
/// below 1e-4.
fn write_float(out: &mut String, float: f64) {
    let scientific = format!("{float:e}");
    let plain = format!("{float}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            // Writing to a string does not fail.
            let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
        }
        _ if plain.contains('.') => out.push_str(&plain),
        _ => {
            out.push_str(&plain);
            out.push_str(".0");
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_everything_is_ascii() {
        let value = json!({
            "b": [1, -2, true, null, {}],
            "a": "M\u{fc}nchen \u{1f6e9} \"\\\n\r\t\u{8}\u{c}\u{0}\u{7f}/",
            "\u{e9}": {"z": 1, "Z": 2},
        });
        assert_eq!(
            dumps(&value),
            "{\"a\": \"M\\u00fcnchen \\ud83d\\udee9 \\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u007f/\", \
             \"b\": [1, -2, true, null, {}], \"\\u00e9\": {\"Z\": 2, \"z\": 1}}"
        );
    }

    #[test]
    fn floats_look_as_python_writes_them() {
        for (float, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e-4, "0.0001"),
            (0.000_123, "0.000123"),
            (1e-5, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(dumps(&json!(float)), text);
        }
    }

    #[test]
    fn integers_are_exact() {
        assert_eq!(dumps(&json!([i64::MIN, u64::MAX])), format!("[{}, {}]", i64::MIN, u64::MAX));
    }
}
