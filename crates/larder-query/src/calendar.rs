//! Days and microseconds to ISO 8601 text, in the proleptic Gregorian calendar.
//!
//! Guards that a moment has exactly one text, whatever crate its reader uses for time.

use std::fmt;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A day, counted from 1970-01-01, as `YYYY-MM-DD`.
pub(crate) struct IsoDate(pub(crate) i64);

/// Microseconds since midnight as `HH:MM:SS`, with three or six digits of a fraction if there
/// is one. A negative or longer span, which MySQL's `TIME` can hold, keeps its sign and hours.
pub(crate) struct IsoTime(pub(crate) i64);

/// Microseconds since 1970-01-01 00:00 as a date, a separator and a time.
pub(crate) struct IsoTimestamp {
    pub(crate) micros: i64,
    pub(crate) separator: char,
    /// What follows the time: nothing, `Z` or `+00:00`.
    pub(crate) suffix: &'static str,
}

impl fmt::Display for IsoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        // ISO 8601 wants a sign as soon as a year has not exactly four digits.
        match year {
            0..=9_999 => write!(f, "{year:04}-{month:02}-{day:02}"),
            _ => write!(f, "{year:+05}-{month:02}-{day:02}"),
        }
    }
}

impl fmt::Display for IsoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let micros = self.0.unsigned_abs();
        let seconds = micros / 1_000_000;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
        match micros % 1_000_000 {
            0 => Ok(()),
            fraction if fraction % 1_000 == 0 => write!(f, ".{:03}", fraction / 1_000),
            fraction => write!(f, ".{fraction:06}"),
        }
    }
}

impl fmt::Display for IsoTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = IsoDate(self.micros.div_euclid(MICROS_PER_DAY));
        let time = IsoTime(self.micros.rem_euclid(MICROS_PER_DAY));
        write!(f, "{day}{}{time}{}", self.separator, self.suffix)
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// The calendar repeats every 400 years, which are 146 097 days. Counting years from 1 March puts
/// the leap day last, so that the months' lengths follow one linear formula.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The day, counted from 1970-01-01, of a year, month and day; `None` if no calendar has it.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    // The inverse of the formula above.
    let month_from_march = (month + 9).rem_euclid(12);
    let year_from_march = year - i64::from(month <= 2);
    let year_of_era = year_from_march.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = year_from_march.div_euclid(400) * 146_097 + day_of_era - 719_468;
    // A day that does not exist, such as 31 April, comes out as another one.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    fn timestamp(micros: i64) -> String {
        IsoTimestamp { micros, separator: 'T', suffix: "" }.to_string()
    }

    #[test]
    fn known_moments_have_their_text() {
        assert_eq!(IsoDate(0).to_string(), "1970-01-01");
        assert_eq!(IsoDate(-1).to_string(), "1969-12-31");
        assert_eq!(IsoDate(11_016).to_string(), "2000-02-29");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999999");
        assert_eq!(timestamp(1_500_000), "1970-01-01T00:00:01.500");
        assert_eq!(IsoTime(-3_020_399_000_000).to_string(), "-838:59:59");
    }

    #[test]
    fn years_beyond_four_digits_carry_a_sign() {
        assert_eq!(IsoDate(2_932_897).to_string(), "+10000-01-01");
        assert_eq!(IsoDate(-719_529).to_string(), "-0001-12-31");
    }

    #[test]
    fn the_extremes_have_a_text() {
        for days in [i64::MIN, i64::MAX] {
            assert!(IsoDate(days).to_string().len() > 10);
            assert!(timestamp(days).len() > 20);
        }
    }

    #[test]
    fn days_that_no_calendar_has_are_none() {
        for (year, month, day) in
            [(0, 0, 0), (2024, 0, 10), (2024, 13, 1), (2023, 2, 29), (2024, 4, 31)]
        {
            assert_eq!(days_from_civil(year, month, day), None, "{year}-{month}-{day}");
        }
        assert_eq!(days_from_civil(2000, 2, 29), Some(11_016));
    }

    proptest! {
        #[test]
        fn a_day_becomes_itself(days in -10_000_000_i64..10_000_000) {
            let (year, month, day) = civil_from_days(days);
            prop_assert_eq!(days_from_civil(year, month, day), Some(days));
        }

        #[test]
        fn agrees_with_chrono(days in -90_000_000_i64..90_000_000) {
            let day = NaiveDate::from_ymd_opt(1970, 1, 1)
                .and_then(|epoch| epoch.checked_add_signed(Duration::days(days)));
            if let Some(day) = day {
                prop_assert_eq!(IsoDate(days).to_string(), day.to_string());
            }
        }

        #[test]
        fn timestamps_agree_with_chrono(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let expected = DateTime::from_timestamp_micros(micros).map(|moment| {
                moment.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string()
            });
            prop_assert_eq!(Some(timestamp(micros)), expected);
        }
    }
}
