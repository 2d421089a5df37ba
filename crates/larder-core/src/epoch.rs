//! Epochs: the identity of a node's history.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Identifies one uninterrupted history of a cache node, in 16 opaque bytes.
///
/// It changes whenever acknowledged writes may have been lost: at a restart without persistence,
/// at a failover, at a restore from a backup. An entry whose epoch differs from its node's is a
/// miss, so a lost invalidation costs a load instead of serving an old value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch([u8; 16]);

impl Epoch {
    /// Draws the epoch of a new history.
    ///
    /// # Panics
    /// If the operating system can not provide randomness at all.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Derives the epoch from what names the node's history, for example a server's run id and
    /// replication id. The parts are length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
    #[must_use]
    pub fn derive(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new_with_prefix(b"larder epoch\0");
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let (half, _) = digest.split_at(16);
        Self(half.try_into().unwrap_or_default())
    }

    /// An epoch as it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({:032x})", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_is_stable_and_keeps_parts_apart() {
        assert_eq!(Epoch::derive(&[b"run", b"repl"]), Epoch::derive(&[b"run", b"repl"]));
        assert_ne!(Epoch::derive(&[b"ab", b"c"]), Epoch::derive(&[b"a", b"bc"]));
        assert_ne!(Epoch::derive(&[b"a"]), Epoch::derive(&[b"a", b""]));
    }
}
