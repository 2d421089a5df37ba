//! Whether a text is a JSON document, decided by the compiler where it can be.
//!
//! Invariant: what is accepted here, every database accepts as a document: none has NULs or
//! halves of surrogate pairs in its texts, and none is deeper than [`DEPTH_MAX`].

/// MariaDB's, which is the smallest.
const DEPTH_MAX: usize = 31;

/// Whether the text is one JSON value and nothing else.
///
/// # Source
/// RFC 8259.
pub(crate) const fn is_document(text: &str) -> bool {
    let bytes = text.as_bytes();
    match value(bytes, blanks(bytes, 0), 0) {
        Some(end) => blanks(bytes, end) == bytes.len(),
        None => false,
    }
}

/// Where the value that begins at `at` ends.
const fn value(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    match byte(bytes, at) {
        b'{' => members(bytes, at, depth, true),
        b'[' => members(bytes, at, depth, false),
        b'"' => string(bytes, at),
        b't' => word(bytes, at, b"true"),
        b'f' => word(bytes, at, b"false"),
        b'n' => word(bytes, at, b"null"),
        _ => number(bytes, at),
    }
}

/// Where the object or the array that begins at `at` ends.
const fn members(bytes: &[u8], at: usize, depth: usize, is_object: bool) -> Option<usize> {
    let close = if is_object { b'}' } else { b']' };
    let mut at = blanks(bytes, at + 1);
    if byte(bytes, at) == close {
        return Some(at + 1);
    }
    loop {
        if is_object {
            let Some(end) = string(bytes, at) else { return None };
            at = blanks(bytes, end);
            if byte(bytes, at) != b':' {
                return None;
            }
            at = blanks(bytes, at + 1);
        }
        let Some(end) = value(bytes, at, depth + 1) else { return None };
        at = blanks(bytes, end);
        match byte(bytes, at) {
            b',' => at = blanks(bytes, at + 1),
            found if found == close => return Some(at + 1),
            _ => return None,
        }
    }
}

const fn string(bytes: &[u8], at: usize) -> Option<usize> {
    if byte(bytes, at) != b'"' {
        return None;
    }
    let mut at = at + 1;
    loop {
        match byte(bytes, at) {
            b'"' => return Some(at + 1),
            // Also the end of the text.
            0..0x20 => return None,
            b'\\' => match escape(bytes, at + 1) {
                Some(end) => at = end,
                None => return None,
            },
            _ => at += 1,
        }
    }
}

/// Where the escape ends whose letter stands at `at`.
const fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match byte(bytes, at) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => match unit(bytes, at + 1) {
            Some(0xD800..0xDC00) => {
                let is_pair = byte(bytes, at + 5) == b'\\' && byte(bytes, at + 6) == b'u';
                match unit(bytes, at + 7) {
                    Some(0xDC00..0xE000) if is_pair => Some(at + 11),
                    _ => None,
                }
            }
            Some(0 | 0xDC00..0xE000) | None => None,
            Some(_) => Some(at + 5),
        },
        _ => None,
    }
}

/// The four hexadecimal digits at `at`.
const fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let mut unit = 0;
    let mut offset = 0;
    while offset < 4 {
        let digit = match byte(bytes, at + offset) {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            digit @ b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        unit = unit << 4 | digit as u32;
        offset += 1;
    }
    Some(unit)
}

const fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let start = if byte(bytes, at) == b'-' { at + 1 } else { at };
    let Some(mut end) = digits(bytes, start) else { return None };
    if bytes[start] == b'0' && end > start + 1 {
        return None;
    }
    if byte(bytes, end) == b'.' {
        match digits(bytes, end + 1) {
            Some(fraction) => end = fraction,
            None => return None,
        }
    }
    if matches!(byte(bytes, end), b'e' | b'E') {
        let sign = matches!(byte(bytes, end + 1), b'+' | b'-') as usize;
        return digits(bytes, end + 1 + sign);
    }
    Some(end)
}

/// Where one digit or more end.
const fn digits(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while byte(bytes, at).is_ascii_digit() {
        at += 1;
    }
    if at > start { Some(at) } else { None }
}

const fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let mut offset = 0;
    while offset < word.len() {
        if byte(bytes, at + offset) != word[offset] {
            return None;
        }
        offset += 1;
    }
    Some(at + word.len())
}

const fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(byte(bytes, at), b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

/// The byte at `at`; behind the end NUL, which no document has.
const fn byte(bytes: &[u8], at: usize) -> u8 {
    if at < bytes.len() { bytes[at] } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_other_texts() {
        const { assert!(is_document("{\"a\": [1, -0.5e+3, true, null, \"\\u00e9\"]}")) };
        for text in [
            "{}",
            " [ ] ",
            "0",
            "-1.5E2",
            "\"\"",
            "true",
            "false",
            "null",
            "[[],{}]",
            "{\"a\":{\"b\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}}",
            "\"\\ud83d\\udeeb\"",
            "\"größe 🛫\"",
        ] {
            assert!(is_document(text), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[",
            "{a",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1,]",
            "[1 2]",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "NaN",
            "'a'",
            "\"",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"a\nb\"",
            "\"a\0b\"",
            "{} {}",
            "1 --",
        ] {
            assert!(!is_document(text), "{text}");
        }
    }

    #[test]
    fn depth_has_a_bound() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_document(&nested(DEPTH_MAX)));
        assert!(!is_document(&nested(100_000)));
    }

    /// Another parser agrees, on whatever looks like JSON, numbers of any size included.
    #[test]
    fn a_parser_agrees() {
        use proptest::prelude::*;
        let parts = ["{", "}", "[", "]", ",", ":", "\"a\"", "1", "-0.5", "true", "null", " ", "e1"];
        let text = prop::collection::vec(proptest::sample::select(parts.to_vec()), 0..8);
        proptest!(|(text in text)| {
            let text = text.concat();
            let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_document(&text), parsed, "{}", text);
        });
    }
}
