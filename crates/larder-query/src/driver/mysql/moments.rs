//! Dates and times as the server sends and takes them.
//!
//! Guards that a date which no calendar has, such as `0000-00-00`, is an error and never NULL or
//! another date.
//!
//! # Source
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>

use crate::calendar::{civil_from_days, days_from_civil};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

/// A date and a time as the server writes them, which need not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    year: i64,
    month: i64,
    day: i64,
    /// Microseconds since midnight.
    micros: i64,
}

impl Written {
    fn days(self) -> Option<i64> {
        // The server has no others, and sums of others could overflow.
        let is_small = (0..=9_999).contains(&self.year) && self.month <= 12 && self.day <= 31;
        is_small.then(|| days_from_civil(self.year, self.month, self.day)).flatten()
    }

    fn micros(self) -> Option<i64> {
        self.days()?.checked_mul(MICROS_PER_DAY)?.checked_add(self.micros)
    }
}

/// A date of the binary protocol, its length first; `None` if it does not exist.
pub(super) fn date_from_binary(bytes: &[u8]) -> Option<i32> {
    i32::try_from(written(bytes)?.days()?).ok()
}

/// A date with a time of the binary protocol, in microseconds since 1970-01-01.
pub(super) fn timestamp_from_binary(bytes: &[u8]) -> Option<i64> {
    written(bytes)?.micros()
}

fn written(bytes: &[u8]) -> Option<Written> {
    let (&len, bytes) = bytes.split_first()?;
    // Zeros at the end are not sent.
    let mut full = [0; 11];
    full.get_mut(..len.into())?.copy_from_slice(bytes.get(..len.into())?);
    let [year_low, year_high, month, day, hour, minute, second, fraction @ ..] = full;
    Some(Written {
        year: u16::from_le_bytes([year_low, year_high]).into(),
        month: month.into(),
        day: day.into(),
        micros: time(hour.into(), minute.into(), second.into(), fraction),
    })
}

/// A time of the binary protocol, in microseconds; it may be negative or beyond a day.
pub(super) fn time_from_binary(bytes: &[u8]) -> Option<i64> {
    let (&len, bytes) = bytes.split_first()?;
    let mut full = [0; 12];
    full.get_mut(..len.into())?.copy_from_slice(bytes.get(..len.into())?);
    let [negative, d0, d1, d2, d3, hour, minute, second, fraction @ ..] = full;
    let days = i64::from(u32::from_le_bytes([d0, d1, d2, d3])).checked_mul(MICROS_PER_DAY)?;
    let micros = days.checked_add(time(hour.into(), minute.into(), second.into(), fraction))?;
    Some(if negative == 0 { micros } else { -micros })
}

fn time(hour: i64, minute: i64, second: i64, fraction: [u8; 4]) -> i64 {
    let seconds = hour * 3_600 + minute * 60 + second;
    seconds * MICROS_PER_SECOND + i64::from(u32::from_le_bytes(fraction))
}

/// A date of the text protocol.
pub(super) fn date_from_text(text: &str) -> Option<i32> {
    i32::try_from(date_fields(text)?.days()?).ok()
}

/// A date with a time of the text protocol.
pub(super) fn timestamp_from_text(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    Written { micros: time_from_text(time)?, ..date_fields(date)? }.micros()
}

/// A time of the text protocol.
pub(super) fn time_from_text(text: &str) -> Option<i64> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let mut fields = whole.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (fields.next()?.ok()?, fields.next()?.ok()?, fields.next()?.ok()?);
    if fields.next().is_some() || fraction.len() > 6 {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let seconds =
        hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?.checked_add(second)?)?;
    let micros = seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(micros)?;
    Some(if negative { -micros } else { micros })
}

fn date_fields(text: &str) -> Option<Written> {
    let mut fields = text.split('-').map(str::parse::<i64>);
    let (year, month, day) = (fields.next()?.ok()?, fields.next()?.ok()?, fields.next()?.ok()?);
    fields.next().is_none().then_some(Written { year, month, day, micros: 0 })
}

/// Writes a date, its length first; `None` if the server has no such year.
pub(super) fn write_date(days: i32, buffer: &mut Vec<u8>) -> Option<()> {
    let fields = date_bytes(days.into())?;
    buffer.push(4);
    buffer.extend(fields);
    Some(())
}

/// Writes a date with a time, its length first.
pub(super) fn write_timestamp(micros: i64, buffer: &mut Vec<u8>) -> Option<()> {
    let date = date_bytes(micros.div_euclid(MICROS_PER_DAY))?;
    buffer.push(11);
    buffer.extend(date);
    write_time_of_day(micros.rem_euclid(MICROS_PER_DAY), buffer)
}

