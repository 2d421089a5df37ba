//! What the text of a constant may look like, decided by the compiler where it can be.
//!
//! Invariant: what is accepted here, every database accepts as a constant of that kind. A number
//! is written in one way only, so that two of them are equal if their texts are.

use crate::ColumnKind;

pub(crate) const fn has_nul(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0 {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether the text is `-?(0|[1-9][0-9]*)(\.[0-9]+)?` and not a negative zero.
pub(crate) const fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = if let [b'-', ..] = bytes { 1 } else { 0 };
    let whole = digits_end(bytes, start);
    if whole == start || (bytes[start] == b'0' && whole > start + 1) {
        return false;
    }
    if start == 1 && is_zero(bytes) {
        return false;
    }
    if whole == bytes.len() {
        return true;
    }
    let fraction = digits_end(bytes, whole + 1);
    bytes[whole] == b'.' && fraction > whole + 1 && fraction == bytes.len()
}

/// How many digits a number has before and behind the point; a zero before it does not count.
pub(crate) const fn digits(number: &str) -> (usize, usize) {
    let bytes = number.as_bytes();
    let start = if let [b'-', ..] = bytes { 1 } else { 0 };
    let whole = digits_end(bytes, start);
    let fraction = bytes.len() - whole;
    let is_zero = whole == start + 1 && bytes[start] == b'0';
    let before = if is_zero { 0 } else { whole - start };
    (before, if fraction == 0 { 0 } else { fraction - 1 })
}

const fn is_zero(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'1'..=b'9') {
            return false;
        }
        at += 1;
    }
    true
}

/// Where the digits that begin at `at` end.
const fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        at += 1;
    }
    at
}

/// Whether the text is `YYYY-MM-DD`, `HH:MM:SS` with up to six digits of a fraction, or both
/// with a blank between them.
pub(crate) const fn is_calendar(text: &str, kind: ColumnKind) -> bool {
    let bytes = text.as_bytes();
    match kind {
        ColumnKind::Date => bytes.len() == 10 && is_date(bytes),
        ColumnKind::Time => is_time(bytes, 0),
        ColumnKind::Timestamp | ColumnKind::TimestampUtc => {
            bytes.len() > 10 && is_date(bytes) && bytes[10] == b' ' && is_time(bytes, 11)
        }
        _ => false,
    }
}

/// How many digits of a second's fraction a time has.
pub(crate) fn fraction_digits(time: &str) -> usize {
    time.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

const fn is_date(bytes: &[u8]) -> bool {
    let (Some(year), Some(month), Some(day)) =
        (number(bytes, 0, 4), number(bytes, 5, 7), number(bytes, 8, 10))
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year >= 1 && day >= 1 && day <= days && bytes[4] == b'-' && bytes[7] == b'-'
}

const fn is_time(bytes: &[u8], at: usize) -> bool {
    let (Some(hour), Some(minute), Some(second)) =
        (number(bytes, at, at + 2), number(bytes, at + 3, at + 5), number(bytes, at + 6, at + 8))
    else {
        return false;
    };
    let end = at + 8;
    let has_fraction = bytes.len() > end;
    let is_fraction = has_fraction
        && bytes[end] == b'.'
        && digits_end(bytes, end + 1) == bytes.len()
        && bytes.len() > end + 1
        && bytes.len() <= end + 7;
    hour < 24
        && minute < 60
        && second < 60
        && bytes[at + 2] == b':'
        && bytes[at + 5] == b':'
        && (!has_fraction || is_fraction)
}

/// The number that stands from `at` to before `end`.
const fn number(bytes: &[u8], mut at: usize, end: usize) -> Option<u32> {
    let mut number = 0;
    while at < end {
        if at >= bytes.len() || !bytes[at].is_ascii_digit() {
            return None;
        }
        number = number * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_one_way() {
        for text in ["0", "-1", "7", "1.50", "0.0", "-0.5", "10", "9223372036854775808"] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "", "-", "+1", "1.", ".5", "1e5", "1 ", "1.2.3", "0x1", "NaN", "1);--", "007", "00",
            "-0", "-0.0", "-01",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn digits_are_counted_on_both_sides() {
        assert_eq!(digits("0"), (0, 0));
        assert_eq!(digits("-12.340"), (2, 3));
        assert_eq!(digits("0.05"), (0, 2));
    }

    #[test]
    fn days_and_times_are_those_of_the_calendar() {
        use ColumnKind::{Date, Text, Time, Timestamp, TimestampUtc};
        for (text, kind) in [
            ("2024-02-29", Date),
            ("2000-02-29", Date),
            ("0001-01-01", Date),
            ("9999-12-31", Date),
            ("00:00:00", Time),
            ("23:59:59.999999", Time),
            ("2024-02-29 23:59:59", Timestamp),
            ("2024-02-29 23:59:59.5", TimestampUtc),
        ] {
            assert!(is_calendar(text, kind), "{text}");
        }
        for (text, kind) in [
            ("2023-02-29", Date),
            ("1900-02-29", Date),
            ("2024-13-01", Date),
            ("2024-04-31", Date),
            ("2024-00-10", Date),
            ("2024-01-00", Date),
            ("0000-01-01", Date),
            ("2024-1-01", Date),
            ("2024/01/01", Date),
            ("2024-01-01 ", Date),
            ("", Date),
            ("now", Date),
            ("24:00:00", Time),
            ("23:60:00", Time),
            ("23:59:60", Time),
            ("23:59", Time),
            ("23:59:59.", Time),
            ("23:59:59.1234567", Time),
            ("23:59:59Z", Time),
            ("2024-02-29T23:59:59", Timestamp),
            ("2024-02-29 23:59:59Z", TimestampUtc),
            ("2024-02-29 23:59:59+00", TimestampUtc),
            ("2024-02-29", Timestamp),
            ("2024-02-29 ", Timestamp),
            ("2024-02-29", Text),
        ] {
            assert!(!is_calendar(text, kind), "{text}");
        }
    }
}
