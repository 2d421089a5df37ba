//! How Python writes values: `str()` of what its drivers return, and `json.dumps`.
//!
//! Guards that an entry has the bytes that the programs in Python would have stored, for the types
//! that both sides write alike.

use std::{
    fmt::{self, Write as _},
    io,
};

use serde_json::ser::Formatter;

use crate::calendar::IsoDate;

const MICROS_PER_SECOND: u64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * 1_000_000;

/// Microseconds since midnight as `str(datetime.time)`: a fraction has six digits, or is not
/// there.
pub(super) struct Time(pub(super) i64);

/// Microseconds since 1970-01-01 00:00 as `str(datetime.datetime)`.
pub(super) struct DateTime {
    pub(super) micros: i64,
    /// `+00:00` for a moment in UTC.
    pub(super) zone: &'static str,
}

/// Microseconds as `str(datetime.timedelta)`: days and hours are floored, so that only the days
/// carry a sign.
pub(super) struct TimeDelta(pub(super) i64);

/// Bytes as `str(bytes)`.
pub(super) struct BytesRepr<'a>(pub(super) &'a [u8]);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let seconds = micros / MICROS_PER_SECOND;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
        fraction(micros, f)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = IsoDate(self.micros.div_euclid(MICROS_PER_DAY));
        let time = Time(self.micros.rem_euclid(MICROS_PER_DAY));
        write!(f, "{day} {time}{}", self.zone)
    }
}

impl fmt::Display for TimeDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(MICROS_PER_DAY);
        let micros = self.0.rem_euclid(MICROS_PER_DAY).unsigned_abs();
        if days != 0 {
            let s = if days.unsigned_abs() == 1 { "" } else { "s" };
            write!(f, "{days} day{s}, ")?;
        }
        let seconds = micros / MICROS_PER_SECOND;
        write!(f, "{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
        fraction(micros, f)
    }
}

fn fraction(micros: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match micros % MICROS_PER_SECOND {
        0 => Ok(()),
        fraction => write!(f, ".{fraction:06}"),
    }
}

impl fmt::Display for BytesRepr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Double quotes only where that saves escaping the single ones.
        let quote = if self.0.contains(&b'\'') && !self.0.contains(&b'"') { '"' } else { '\'' };
        write!(f, "b{quote}")?;
        for &byte in self.0 {
            match byte {
                b'\t' => f.write_str("\\t")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\\' => f.write_str("\\\\")?,
                _ if char::from(byte) == quote => write!(f, "\\{quote}")?,
                b' '..=b'~' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_char(quote)
    }
}

/// A decimal's digits as `str(decimal.Decimal)`, which turns to an exponent for small numbers:
/// `0.00000000` is `0E-8`. What is no plain number, such as `NaN`, stays as it is.
///
/// # Source
/// General Decimal Arithmetic Specification 1.70, to-scientific-string.
pub(super) fn decimal(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text),
    };
    let Some((whole, fraction)) = unsigned.split_once('.') else { return text.to_owned() };
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.to_owned();
    }
    let coefficient = match digits.trim_start_matches('0') {
        "" => "0",
        coefficient => coefficient,
    };
    // The position of the first digit against the point: 0 for 1.5, -1 for 0.15.
    let leading = coefficient.len() - 1;
    let drop = fraction.len().saturating_sub(leading);
    if drop <= 6 {
        return text.to_owned();
    }
    let (first, rest) = coefficient.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E-{drop}")
}

/// The layout of `json.dumps`: a space after commas and colons, every character beyond ASCII
/// escaped, exponents with a sign and two digits.
pub(super) struct Dumps;

impl Formatter for Dumps {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let shortest = format!("{value:?}");
        let Some((mantissa, exponent)) = shortest.split_once('e') else {
            return writer.write_all(shortest.as_bytes());
        };
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        write!(writer, "{mantissa}e{sign}{digits:0>2}")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !(' '..='~').contains(&c)) {
            let (plain, from_here) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = from_here.chars();
            let mut units = [0; 2];
            for unit in chars.next().unwrap_or_default().encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn moments_are_written_as_python_does() {
        let moment = |micros, zone| DateTime { micros, zone }.to_string();
        assert_eq!(moment(1_704_067_200 * SECOND, ""), "2024-01-01 00:00:00");
        assert_eq!(moment(1_704_067_200 * SECOND + 500_000, ""), "2024-01-01 00:00:00.500000");
        assert_eq!(moment(-1, "+00:00"), "1969-12-31 23:59:59.999999+00:00");
        assert_eq!(Time(45_000 * SECOND).to_string(), "12:30:00");
        assert_eq!(Time(1).to_string(), "00:00:00.000001");
    }

    #[test]
    fn spans_floor_to_days() {
        let span = |micros| TimeDelta(micros).to_string();
        assert_eq!(span(5_400 * SECOND), "1:30:00");
        assert_eq!(span(86_400 * SECOND), "1 day, 0:00:00");
        assert_eq!(span(-7_200 * SECOND), "-1 day, 22:00:00");
        assert_eq!(span(-3_020_399 * SECOND), "-35 days, 1:00:01");
        assert_eq!(span(90_000 * SECOND + 1), "1 day, 1:00:00.000001");
    }

    #[test]
    fn bytes_are_quoted_as_python_does() {
        let repr = |bytes: &[u8]| BytesRepr(bytes).to_string();
        assert_eq!(repr(b"\x00\xffa~\x7f"), r"b'\x00\xffa~\x7f'");
        assert_eq!(repr(b"\t\n\r\\"), r"b'\t\n\r\\'");
        assert_eq!(repr(b"it's"), r#"b"it's""#);
        assert_eq!(repr(b"'\""), r#"b'\'"'"#);
    }

    #[test]
    fn small_decimals_have_an_exponent() {
        for (text, written) in [
            ("1.50", "1.50"),
            ("-0.00", "-0.00"),
            ("0.000000", "0.000000"),
            ("0.0000000", "0E-7"),
            ("0.00000000", "0E-8"),
            ("-0.00000012", "-1.2E-7"),
            ("0.0000012", "0.0000012"),
            ("0.0000001", "1E-7"),
            ("0.00000010", "1.0E-7"),
            ("12.00000000", "12.00000000"),
            ("100", "100"),
            ("NaN", "NaN"),
            ("", ""),
            (".", "."),
        ] {
            assert_eq!(decimal(text), written);
        }
    }
}
