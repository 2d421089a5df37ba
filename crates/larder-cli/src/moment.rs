//! Dates and times as they are written on the command line and shown: ISO 8601, of the proleptic
//! Gregorian calendar.
//!
//! Guards that a day that is in no calendar is none.

use larder::Value;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// `2024-02-29` as days since 1970-01-01.
pub(crate) fn date(text: &str) -> Option<i32> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    i32::try_from(days_since_epoch(year, month, day)).ok()
}

/// Years counted from 1 March have the leap day at their end, so that the months before it follow
/// one linear formula.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// `12:30`, `12:30:00` or `12:30:00.123456` as microseconds since midnight.
pub(crate) fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    let (hours, minutes) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let seconds = parts.next().map_or(Some(0), |text| digits(text, 2))?;
    let is_whole = parts.next().is_none() && (1..=6).contains(&fraction.len());
    if !is_whole || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let micros = digits(&format!("{fraction:0<6}"), 6)?;
    Some(((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND + micros)
}

/// A date and a time with a `T` or a space between, and a `Z` behind them if they are in UTC.
pub(crate) fn timestamp(text: &str) -> Option<Value> {
    let (local, is_utc) = match text.strip_suffix('Z') {
        Some(local) => (local, true),
        None => (text, false),
    };
    let (day, clock) = local.split_once(['T', ' '])?;
    let micros = i64::from(date(day)?) * MICROS_PER_DAY + time(clock)?;
    Some(if is_utc { Value::TimestampUtc(micros) } else { Value::Timestamp(micros) })
}

/// Milliseconds since 1970 UTC as `2024-01-15T10:30:00Z`, with three digits more if there is less
/// than a second in them.
pub(crate) fn utc(at_ms: i64) -> String {
    const MILLIS_PER_DAY: i64 = 86_400_000;
    let (days, of_day) = (at_ms.div_euclid(MILLIS_PER_DAY), at_ms.rem_euclid(MILLIS_PER_DAY));
    let (year, month, day) = calendar(days);
    let (seconds, millis) = (of_day / 1_000, of_day % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = if millis == 0 { String::new() } else { format!(".{millis:03}") };
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z")
}

/// The reverse of [`days_since_epoch`]: 146 097 days are the 400 years after which all repeats.
const fn calendar(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// So many digits and nothing else.
fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-03-01", 19_783),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(date(text), Some(days), "{text}");
        }
    }

    #[test]
    fn what_is_in_no_calendar_is_none() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "24-01-01",
            "2024-1-1",
            "+024-01-01",
            "",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in [
            "24:00",
            "12:60",
            "12:00:60",
            "1:00",
            "12",
            "12:00:00.",
            "12:00:00.1234567",
            "12:00:00:00",
            "-1:00",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(timestamp("2024-02-29"), None);
    }

    #[test]
    fn what_is_shown_is_what_would_be_read() {
        for days in (-719_162..2_932_896).step_by(997) {
            let shown = utc(i64::from(days) * 86_400_000);
            assert_eq!(date(&shown[..10]), Some(days), "{shown}");
        }
        assert_eq!(utc(1_705_314_600_000), "2024-01-15T10:30:00Z");
        assert_eq!(utc(1_705_314_600_020), "2024-01-15T10:30:00.020Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(timestamp(&utc(-1)), Some(Value::TimestampUtc(-1_000)));
    }

    #[test]
    fn times_have_microseconds() {
        assert_eq!(time("12:30"), Some(45_000_000_000));
        assert_eq!(time("23:59:59.000001"), Some(MICROS_PER_DAY - 999_999));
        assert_eq!(time("00:00:00.5"), Some(500_000));
        assert_eq!(timestamp("1969-12-31T23:59:59.999999Z"), Some(Value::TimestampUtc(-1)));
    }
}
