//! The texts of types that have no value of their own.
//!
//! Guards that they are those that PostgreSQL reads back as the same value.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    decode::{EPOCH_DAYS, Malformed},
    reader::Reader,
};
use crate::calendar::{IsoDate, IsoTime};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// An interval in ISO 8601, as `intervalstyle = iso_8601` writes it: `P1Y2M3DT4H5M6.5S`.
pub(super) fn interval(micros: i64, days: i32, months: i32) -> String {
    match (micros, days, months) {
        (0, 0, 0) => return "PT0S".to_owned(),
        (i64::MAX, i32::MAX, i32::MAX) => return "infinity".to_owned(),
        (i64::MIN, i32::MIN, i32::MIN) => return "-infinity".to_owned(),
        _ => {}
    }
    let mut text = "P".to_owned();
    let part = |text: &mut String, number: i64, unit| {
        if number != 0 {
            // Writing into a text does not fail.
            let _ = write!(text, "{number}{unit}");
        }
    };
    part(&mut text, (months / 12).into(), 'Y');
    part(&mut text, (months % 12).into(), 'M');
    part(&mut text, days.into(), 'D');
    if micros != 0 {
        text.push('T');
        let seconds = micros / 1_000_000;
        part(&mut text, seconds / 3_600, 'H');
        part(&mut text, seconds / 60 % 60, 'M');
        let fraction = micros.unsigned_abs() % 1_000_000;
        if seconds % 60 != 0 || fraction != 0 {
            let sign = if micros < 0 { "-" } else { "" };
            let _ = write!(text, "{sign}{}", (seconds % 60).abs());
            if fraction != 0 {
                let digits = format!("{fraction:06}");
                let _ = write!(text, ".{}", digits.trim_end_matches('0'));
            }
            text.push('S');
        }
    }
    text
}

/// A time of day with its distance to UTC in seconds, counted westward: `12:30:00+02`.
pub(super) fn time_tz(micros: i64, west: i32) -> String {
    let sign = if west > 0 { '-' } else { '+' };
    let zone = west.unsigned_abs();
    let mut text = format!("{}{sign}{:02}", IsoTime(micros), zone / 3_600);
    let (minutes, seconds) = (zone / 60 % 60, zone % 60);
    if minutes != 0 || seconds != 0 {
        let _ = write!(text, ":{minutes:02}");
    }
    if seconds != 0 {
        let _ = write!(text, ":{seconds:02}");
    }
    text
}

/// A moment in microseconds since 2000 that has no number of ours.
pub(super) fn far_timestamp(micros: i64, suffix: &'static str) -> String {
    let days = micros.div_euclid(MICROS_PER_DAY) + i64::from(EPOCH_DAYS);
    format!("{}T{}{suffix}", IsoDate(days), IsoTime(micros.rem_euclid(MICROS_PER_DAY)))
}

/// An address, with its net mask unless it stands for one host. Of a network it is always there.
pub(super) fn inet(bytes: &[u8]) -> Result<String, Malformed> {
    let mut reader = Reader(bytes);
    let (family, bits, is_network, len) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
    let (address, all) = match (family, len) {
        (2, 4) => (Ipv4Addr::from(reader.take::<4>()?).to_string(), 32),
        (3, 16) => (Ipv6Addr::from(reader.take::<16>()?).to_string(), 128),
        _ => return Err(Malformed),
    };
    reader.end()?;
    Ok(if bits == all && is_network == 0 { address } else { format!("{address}/{bits}") })
}

/// The address of a network card, of six or eight bytes.
pub(super) fn mac(bytes: &[u8]) -> Result<String, Malformed> {
    if !matches!(bytes.len(), 6 | 8) {
        return Err(Malformed);
    }
    let parts: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(parts.join(":"))
}

/// Bits as zeros and ones, the first one first.
pub(super) fn bits(bytes: &[u8]) -> Result<String, Malformed> {
    let mut reader = Reader(bytes);
    let len = usize::try_from(reader.i32()?).map_err(|_| Malformed)?;
    let bytes = reader.slice(len.div_ceil(8))?;
    reader.end()?;
    let bit = |i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    Ok((0..len).map(|i| if bit(i) == 1 { '1' } else { '0' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_the_server_does() {
        assert_eq!(interval(0, 0, 0), "PT0S");
        assert_eq!(interval(14_706_500_000, 3, 14), "P1Y2M3DT4H5M6.5S");
        assert_eq!(interval(-1, 0, -1), "P-1MT-0.000001S");
        assert_eq!(interval(-14_706_000_000, -3, -14), "P-1Y-2M-3DT-4H-5M-6S");
        assert_eq!(interval(3_600_000_000, -1, 0), "P-1DT1H");
        assert_eq!(interval(i64::MAX, i32::MAX, i32::MAX), "infinity");
    }

    #[test]
    fn zones_are_as_precise_as_they_have_to_be() {
        assert_eq!(time_tz(45_000_000_000, -7_200), "12:30:00+02");
        assert_eq!(time_tz(45_000_500_000, 12_600), "12:30:00.500-03:30");
        assert_eq!(time_tz(0, -1), "00:00:00+00:00:01");
        assert_eq!(time_tz(0, 0), "00:00:00+00");
    }

    #[test]
    fn addresses_have_masks_where_they_need_one() {
        let check = |bytes: &[u8], text: &str| assert_eq!(inet(bytes).as_deref(), Ok(text));
        check(&[2, 32, 0, 4, 10, 0, 0, 1], "10.0.0.1");
        check(&[2, 8, 0, 4, 10, 0, 0, 1], "10.0.0.1/8");
        check(&[2, 32, 1, 4, 10, 0, 0, 1], "10.0.0.1/32");
        let mut six = vec![3, 128, 0, 16];
        six.extend([0; 15]);
        six.push(1);
        check(&six, "::1");
        assert!(inet(&[2, 32, 0, 16, 1, 2, 3, 4]).is_err());
        assert_eq!(mac(&[8, 0, 0x2b, 1, 2, 3]).as_deref(), Ok("08:00:2b:01:02:03"));
    }

    #[test]
    fn bits_are_counted() {
        assert_eq!(bits(&[0, 0, 0, 10, 0b1010_0000, 0b0100_0000]).as_deref(), Ok("1010000001"));
        assert_eq!(bits(&[0, 0, 0, 0]).as_deref(), Ok(""));
        assert!(bits(&[0, 0, 0, 9, 0]).is_err());
        assert!(bits(&[0x7f, 0xff, 0xff, 0xff]).is_err());
    }
}
