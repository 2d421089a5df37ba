//! Dates and times as their Rust types serialise them.
//!
//! Guards that a text which is not exactly of that form is refused instead of guessed at.

use crate::{Value, calendar::days_from_civil};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days since 1970-01-01 of `2026-11-20`; years before 0 and after 9999 have a sign.
pub(super) fn date(text: &str) -> Option<i32> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let mut parts = digits.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() < 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let year = number(year)?;
    let year = if negative { -year } else { year };
    let days = days_from_civil(year, number(month)?, number(day)?)?;
    i32::try_from(days).ok()
}

/// Microseconds since midnight of `12:34:56.789`. What is smaller than a microsecond is cut off.
pub(super) fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let second = parts.next().map_or(Some(0), two)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(seconds * MICROS_PER_SECOND + micros(fraction)?)
}

/// Microseconds since 1970-01-01 00:00 of `2026-11-20T12:34:56.789`.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let (day, clock) = text.split_once(['T', ' '])?;
    i64::from(date(day)?).checked_mul(MICROS_PER_DAY)?.checked_add(time(clock)?)
}

/// The same of a moment with its distance from UTC: `…Z`, `…+02:00`.
pub(super) fn timestamp_utc(text: &str) -> Option<i64> {
    if let Some(text) = text.strip_suffix(['Z', 'z']) {
        return timestamp(text);
    }
    let (_, clock) = text.split_once(['T', ' '])?;
    let at = text.len() - clock.len() + clock.rfind(['+', '-'])?;
    let (local, offset) = text.split_at(at);
    let (hours, minutes) = offset[1..].split_once(':').unwrap_or((&offset[1..], "00"));
    let minutes = two(hours)? * 60 + two(minutes)?;
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    timestamp(local)?.checked_sub(minutes * 60 * MICROS_PER_SECOND)
}

/// Whether the text of a day or moment has a year of four digits, by which texts are in the order of
/// the moments. What is neither has.
pub(super) fn has_plain_text(value: &Value) -> bool {
    // 0000-01-01 and 9999-12-31.
    let days = -719_528..=2_932_896;
    match value {
        Value::Date(day) => days.contains(&i64::from(*day)),
        Value::Timestamp(micros) | Value::TimestampUtc(micros) => {
            days.contains(&micros.div_euclid(MICROS_PER_DAY))
        }
        _ => true,
    }
}

fn micros(fraction: &str) -> Option<i64> {
    let is_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits {
        return None;
    }
    let kept = &fraction[..fraction.len().min(6)];
    Some(number(kept)? * 10_i64.pow(6 - u32::try_from(kept.len()).ok()?))
}

fn two(digits: &str) -> Option<i64> {
    (digits.len() == 2).then(|| number(digits)).flatten()
}

fn number(digits: &str) -> Option<i64> {
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rust_types_serialise_to_is_read() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("-0001-01-01"), date("-0001-01-01"));
        assert_eq!(time("00:00:01.5"), Some(1_500_000));
        assert_eq!(time("23:59:59.123456789"), Some(86_399_123_456));
        assert_eq!(timestamp("1970-01-01T00:00:01"), Some(1_000_000));
        assert_eq!(timestamp_utc("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(timestamp_utc("1970-01-01T02:00:01+02:00"), Some(1_000_000));
        assert_eq!(timestamp_utc("1969-12-31T22:00:01-02:00"), Some(1_000_000));
    }

    #[test]
    fn a_plain_text_has_a_year_of_four_digits() {
        for (text, is_plain) in [
            ("0000-01-01", true),
            ("9999-12-31", true),
            ("+10000-01-01", false),
            ("-0001-12-31", false),
        ] {
            let day = date(text).unwrap();
            assert_eq!(has_plain_text(&Value::Date(day)), is_plain, "{text}");
            let micros = i64::from(day) * MICROS_PER_DAY;
            assert_eq!(has_plain_text(&Value::Timestamp(micros)), is_plain, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "1970", "1970-1-1", "1970-02-30", "x-01-01", "1970-01-01T00:00:00"] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in ["", "24:00:00", "1:00:00", "00:60:00", "00:00:00.", "00:00:00.x"] {
            assert_eq!(time(text), None, "{text}");
        }
        for text in ["", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00+2"] {
            assert_eq!(timestamp_utc(text), None, "{text}");
        }
    }
}
