//! Parameters from the types of `chrono`.
//!
//! Guards that every type has one precision, microseconds: what is finer is cut off, as the
//! databases themselves do, so that a key never differs in digits that nobody compares.

#![cfg(feature = "chrono")]

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike as _};

use crate::{Bind, Param, ParamType, Slot};

impl Bind for NaiveDate {
    const TYPE: ParamType = ParamType::Date;

    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::Date(self.to_epoch_days()));
    }
}

impl Bind for NaiveTime {
    const TYPE: ParamType = ParamType::Time;

    fn bind(&self, slot: Slot<'_>) {
        let seconds = i64::from(self.num_seconds_from_midnight());
        // A leap second is a nanosecond count beyond a thousand million; databases have none,
        // so it counts as the first second of the next minute.
        let micros = i64::from(self.nanosecond() / 1_000);
        slot.put(Param::Time(seconds * 1_000_000 + micros));
    }
}

impl Bind for NaiveDateTime {
    const TYPE: ParamType = ParamType::Timestamp;

    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::Timestamp(self.and_utc().timestamp_micros()));
    }
}

impl<Z: TimeZone> Bind for DateTime<Z> {
    const TYPE: ParamType = ParamType::TimestampUtc;

    fn bind(&self, slot: Slot<'_>) {
        slot.put(Param::TimestampUtc(self.timestamp_micros()));
    }
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, Utc};

    use super::*;
    use crate::{Params, Value};

    fn text(value: impl Bind) -> String {
        let mut params = Params::new();
        params.bind(value);
        params.iter().next().map_or(Value::Null, Param::to_value).to_string()
    }

    #[test]
    fn each_type_keeps_its_text() {
        for day in ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31"] {
            assert_eq!(text(day.parse::<NaiveDate>().unwrap()), day);
        }
        for time in ["00:00:00", "23:59:59.999999", "12:00:00.500"] {
            assert_eq!(text(time.parse::<NaiveTime>().unwrap()), time);
        }
        for moment in ["1969-12-31T23:59:59.999999", "2024-02-29T12:00:00"] {
            assert_eq!(text(moment.parse::<NaiveDateTime>().unwrap()), moment);
        }
    }

    #[test]
    fn one_moment_in_two_zones_is_one_parameter() {
        let utc: DateTime<Utc> = "2024-02-29T12:00:00Z".parse().unwrap();
        let zone = FixedOffset::east_opt(3_600).unwrap();
        assert_eq!(text(utc), text(utc.with_timezone(&zone)));
        assert_ne!(text(utc), text(utc.naive_utc()));
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_off() {
        let fine: NaiveTime = "00:00:00.000001999".parse().unwrap();
        assert_eq!(text(fine), "00:00:00.000001");
    }
}
