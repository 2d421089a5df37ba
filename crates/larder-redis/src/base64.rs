//! Base64 for names, without padding: 43 characters for a digest, 22 for a tag.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes `N` bytes as `M` characters, where `M` is `N * 4 / 3`, rounded up.
pub(crate) fn encode<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    const { assert!(M == (N * 4).div_ceil(3)) };
    let mut text = [0; M];
    let (threes, rest) = bytes.as_chunks::<3>();
    let (fours, last) = text.as_chunks_mut::<4>();
    for (&[a, b, c], four) in threes.iter().zip(fours) {
        *four = characters([a, b, c]);
    }
    let mut three = [0; 3];
    three[..rest.len()].copy_from_slice(rest);
    last.copy_from_slice(&characters(three)[..last.len()]);
    text
}

fn characters([a, b, c]: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 0x3f) as usize])
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub(crate) fn decode<const M: usize, const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    const { assert!(M == (N * 4).div_ceil(3)) };
    if text.len() != M {
        return None;
    }
    let mut bytes = [0; N];
    for (four, three) in text.chunks(4).zip(bytes.chunks_mut(3)) {
        let mut bits = 0_u32;
        for (i, character) in four.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == character)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * i);
        }
        let [_, all @ ..] = bits.to_be_bytes();
        three.copy_from_slice(&all[..three.len()]);
    }
    // Spare bits would give one name several spellings.
    (encode::<N, M>(&bytes) == *text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_come_out() {
        assert_eq!(&encode::<3, 4>(b"Man"), b"TWFu");
        assert_eq!(&encode::<2, 3>(b"Ma"), b"TWE");
        assert_eq!(&encode::<1, 2>(b"M"), b"TQ");
        assert_eq!(&encode::<3, 4>(&[0xff, 0xef, 0xbe]), b"_---");
    }

    #[test]
    fn what_was_encoded_is_decoded_and_nothing_else_is() {
        for seed in 0..=255_u8 {
            let mut bytes = [seed; 16];
            bytes[usize::from(seed) % 16] = seed.wrapping_mul(31);
            assert_eq!(decode::<22, 16>(&encode::<16, 22>(&bytes)), Some(bytes));
        }
        let zeros = encode::<16, 22>(&[0; 16]);
        for (i, wrong) in [(0, b'*'), (21, b'B'), (21, b'=')] {
            let mut text = zeros;
            text[i] = wrong;
            assert_eq!(decode::<22, 16>(&text), None, "{wrong}");
        }
        assert_eq!(decode::<22, 16>(&zeros[1..]), None);
    }
}
