//! Names of tables and columns.
//!
//! Guards that a name which the run time would refuse is refused here, where it stands.

/// The most bytes that a name may have, as `larder_model::Identifier` has it.
const BYTES_MAX: usize = 63;

/// What is wrong with a name.
pub(crate) fn objection(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("a name can not be empty".to_owned())
    } else if name.contains('\0') {
        Some("a name can not contain a NUL".to_owned())
    } else if name.len() > BYTES_MAX {
        Some(format!("a name of {} bytes is longer than {BYTES_MAX} bytes", name.len()))
    } else {
        None
    }
}

/// What is wrong with the name of a table beyond that.
pub(crate) fn table_objection(name: &str) -> Option<String> {
    let start = name.as_bytes().get(..7);
    let is_reserved = start.is_some_and(|start| start.eq_ignore_ascii_case(b"sqlite_"));
    let reserved = || "SQLite keeps tables whose names begin with `sqlite_` to itself".to_owned();
    objection(name).or_else(|| is_reserved.then(reserved))
}

/// Whether both differ at most in the case of ASCII letters: then databases take them for one.
pub(crate) fn is_alike(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// `HttpRequest` and `HTTPRequest` become `http_request`.
///
/// A word begins at a capital after a small letter or a digit, and at the last capital of several
/// if a small letter follows it.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut previous: Option<char> = None;
    let mut rest = name.chars().peekable();
    while let Some(current) = rest.next() {
        let follows_capital = previous.is_some_and(char::is_uppercase);
        let precedes_small = rest.peek().copied().is_some_and(char::is_lowercase);
        let inside = previous.is_some_and(|previous| previous != '_');
        if current.is_uppercase() && inside && (!follows_capital || precedes_small) {
            snake.push('_');
        }
        snake.extend(current.to_lowercase());
        previous = Some(current);
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_snake_case() {
        for (name, expected) in [
            ("Airline", "airline"),
            ("FlightLeg", "flight_leg"),
            ("HTTPRequest", "http_request"),
            ("RequestHTTP", "request_http"),
            ("Point2D", "point2_d"),
            ("Already_Snake", "already_snake"),
            ("A", "a"),
            ("ÉtatDesLieux", "état_des_lieux"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn names_within_the_limits_are_fine_whatever_is_in_them() {
        for name in ["a", "a\"b", "users; DROP TABLE x--", "é", &"a".repeat(63)] {
            assert_eq!(objection(name), None, "{name}");
        }
        for name in ["", "a\0b", &"é".repeat(32)] {
            assert!(objection(name).is_some(), "{name:?}");
        }
        assert!(table_objection("sqlite").is_none() && table_objection("é").is_none());
        assert!(table_objection("SQLite_master").is_some());
    }
}
