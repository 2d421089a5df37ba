//! Generations: what makes an invalidation cost one small write, however much depends on it.

use std::fmt;

use crate::Epoch;

/// The current state of a tag: 16 opaque bytes, compared by **equality only**.
///
/// A generation is random, not a counter. A counter that is evicted restarts at a value that an
/// old entry may carry; a random generation never returns.
///
/// ```
/// use larder_core::Generation;
///
/// assert_ne!(Generation::random(), Generation::random());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation([u8; 16]);

impl Generation {
    /// Draws a new generation, equal to no other with a certainty of 1 − 2⁻¹²⁸ per pair.
    ///
    /// # Panics
    /// If the operating system can not provide randomness at all.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// A generation as it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a generation as a server returned it; `None` for anything but 16 bytes.
    ///
    /// Whatever somebody else wrote in its place thus counts as missing, that is, as a miss.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generation({:032x})", u128::from_be_bytes(self.0))
    }
}

/// A generation together with the epoch of the node that answered for it.
///
/// The pair is what an entry depends on. In a cluster the entry's node may be healthy while the
/// node of one of its tags failed over to a replica that never saw the last bump; the epoch of
/// that node then differs, and the entry is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the pair is the definition")]
pub struct Stamp {
    /// The tag's generation.
    pub generation: Generation,
    /// The answering node's epoch.
    pub epoch: Epoch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixteen_bytes_are_a_generation() {
        assert_eq!(Generation::from_slice(&[7; 16]), Some(Generation::from_bytes([7; 16])));
        for len in [0, 1, 15, 17, 1_024] {
            assert_eq!(Generation::from_slice(&vec![7; len]), None, "{len} bytes");
        }
    }
}
