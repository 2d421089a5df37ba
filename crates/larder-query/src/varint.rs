//! Variable-length numbers, shared by the parameter and the row format.
//!
//! Guards that a number has one encoding only: a longer spelling of it is refused, so that equal
//! bytes and equal content are the same thing.

/// Seven bits a byte, the lowest first; ten bytes hold 64 bits.
const BYTES_MAX: usize = 10;

/// The encoding of a number, and how many of its bytes are meant.
#[inline(always)]
pub(crate) fn encode(mut number: u64) -> ([u8; BYTES_MAX], usize) {
    let mut bytes = [0; BYTES_MAX];
    let mut len = 0;
    for byte in &mut bytes {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        len += 1;
        if number == 0 {
            *byte = low & 0x7f;
            break;
        }
        *byte = low | 0x80;
    }
    (bytes, len)
}

/// Takes one number off the front; `None` if it is cut short, too large or spelled too long.
pub(crate) fn decode(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (i, &byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << (7 * i);
        if shifted >> (7 * i) != bits {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            if byte == 0 && i > 0 {
                return None;
            }
            *bytes = &bytes[i + 1..];
            return Some(number);
        }
    }
    None
}

/// Folds the sign into the lowest bit, so that small negative numbers stay short.
pub(crate) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The inverse of [`zigzag`].
pub(crate) const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(number: u64) {
        let (bytes, len) = encode(number);
        let mut rest = &bytes[..len];
        assert_eq!(decode(&mut rest), Some(number));
        assert!(rest.is_empty());
        assert_eq!(decode(&mut &bytes[..len - 1]), None, "cut short");
    }

    #[test]
    fn the_extremes_survive() {
        for number in [0, 1, 127, 128, u64::MAX - 1, u64::MAX] {
            check(number);
        }
        for number in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(number)), number);
        }
    }

    #[test]
    fn longer_spellings_and_overflows_are_refused() {
        assert_eq!(decode(&mut &[0x80, 0x00][..]), None);
        assert_eq!(decode(&mut &[0xff; 10][..]), None);
        let mut beyond = [0xff; 10];
        beyond[9] = 0x02;
        assert_eq!(decode(&mut &beyond[..]), None);
    }

    proptest! {
        #[test]
        fn every_number_survives(number: u64, signed: i64) {
            check(number);
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }
}
