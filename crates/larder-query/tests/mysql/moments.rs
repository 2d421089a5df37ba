//! Dates and times.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use larder_query::{Params, QueryError, RowError, RowLimit, Value};

use crate::Fixture;

pub(crate) async fn moments_go_out_and_come_back_through_chrono(f: Fixture) {
    f.run("CREATE TABLE t (d DATE, t TIME(6), n DATETIME(6), u TIMESTAMP(6) NULL)").await;
    let day: NaiveDate = "2024-02-29".parse().unwrap();
    let time: NaiveTime = "12:30:00.000001".parse().unwrap();
    let naive = NaiveDateTime::new(day, time);
    let utc: DateTime<Utc> = naive.and_utc();
    let mut params = Params::new();
    let micros = naive.and_utc().timestamp_micros();
    params.bind(Value::Date(19_782)).bind(Value::Time(45_000_000_001));
    params.bind(Value::Timestamp(micros)).bind(Value::TimestampUtc(micros));
    f.database.execute("INSERT INTO t VALUES (?, ?, ?, ?)", &params).await.unwrap();
    let typed = f.rows("SELECT d, t, n, u FROM t").await;
    let typed = typed.to::<(NaiveDate, NaiveTime, NaiveDateTime, DateTime<Utc>)>();
    assert_eq!(typed.unwrap(), [(day, time, naive, utc)]);
}

pub(crate) async fn dates_that_no_calendar_has_are_errors_that_name_the_column(f: Fixture) {
    f.run("CREATE TABLE t (id INT, born DATE, seen DATETIME)").await;
    // In one text, because the mode is that of a session.
    f.run(
        "SET sql_mode = 'ALLOW_INVALID_DATES'; \
         INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00 00:00:00'), \
         (2, '2024-00-10', '2024-00-10 12:00:00'), (3, '2024-02-31', '2024-02-31 12:00:00'), \
         (4, NULL, NULL), (5, '2024-02-29', '2024-02-29 12:00:00')",
    )
    .await;
    for id in 1..=3 {
        for column in ["born", "seen"] {
            for more in ["", "; DO 0"] {
                let sql = format!("SELECT id, {column} FROM t WHERE id = {id}{more}");
                let outcome = f.database.fetch(&sql, &Params::new(), RowLimit::All).await;
                let Err(QueryError::Row(RowError::Mismatch { column: named, .. })) = outcome else {
                    panic!("{sql}: {outcome:?}")
                };
                assert_eq!(named.as_deref(), Some(column));
            }
        }
    }
    assert_eq!(f.value("SELECT born FROM t WHERE id = 4").await, Value::Null);
    assert_eq!(f.value("SELECT born FROM t WHERE id = 5").await, Value::Date(19_782));
}

pub(crate) async fn times_may_be_negative_and_longer_than_a_day(f: Fixture) {
    f.run("CREATE TABLE t (a TIME(6))").await;
    let longest = 3_020_399_000_000;
    for micros in [0, 1, -1, longest, -longest, 86_400_000_000] {
        let mut params = Params::new();
        params.bind(Value::Time(micros));
        f.run("DELETE FROM t").await;
        f.database.execute("INSERT INTO t VALUES (?)", &params).await.unwrap();
        assert_eq!(f.value("SELECT a FROM t").await, Value::Time(micros));
        assert_eq!(f.value("SELECT a FROM t; DO 0").await, Value::Time(micros));
    }
}

pub(crate) async fn timestamps_are_utc_and_datetimes_are_not(f: Fixture) {
    f.run("CREATE TABLE t (a TIMESTAMP NULL, b DATETIME)").await;
    // Written by somebody in another time zone.
    f.run("SET time_zone = '+02:00'; INSERT INTO t VALUES ('1970-01-02 02:00:00', '1970-01-02 02:00:00')")
        .await;
    let day = 86_400_000_000;
    assert_eq!(f.value("SELECT a FROM t").await, Value::TimestampUtc(day));
    assert_eq!(f.value("SELECT b FROM t").await, Value::Timestamp(day + 7_200_000_000));
    let Value::Text(zone) = f.value("SELECT @@time_zone").await else { panic!("a text") };
    assert_eq!(zone, "+00:00");
}
