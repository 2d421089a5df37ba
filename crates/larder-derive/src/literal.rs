//! Constants, written as SQL writes them.
//!
//! Invariant: what is accepted is one constant and nothing after it. It leaves this file as a
//! value, so that no text of the attribute reaches a database.

/// A constant of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Blob(Vec<u8>),
    Boolean(bool),
    /// As it was written, because a decimal's digits count.
    Number(String),
    Text(String),
}

const EXPECTED: &str =
    "a default is a constant: `TRUE`, `FALSE`, a number such as `-1.50`, `'text'` or `X'00FF'`";

/// Reads a constant.
pub(crate) fn parse(text: &str) -> Result<Literal, &'static str> {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("false") {
        Ok(Literal::Boolean(is("true")))
    } else if is("null") {
        Err("a column that may be NULL is so without a default")
    } else if is_number(text) {
        Ok(Literal::Number(text.to_owned()))
    } else if let Some(inner) = quoted(text) {
        unquote(inner).map(Literal::Text).ok_or(EXPECTED)
    } else if let Some(inner) = text.strip_prefix(['x', 'X']).and_then(quoted) {
        bytes(inner).map(Literal::Blob).ok_or("a blob is an even number of hexadecimal digits")
    } else {
        Err(EXPECTED)
    }
}

/// Whether the number is written as every database prints it: without needless zeros before it,
/// and without the sign of a zero.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_zero = unsigned.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    digits(whole)
        && digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
        && !(is_zero && text.starts_with('-'))
}

/// What stands between single quotes.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

/// The text that was meant, if every quote in it is doubled and there is no NUL.
fn unquote(inner: &str) -> Option<String> {
    let whole = inner.replace("''", "");
    (!whole.contains(['\'', '\0'])).then(|| inner.replace("''", "'"))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let byte = |&[high, low]: &[u32; 2]| u8::try_from(high << 4 | low).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read() {
        for (text, expected) in [
            ("TRUE", Literal::Boolean(true)),
            (" false ", Literal::Boolean(false)),
            ("0", Literal::Number("0".into())),
            ("-1.50", Literal::Number("-1.50".into())),
            ("''", Literal::Text(String::new())),
            ("''''", Literal::Text("'".into())),
            ("'it''s; --'", Literal::Text("it's; --".into())),
            ("X''", Literal::Blob(vec![])),
            ("x'00fF'", Literal::Blob(vec![0, 255])),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn whatever_is_not_one_constant_is_refused() {
        for text in [
            "",
            "NULL",
            "abc",
            "now()",
            "CURRENT_TIMESTAMP",
            "(1)",
            "1 + 1",
            "+1",
            "1.",
            ".5",
            "1e5",
            "007",
            "-0",
            "-0.00",
            "'",
            "'a",
            "'a'b'",
            "'''",
            "'a'; DROP TABLE x",
            "'a' || 'b'",
            "'a\0b'",
            "X'0'",
            "X'0g'",
            "\"a\"",
            "1); --",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
