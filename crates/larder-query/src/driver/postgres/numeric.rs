//! PostgreSQL's `NUMERIC` in its binary form, and as text.
//!
//! Guards that every digit survives, those after the point that are zero included, and so do
//! `NaN` and the infinities.
//!
//! A number is a list of digits to the base of 10 000. The weight is the power of the first one;
//! the scale says how many decimal digits come after the point.

use std::fmt::Write as _;

use super::{decode::Malformed, reader::Reader};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// How many decimal digits one digit of the format holds.
const GROUP: usize = 4;

/// The text, as PostgreSQL itself writes it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Malformed> {
    let mut bytes = Reader(bytes);
    let count = bytes.u16()?;
    let weight = bytes.i16()?;
    let sign = bytes.u16()?;
    let scale = usize::from(bytes.u16()?);
    match sign {
        NAN => return Ok("NaN".to_owned()),
        INFINITY => return Ok("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Ok("-Infinity".to_owned()),
        POSITIVE | NEGATIVE => {}
        _ => return Err(Malformed),
    }
    let digits = (0..count).map(|_| bytes.u16()).collect::<Result<Vec<_>, _>>()?;
    let digit = |power: i32| {
        let index = usize::try_from(i32::from(weight) - power).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or_default()
    };
    let mut text = String::with_capacity(4 + GROUP * digits.len() + scale);
    if sign == NEGATIVE {
        text.push('-');
    }
    // Writing into a text does not fail.
    let _ = write!(text, "{}", digit(i32::from(weight).max(0)));
    for power in (0..i32::from(weight)).rev() {
        let _ = write!(text, "{:04}", digit(power));
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut power = -1;
        while text.len() < end {
            let _ = write!(text, "{:04}", digit(power));
            power -= 1;
        }
        text.truncate(end);
    }
    Ok(text)
}

/// The binary form of a text; `None` if it is no number or has too many digits.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', ..] => (NEGATIVE, &text[1..]),
        [b'+', ..] => (POSITIVE, &text[1..]),
        _ => (POSITIVE, text),
    };
    let special = match unsigned {
        "NaN" => Some(NAN),
        "Infinity" if sign == NEGATIVE => Some(NEGATIVE_INFINITY),
        "Infinity" => Some(INFINITY),
        _ => None,
    };
    if let Some(special) = special {
        [0, 0, special, 0].iter().for_each(|word| out.extend(word.to_be_bytes()));
        return Some(());
    }
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let groups_before = whole.len().div_ceil(GROUP);
    let padding = groups_before * GROUP - whole.len();
    let zeros = || std::iter::repeat_n(b'0', GROUP - 1);
    let padded: Vec<u8> = std::iter::repeat_n(b'0', padding)
        .chain(whole.bytes())
        .chain(fraction.bytes())
        .chain(zeros())
        .collect();
    let mut groups: Vec<u16> = padded
        .chunks_exact(GROUP)
        .map(|group| group.iter().fold(0, |sum, byte| sum * 10 + u16::from(byte - b'0')))
        .collect();
    let mut weight = i16::try_from(groups_before).ok()?.checked_sub(1)?;
    // Zeros at either end are implied.
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight = weight.checked_sub(i16::try_from(leading).ok()?)?;
    if groups.is_empty() {
        weight = 0;
    }
    // The format has fourteen bits for the scale.
    let scale = u16::try_from(fraction.len()).ok().filter(|scale| *scale < 1 << 14)?;
    let sign = if groups.is_empty() { POSITIVE } else { sign };
    out.extend(u16::try_from(groups.len()).ok()?.to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(scale.to_be_bytes());
    groups.iter().for_each(|group| out.extend(group.to_be_bytes()));
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn round_trip(text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        encode(text, &mut bytes)?;
        Some(decode(&bytes).unwrap())
    }

    #[test]
    fn the_servers_own_bytes_are_read() {
        // Taken from numeric_send.
        for (bytes, text) in [
            (words(&[0, 0, 0, 0]), "0"),
            (words(&[0, 0, 0, 3]), "0.000"),
            (words(&[1, 0, 0, 0, 7]), "7"),
            (words(&[2, 0, 0, 2, 1, 1000]), "1.10"),
            (words(&[1, 0xffff, 0x4000, 4, 1]), "-0.0001"),
            (words(&[1, 0xfffe, 0, 6, 100]), "0.000001"),
            (words(&[1, 2, 0, 0, 1]), "100000000"),
            (words(&[3, 1, 0, 1, 1, 2, 5000]), "10002.5"),
            (words(&[0, 0, 0xC000, 0]), "NaN"),
            (words(&[0, 0, 0xF000, 32]), "-Infinity"),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1e5", "0x1", "1.2.3", " 1", "infinity", "--1"] {
            assert_eq!(round_trip(text), None, "{text:?}");
        }
        assert_eq!(round_trip(&format!("0.{}", "1".repeat(16_384))), None);
        for bytes in [&[][..], &[0; 7], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 1, 0, 0, 0]] {
            assert!(decode(bytes).is_err());
        }
    }

    #[test]
    fn signs_and_points_may_stand_at_the_edge() {
        assert_eq!(round_trip("+5").as_deref(), Some("5"));
        assert_eq!(round_trip("-0").as_deref(), Some("0"));
        assert_eq!(round_trip(".5").as_deref(), Some("0.5"));
        assert_eq!(round_trip("5.").as_deref(), Some("5"));
        assert_eq!(round_trip("-Infinity").as_deref(), Some("-Infinity"));
        assert_eq!(round_trip("NaN").as_deref(), Some("NaN"));
    }

    proptest! {
        #[test]
        fn every_digit_survives(text in "-?[1-9][0-9]{0,40}(\\.[0-9]{1,40})?|-?0\\.[0-9]{0,8}[1-9]") {
            prop_assert_eq!(round_trip(&text), Some(text));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
