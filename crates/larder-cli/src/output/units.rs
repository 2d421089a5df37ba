//! Numbers for people: three digits and a unit.

use std::time::Duration;

/// A duration in the unit that fits: `412 ns`, `38.2 µs`, `1.05 ms`, `2.50 s`.
pub(crate) fn latency(duration: Duration) -> String {
    const UNITS: [(u128, &str); 4] =
        [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];
    scaled(duration.as_nanos(), &UNITS)
}

/// A size in the unit that fits, in powers of 1,024: `512 B`, `34.2 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    scaled(bytes.into(), &[(1, "B"), (1 << 10, "KiB"), (1 << 20, "MiB"), (1 << 30, "GiB")])
}

/// A count with its thousands set apart: `200,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A count with what is counted: `1 step`, `2 steps`. For words whose plural ends in s.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number as u64))
}

/// How many times as fast: `1.04×`, `83×`, `443,902×`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio of durations is not negative, and saturates beyond what can be told apart"
)]
pub(crate) fn factor(ratio: f64) -> String {
    if ratio < 9.95 {
        format!("{ratio:.2}×")
    } else {
        format!("{}×", count(ratio.round() as u64))
    }
}

/// A share of one as a percentage: `99.9 %`.
pub(crate) fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The number with three digits, in the smallest unit in which it stays below a thousand.
fn scaled(number: u128, units: &[(u128, &str)]) -> String {
    let mut shown = String::new();
    for &(size, unit) in units {
        // In hundredths, rounded half up, so that no float decides about a digit.
        let hundredths = (number * 100 + size / 2) / size;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        shown = match whole {
            _ if size == 1 => format!("{number} {unit}"),
            0..10 => format!("{whole}.{rest:02} {unit}"),
            10..100 => format!("{whole}.{} {unit}", rest / 10),
            _ => format!("{whole} {unit}"),
        };
        if whole < 1_000 {
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_take_the_unit_that_fits() {
        for (nanos, shown) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (38_249, "38.2 µs"),
            (999_999, "1.00 ms"),
            (1_050_000, "1.05 ms"),
            (182_400_000, "182 ms"),
            (61_000_000_000, "61.0 s"),
        ] {
            assert_eq!(latency(Duration::from_nanos(nanos)), shown, "{nanos}");
        }
    }

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_536), "1.50 KiB");
        assert_eq!(bytes(35_861_299), "34.2 MiB");
        assert_eq!(bytes(u64::MAX), "17179869184 GiB");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn one_is_no_plural() {
        for (number, shown) in [(0, "0 steps"), (1, "1 step"), (2_000, "2,000 steps")] {
            assert_eq!(counted(number, "step"), shown);
        }
    }

    #[test]
    fn factors_have_digits_where_they_matter() {
        assert_eq!(factor(1.0), "1.00×");
        assert_eq!(factor(9.949), "9.95×");
        assert_eq!(factor(9.96), "10×");
        assert_eq!(factor(443_901.7), "443,902×");
        assert_eq!(share(0.9987), "99.9 %");
    }
}
