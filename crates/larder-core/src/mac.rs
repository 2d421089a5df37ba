//! The optional authentication code of an envelope.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key for authenticating stored entries (HMAC-SHA-256, truncated to 16 bytes).
///
/// With a key, an entry that somebody else wrote or altered is a miss. All processes that share
/// a cache need the same key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// The length of the code in an envelope, in bytes.
    pub(crate) const CODE_LEN: usize = 16;

    /// A key of 32 bytes, which should be random.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC is defined for keys of every length, so `new_from_slice` has no failing input.
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    pub(crate) fn code(&self, message: &[u8]) -> [u8; Self::CODE_LEN] {
        let mut hmac = self.0.clone();
        hmac.update(message);
        let full: [u8; 32] = hmac.finalize().into_bytes().into();
        let (half, _) = full.split_at(Self::CODE_LEN);
        half.try_into().unwrap_or_default()
    }

    /// Compares in constant time.
    pub(crate) fn verifies(&self, message: &[u8], code: &[u8]) -> bool {
        let mut hmac = self.0.clone();
        hmac.update(message);
        code.len() == Self::CODE_LEN && hmac.verify_truncated_left(code).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_verify_only_with_their_key_and_message() {
        let key = MacKey::new(&[1; 32]);
        let code = key.code(b"message");
        assert!(key.verifies(b"message", &code));
        assert!(!key.verifies(b"Message", &code));
        assert!(!key.verifies(b"message", &code[..15]));
        assert!(!MacKey::new(&[2; 32]).verifies(b"message", &code));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", MacKey::new(&[7; 32])), "MacKey(…)");
    }
}
