//! The names of items on a server: the only text that is sent in the place of a key.
//!
//! Invariant: a name is made of a checked namespace and of digests, so that nothing a caller
//! wrote reaches the wire, and it is at most 87 bytes of printable ASCII.

use std::fmt;

use larder_core::{Generation, Key, Tag};

/// The name of one item. It is written where it is needed, and nowhere else.
#[derive(Clone, Copy)]
pub(crate) enum Name<'a> {
    /// An entry or the lease on one. The namespace's generation is mixed into the digest, so that
    /// a cleared entry has a name for which nobody asks any more.
    Entry { namespace: &'a str, generation: Generation, key: &'a Key },
    /// The item that says which entries of a namespace are valid on a server.
    Namespace(&'a str),
    /// A key as other programs write it: a word and 64 hexadecimal digits.
    Plain(&'a Key),
    /// The generation of a tag.
    Tag { namespace: &'a str, tag: &'a Tag },
}

impl Name<'_> {
    /// Whether several callers ask for it at once, so that one answer may serve them all.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Namespace(_) | Self::Tag { .. })
    }

    /// Appends the name to a line.
    pub(crate) fn write(&self, line: &mut Vec<u8>) {
        match self {
            Self::Entry { namespace, generation, key } => {
                line.extend_from_slice(namespace.as_bytes());
                line.extend_from_slice(b":e:");
                line.extend_from_slice(key.space().as_str().as_bytes());
                line.push(b':');
                let masked = masked(key.digest(), generation.as_bytes());
                line.extend_from_slice(encode(&masked, &mut [0; 44]));
            }
            Self::Namespace(namespace) => {
                line.extend_from_slice(namespace.as_bytes());
                line.extend_from_slice(b":n");
            }
            Self::Plain(key) => {
                line.extend_from_slice(key.space().as_str().as_bytes());
                line.push(b':');
                let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                line.extend(key.digest().iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]));
            }
            Self::Tag { namespace, tag } => {
                line.extend_from_slice(namespace.as_bytes());
                line.extend_from_slice(b":g:");
                line.extend_from_slice(encode(tag.as_bytes(), &mut [0; 24]));
            }
        }
    }
}

/// The digest with the generation on both of its halves, by exclusive or. Within a generation two
/// digests stay two names. Two keys of different generations have one name if their digests differ
/// in both halves by exactly what the generations differ in, which is less likely than two equal
/// digests; and names as short as these make a far hit measurably cheaper.
fn masked(digest: &[u8; 32], generation: &[u8; 16]) -> [u8; 32] {
    let mut masked = *digest;
    masked.iter_mut().zip(generation.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    masked
}

/// Base64url without padding. The room has four digits for every three bytes begun.
fn encode<'r>(bytes: &[u8], room: &'r mut [u8]) -> &'r [u8] {
    let (places, _) = room.as_chunks_mut::<4>();
    for (place, chunk) in places.iter_mut().zip(bytes.chunks(3)) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        *place = [18, 12, 6, 0].map(|shift| {
            // Six bits are within the table.
            BASE64URL[(bits >> shift & 63) as usize]
        });
    }
    room.get(..(bytes.len() * 4).div_ceil(3)).unwrap_or_default()
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// For commands, which are written as text.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Vec::with_capacity(112);
        self.write(&mut line);
        // A name is ASCII by construction.
        f.write_str(std::str::from_utf8(&line).unwrap_or_default())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

#[cfg(test)]
mod tests {
    use larder_core::KeySpace;

    use super::*;

    #[test]
    fn the_longest_names_are_printable_and_within_their_limit() {
        let namespace = "n".repeat(32);
        let key = Key::from_digest(KeySpace::Response, [0xff; 32]);
        let generation = Generation::from_bytes([0xff; 16]);
        let tag = Tag::from_bytes([0; 16]);
        let names = [
            (Name::Entry { namespace: &namespace, generation, key: &key }, 87),
            (Name::Tag { namespace: &namespace, tag: &tag }, 57),
            (Name::Namespace(&namespace), 34),
            (Name::Plain(&key), 73),
        ];
        for (name, len) in names {
            let text = name.to_string();
            assert_eq!(text.len(), len, "{text}");
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        }
    }

    #[test]
    fn a_plain_name_is_the_visible_form_of_its_key() {
        for key in [Key::object("LH"), Key::builder(KeySpace::Query).text("SELECT 1").finish()] {
            assert_eq!(Name::Plain(&key).to_string(), key.visible().to_string());
        }
    }

    #[test]
    fn every_bit_of_a_digest_counts() {
        let generation = Generation::from_bytes([0; 16]);
        let name = |digest| {
            let key = Key::from_digest(KeySpace::Object, digest);
            Name::Entry { namespace: "n", generation, key: &key }.to_string()
        };
        let mut names = std::collections::HashSet::from([name([0; 32])]);
        for bit in 0..256 {
            let mut digest = [0; 32];
            digest[bit / 8] = 1 << (bit % 8);
            assert!(names.insert(name(digest)), "bit {bit}");
        }
    }

    #[test]
    fn every_bit_of_a_generation_counts() {
        let key = Key::object("k");
        let name = |generation| {
            let generation = Generation::from_bytes(generation);
            Name::Entry { namespace: "n", generation, key: &key }.to_string()
        };
        let mut names = std::collections::HashSet::from([name([0; 16])]);
        for bit in 0..128 {
            let mut generation = [0; 16];
            generation[bit / 8] = 1 << (bit % 8);
            assert!(names.insert(name(generation)), "bit {bit}");
        }
    }

    #[test]
    fn base64url_has_its_published_form() {
        let encoded = |bytes: &[u8]| encode(bytes, &mut [0; 44]).to_vec();
        assert_eq!(encoded(b"fooba"), b"Zm9vYmE");
        assert_eq!(encoded(b"foobar"), b"Zm9vYmFy");
        assert_eq!(encoded(&[0xfb, 0xff]), b"-_8");
        assert_eq!(encoded(b""), b"");
    }
}
