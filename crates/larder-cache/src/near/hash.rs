//! The hash by which near entries are found.
//!
//! Words are folded by multiplication under two secret numbers. Whoever does not know them can
//! not construct collisions, and a collision costs a miss and nothing else. A general hash
//! function of this strength takes three times as long for the few words of a query, and a near
//! hit has nothing else to do before it can look.

/// A hash of 64 bits.
#[inline(always)]
pub(crate) fn hash(bytes: &[u8], start: u64, factor: u64) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<16>();
    let mut hash = start;
    for [a, b, c, d, e, f, g, h, second @ ..] in pairs {
        let first = [*a, *b, *c, *d, *e, *f, *g, *h];
        hash = fold(hash ^ u64::from_le_bytes(first), factor ^ u64::from_le_bytes(*second));
    }
    if let Some((word, rest)) = rest.split_first_chunk() {
        hash = fold(hash ^ u64::from_le_bytes(*word), factor ^ tail(rest));
    } else if !rest.is_empty() {
        hash = fold(hash ^ tail(rest), factor);
    }
    // The length tells apart what only differs in zeros at the end.
    fold(hash ^ bytes.len() as u64, factor.rotate_left(32))
}

/// Both halves of a product, so that every bit of either number counts in every bit.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
pub(crate) const fn fold(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Fewer than eight bytes as one number.
#[inline(always)]
fn tail(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn close_inputs_have_distant_hashes() {
        let (start, factor) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
        let mut hashes = BTreeSet::new();
        let mut count = 0;
        let mut bits = 0;
        for len in 0..70 {
            let zeros = vec![0; len];
            let base = hash(&zeros, start, factor);
            hashes.insert(base);
            count += 1;
            for bit in 0..8 * len {
                let mut input = zeros.clone();
                input[bit / 8] ^= 1 << (bit % 8);
                let hash = hash(&input, start, factor);
                hashes.insert(hash);
                count += 1;
                bits += (hash ^ base).count_ones();
            }
        }
        assert_eq!(hashes.len(), count, "no collisions");
        let flips = u32::try_from(count).unwrap();
        assert!(bits / flips > 28 && bits / flips < 36, "half of the bits change");
    }

    #[test]
    fn another_secret_is_another_hash() {
        assert_ne!(hash(b"LH", 1, 3), hash(b"LH", 2, 3));
        assert_ne!(hash(b"LH", 1, 3), hash(b"LH", 1, 5));
    }
}
