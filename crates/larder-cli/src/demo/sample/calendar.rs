//! Days and minutes as text.

/// The day this many days after 1970-01-01, as `YYYY-MM-DD`.
///
/// # Source
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`, for days
/// that are not before 0000-03-01.
pub(crate) fn day(days_since_1970: u64) -> String {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The minute this many minutes after 1970-01-01 00:00, as `YYYY-MM-DD HH:MM`.
pub(crate) fn minute(minutes_since_1970: u64) -> String {
    let (days, minutes) = (minutes_since_1970 / 1_440, minutes_since_1970 % 1_440);
    format!("{} {:02}:{:02}", day(days), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_those_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(11_016), "2000-02-29");
        assert_eq!(day(11_017), "2000-03-01");
        assert_eq!(day(20_270), "2025-07-01");
        assert_eq!(minute(20_270 * 1_440 + 61), "2025-07-01 01:01");
    }
}