/// Writes a time, its length first; `None` if it is beyond what the server can hold, which is
/// just under 839 hours.
pub(super) fn write_time(micros: i64, buffer: &mut Vec<u8>) -> Option<()> {
    const MICROS_MAX: u64 = (838 * 3_600 + 59 * 60 + 59) * 1_000_000;
    if micros.unsigned_abs() > MICROS_MAX {
        return None;
    }
    let magnitude = micros.abs();
    let days = u32::try_from(magnitude / MICROS_PER_DAY).ok()?;
    buffer.push(12);
    buffer.push(u8::from(micros < 0));
    buffer.extend(days.to_le_bytes());
    write_time_of_day(magnitude % MICROS_PER_DAY, buffer)
}

fn date_bytes(days: i64) -> Option<[u8; 4]> {
    let (year, month, day) = civil_from_days(days);
    if year > 9_999 {
        return None;
    }
    let [low, high] = u16::try_from(year).ok()?.to_le_bytes();
    Some([low, high, u8::try_from(month).ok()?, u8::try_from(day).ok()?])
}

fn write_time_of_day(micros: i64, buffer: &mut Vec<u8>) -> Option<()> {
    let seconds = micros / MICROS_PER_SECOND;
    for field in [seconds / 3_600, seconds / 60 % 60, seconds % 60] {
        buffer.push(u8::try_from(field).ok()?);
    }
    let fraction = u32::try_from(micros % MICROS_PER_SECOND).ok()?;
    buffer.extend(fraction.to_le_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_that_do_not_exist_are_none() {
        for bytes in [&[0][..], &[4, 0xe8, 7, 0, 10], &[4, 0xe8, 7, 2, 30], &[9, 1], &[]] {
            assert_eq!(date_from_binary(bytes), None, "{bytes:?}");
            assert_eq!(timestamp_from_binary(bytes), None, "{bytes:?}");
        }
        for text in ["0000-00-00", "2024-00-10", "2024-02-30", "2024-02", "x-y-z", ""] {
            assert_eq!(date_from_text(text), None, "{text}");
            assert_eq!(timestamp_from_text(&format!("{text} 00:00:00")), None, "{text}");
        }
    }

    #[test]
    fn zeros_at_the_end_need_not_be_sent() {
        assert_eq!(date_from_binary(&[4, 0xb2, 7, 1, 1]), Some(0));
        assert_eq!(timestamp_from_binary(&[4, 0xb2, 7, 1, 2]), Some(MICROS_PER_DAY));
        assert_eq!(timestamp_from_binary(&[7, 0xb2, 7, 1, 1, 0, 0, 1]), Some(MICROS_PER_SECOND));
        assert_eq!(time_from_binary(&[0]), Some(0));
        assert_eq!(time_from_binary(&[8, 1, 1, 0, 0, 0, 1, 0, 0]), Some(-25 * 3_600_000_000));
    }

    #[test]
    fn texts_are_read() {
        assert_eq!(date_from_text("1970-01-02"), Some(1));
        assert_eq!(timestamp_from_text("1970-01-01 00:00:01.5"), Some(1_500_000));
        assert_eq!(time_from_text("-838:59:59"), Some(-3_020_399_000_000));
        assert_eq!(time_from_text("00:00:00.000001"), Some(1));
        assert_eq!(time_from_text("1:2"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(days in -719_528_i32..2_932_897, micros in 0..MICROS_PER_DAY) {
            let (mut date, mut timestamp) = (Vec::new(), Vec::new());
            let moment = i64::from(days) * MICROS_PER_DAY + micros;
            prop_assert!(write_date(days, &mut date).is_some());
            prop_assert!(write_timestamp(moment, &mut timestamp).is_some());
            prop_assert_eq!(date_from_binary(&date), Some(days));
            prop_assert_eq!(timestamp_from_binary(&timestamp), Some(moment));
        }

        #[test]
        fn times_that_are_written_are_read(micros in any::<i64>()) {
            let mut time = Vec::new();
            if write_time(micros, &mut time).is_some() {
                prop_assert_eq!(time_from_binary(&time), Some(micros));
            } else {
                prop_assert!(micros.unsigned_abs() > 3_020_399_000_000);
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in any::<Vec<u8>>()) {
            let _ = (date_from_binary(&bytes), timestamp_from_binary(&bytes), time_from_binary(&bytes));
        }

        #[test]
        fn any_text_is_read(text in "-?[0-9]{0,20}[-:.]?[0-9]{0,20}[-: .][0-9]{0,20}") {
            let _ = (date_from_text(&text), timestamp_from_text(&text), time_from_text(&text));
        }
    }
}
