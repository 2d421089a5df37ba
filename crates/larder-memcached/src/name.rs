//! The names of items on a server: the only text that is sent in the place of a key.
//!
//! Invariant: a name is made of a checked namespace and of digests, so that nothing a caller
//! wrote reaches the wire, and it is at most [`Name::MAX`] bytes of printable ASCII.

use std::fmt;

use larder_core::{Generation, Key, Tag};

/// The name of one item, without an allocation.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    bytes: [u8; Name::MAX],
    len: u8,
    shared: bool,
}

impl Name {
    /// More than any name made here needs; Memcached itself takes 250 bytes.
    pub(crate) const MAX: usize = 112;

    const EMPTY: Self = Self { bytes: [0; Self::MAX], len: 0, shared: false };

    /// The item that says which entries of a namespace are valid on a server.
    pub(crate) fn namespace(namespace: &str) -> Self {
        Self::EMPTY.text(namespace.as_bytes()).text(b":n").shared()
    }

    /// An entry or the lease on one. The namespace's generation is part of it, so that a cleared
    /// entry has a name for which nobody asks any more.
    pub(crate) fn entry(namespace: &str, generation: &Generation, key: &Key) -> Self {
        Self::EMPTY
            .text(namespace.as_bytes())
            .text(b":e:")
            .encoded(generation.as_bytes())
            .text(b":")
            .text(key.space().as_str().as_bytes())
            .text(b":")
            .encoded(key.digest())
    }

    /// The generation of a tag.
    pub(crate) fn tag(namespace: &str, tag: &Tag) -> Self {
        Self::EMPTY.text(namespace.as_bytes()).text(b":g:").encoded(tag.as_bytes()).shared()
    }

    /// A key as other programs write it: a word and 64 hexadecimal digits.
    pub(crate) fn plain(key: &Key) -> Self {
        let name = Self::EMPTY.text(key.space().as_str().as_bytes()).text(b":");
        key.digest().iter().fold(name, |name, byte| {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            name.text(&[digit(byte >> 4), digit(byte & 15)])
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether several callers ask for it at once, so that one answer may serve them all.
    pub(crate) const fn is_shared(&self) -> bool {
        self.shared
    }

    const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Adds text. What would not fit is left out; the names above all fit, as a test shows.
    fn text(mut self, text: &[u8]) -> Self {
        let start = usize::from(self.len);
        if let Some(room) = self.bytes.get_mut(start..start + text.len()) {
            room.copy_from_slice(text);
            self.len += u8::try_from(text.len()).unwrap_or_default();
        }
        self
    }

    /// Adds bytes in base64url without padding.
    fn encoded(self, bytes: &[u8]) -> Self {
        bytes.chunks(3).fold(self, |name, chunk| {
            let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            let digits = [18, 12, 6, 0].map(|shift| {
                let index = (bits >> shift & 63) as usize;
                BASE64URL.get(index).copied().unwrap_or(b'A')
            });
            name.text(digits.get(..=chunk.len()).unwrap_or_default())
        })
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

#[cfg(test)]
mod tests {
    use larder_core::KeySpace;

    use super::*;

    #[test]
    fn the_longest_names_fit_and_are_printable() {
        let namespace = "n".repeat(32);
        let key = Key::from_digest(KeySpace::Response, [0xff; 32]);
        let entry = Name::entry(&namespace, &Generation::from_bytes([0xff; 16]), &key);
        assert_eq!(entry.as_bytes().len(), 32 + 3 + 22 + 10 + 43);
        let tag = Name::tag(&namespace, &Tag::from_bytes([0; 16]));
        assert_eq!(tag.as_bytes().len(), 32 + 3 + 22);
        for name in [entry, tag, Name::namespace(&namespace), Name::plain(&key)] {
            assert!(name.as_bytes().iter().all(u8::is_ascii_graphic));
        }
    }

    #[test]
    fn a_plain_name_is_the_visible_form_of_its_key() {
        for key in [Key::object("LH"), Key::builder(KeySpace::Query).text("SELECT 1").finish()] {
            assert_eq!(Name::plain(&key).as_bytes(), key.visible().to_string().as_bytes());
        }
    }

    #[test]
    fn every_bit_of_a_digest_counts() {
        let generation = Generation::from_bytes([0; 16]);
        let name = |digest| {
            let key = Key::from_digest(KeySpace::Object, digest);
            Name::entry("n", &generation, &key).as_bytes().to_vec()
        };
        let mut names = std::collections::HashSet::from([name([0; 32])]);
        for bit in 0..256 {
            let mut digest = [0; 32];
            digest[bit / 8] = 1 << (bit % 8);
            assert!(names.insert(name(digest)), "bit {bit}");
        }
    }

    #[test]
    fn base64url_has_its_published_form() {
        let encoded = |bytes: &[u8]| Name::EMPTY.encoded(bytes).as_bytes().to_vec();
        assert_eq!(encoded(b"fooba"), b"Zm9vYmE");
        assert_eq!(encoded(&[0xfb, 0xff]), b"-_8");
        assert_eq!(encoded(b""), b"");
    }
}
