//! Times as text, as the former tables hold them.
//!
//! Invariant: what we write is UTC with a space, which both SQLite's `datetime('now')` and
//! Python's `fromisoformat` understand. What we read is UTC if it has a space, the local time of
//! this machine if it has a `T` and no offset, as the Python tool wrote it, and what its offset
//! says if it has one. Times are compared as numbers, never as text.

use larder_sqlite_file::rusqlite::{self, Connection};

/// An SQL expression for the milliseconds since 1970 UTC of a column of the former tables; `NULL`
/// where it holds no time. (`utc` forgets a `subsec` that stands before it.)
macro_rules! millis_sql {
    ($column:literal) => {
        concat!(
            "CAST(round(1000 * CASE WHEN substr(",
            $column,
            ", 11, 1) = 'T' THEN unixepoch(",
            $column,
            ", 'utc', 'subsec') ELSE unixepoch(",
            $column,
            ", 'subsec') END) AS INTEGER)"
        )
    };
}
pub(crate) use millis_sql;

/// The text of a time, `YYYY-MM-DD HH:MM:SS.mmm` in UTC.
pub(crate) fn format_ms(millis: i64) -> String {
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:03}")
}

/// The milliseconds of a text; `None` if it is no time.
pub(crate) fn parse_ms(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached(concat!("SELECT ", millis_sql!("?1")))?;
    select.query_row([text], |row| row.get(0))
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is a year's last one, and in eras of 400
/// years, which all have the same number of days.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_ERA: i64 = 146_097;
    // Days from 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(parse_ms(&connection, text).unwrap(), expected, "{text}");
    }

    #[test]
    fn what_is_written_is_what_sqlite_reads() {
        let connection = Connection::open_in_memory().unwrap();
        for millis in [0, 1, -1, 951_782_400_123, 1_735_689_600_000, 4_107_542_399_999] {
            let text = format_ms(millis);
            assert_eq!(parse_ms(&connection, &text).unwrap(), Some(millis), "{text}");
        }
        assert_eq!(format_ms(951_782_400_123), "2000-02-29 00:00:00.123");
    }

    #[test]
    fn every_day_of_four_centuries_is_the_one_that_sqlite_names() {
        let connection = Connection::open_in_memory().unwrap();
        let mut select = connection.prepare("SELECT date(?1 * 86400, 'unixepoch')").unwrap();
        for days in (-150_000..150_000).step_by(13) {
            let expected: String = select.query_row([days], |row| row.get(0)).unwrap();
            assert_eq!(format_ms(days * 86_400_000)[..10], expected);
        }
    }

    #[test]
    fn a_space_means_utc_and_an_offset_is_obeyed() {
        check("2025-06-09 13:37:23", Some(1_749_476_243_000));
        check("2025-06-09 13:37:23.42", Some(1_749_476_243_420));
        check("2025-06-09T13:37:23.420000+02:00", Some(1_749_469_043_420));
        check("2025-06-09T13:37:23Z", Some(1_749_476_243_000));
        check("yesterday", None);
    }

    #[test]
    fn a_t_without_an_offset_means_local_time() {
        let connection = Connection::open_in_memory().unwrap();
        let text = "2025-06-09T13:37:23.420000";
        let back: String = connection
            .query_row(
                "SELECT strftime('%Y-%m-%dT%H:%M:%f', ?1 / 1000.0, 'unixepoch', 'localtime')",
                [parse_ms(&connection, text).unwrap()],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(back, "2025-06-09T13:37:23.420");
    }
}
