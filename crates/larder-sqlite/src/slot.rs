//! Which row a key or a tag lives in.
//!
//! Invariant: a row answers only for the key or tag that it carries in full. Two names that
//! share a slot displace each other, which is a miss and a refused fill, never a wrong value.

use larder_core::{Key, Tag};

/// The row of a key in `entry` and `lease`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeySlot {
    pub(crate) id: i64,
    /// What the row has to carry: the digest without its first word, and the key space. Together
    /// with the id they are the whole key, because the id is a bijection of the first word.
    pub(crate) key: [u8; KEY_LEN],
}

const KEY_LEN: usize = 32;

/// An odd number without a pattern, so that multiplying by it is a bijection that mixes.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl KeySlot {
    pub(crate) fn of(key: &Key) -> Self {
        let space = fnv1a(key.space().as_str());
        // All words take part, each by a bijection: keys that differ in one word never share a
        // slot, and others do so once in 2⁶⁴ pairs, unless somebody searches for a pair.
        let (words, _) = key.digest().as_chunks::<8>();
        let id = words.iter().rev().fold(space, |id, word| {
            (id ^ u64::from_be_bytes(*word)).wrapping_mul(MIX).rotate_left(32)
        });
        let mut rest = [0; KEY_LEN];
        rest[..24].copy_from_slice(&key.digest()[8..]);
        rest[24..].copy_from_slice(&space.to_be_bytes());
        Self { id: id.cast_signed(), key: rest }
    }
}

/// FNV-1a, which is enough to tell a handful of words apart.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The row of a tag in `generation`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagSlot {
    pub(crate) id: i64,
    /// What the row has to carry: the second half of the tag.
    pub(crate) rest: i64,
}

impl TagSlot {
    pub(crate) fn of(tag: &Tag) -> Self {
        let whole = u128::from_be_bytes(*tag.as_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (first, second) = ((whole >> 64) as u64, whole as u64);
        Self { id: (first ^ second.wrapping_mul(MIX)).cast_signed(), rest: second.cast_signed() }
    }

    pub(crate) fn tag(self) -> Tag {
        let second = self.rest.cast_unsigned();
        let first = self.id.cast_unsigned() ^ second.wrapping_mul(MIX);
        let whole = u128::from(first) << 64 | u128::from(second);
        Tag::from_bytes(whole.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use larder_core::{CacheBackend as _, FillOutcome, KeySpace, LeaseOutcome, LeaseRequest, Ttl};

    use super::*;
    use crate::{SqliteBackend, SqliteConfig};

    #[test]
    fn a_tag_comes_back_from_its_slot() {
        for tag in [Tag::named("a"), Tag::from_bytes([0xff; 16]), Tag::from_bytes([1; 16])] {
            assert_eq!(TagSlot::of(&tag).tag(), tag);
        }
    }

    #[test]
    fn keys_and_tags_that_differ_in_one_bit_have_rows_of_their_own() {
        let key = KeySlot::of(&Key::from_digest(KeySpace::Query, [7; 32]));
        for bit in 0..256 {
            let mut digest = [7; 32];
            digest[bit / 8] ^= 1 << (bit % 8);
            let other = KeySlot::of(&Key::from_digest(KeySpace::Query, digest));
            assert_ne!(key.id, other.id, "bit {bit}");
        }
        let tag = TagSlot::of(&Tag::from_bytes([7; 16]));
        for bit in 0..128 {
            let mut bytes = [7; 16];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(tag.id, TagSlot::of(&Tag::from_bytes(bytes)).id, "bit {bit}");
        }
    }

    #[test]
    fn one_digest_in_two_spaces_is_two_rows() {
        let slots = [KeySpace::Object, KeySpace::Query, KeySpace::Response]
            .map(|space| KeySlot::of(&Key::from_digest(space, [7; 32])));
        assert_ne!(slots[0].id, slots[1].id);
        assert_ne!(slots[1].id, slots[2].id);
        assert_ne!(slots[0].key, slots[1].key);
        assert_ne!(slots[1].key, slots[2].key);
    }

    /// Another key with the same row, which nobody finds by chance.
    fn twin(key: &Key) -> Key {
        let state = |digest: &[u8; 32]| {
            let (words, _) = digest.as_chunks::<8>();
            words[1..].iter().rev().fold(fnv1a(key.space().as_str()), |id, word| {
                (id ^ u64::from_be_bytes(*word)).wrapping_mul(MIX).rotate_left(32)
            })
        };
        let first = |digest: &[u8; 32]| u64::from_be_bytes(digest[..8].try_into().unwrap());
        let mut digest = *key.digest();
        digest[31] ^= 1;
        let word = state(&digest) ^ state(key.digest()) ^ first(key.digest());
        digest[..8].copy_from_slice(&word.to_be_bytes());
        Key::from_digest(key.space(), digest)
    }

    fn twin_tag(tag: &Tag) -> Tag {
        let slot = TagSlot::of(tag);
        TagSlot { rest: slot.rest ^ 1, ..slot }.tag()
    }

    async fn backend(directory: &tempfile::TempDir) -> SqliteBackend {
        let config = SqliteConfig::new(directory.path().join("cache.db"));
        SqliteBackend::open(config).await.unwrap()
    }

    #[tokio::test]
    async fn keys_that_share_a_row_displace_each_other_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let backend = backend(&directory).await;
        let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
        let one = Key::object("one");
        let other = twin(&one);
        assert_eq!(KeySlot::of(&one).id, KeySlot::of(&other).id);
        let read = async |key: &Key| backend.read(key, &[]).await.unwrap().value;

        backend.put(&one, "one".into(), ttl).await.unwrap();
        assert_eq!(read(&other).await, None);
        assert!(!backend.remove(&other).await.unwrap());
        assert!(!backend.touch(&other, ttl).await.unwrap());
        assert_eq!(read(&one).await.as_deref(), Some(&b"one"[..]));
        assert!(backend.add(&other, "other".into(), ttl).await.unwrap());
        assert_eq!((read(&one).await, read(&other).await), (None, Some("other".into())));

        let request = LeaseRequest::new(Duration::from_secs(60));
        let LeaseOutcome::Won(lease) = backend.lease(&one, request).await.unwrap() else {
            panic!("nobody holds it");
        };
        backend.remove(&other).await.unwrap();
        assert!(backend.renew(&one, &lease, Duration::from_secs(60)).await.unwrap());
        let LeaseOutcome::Won(_) = backend.lease(&other, request).await.unwrap() else {
            panic!("nobody holds it");
        };
        let filled = backend.fill(&one, &lease, "late".into(), ttl).await.unwrap();
        assert_eq!(filled, FillOutcome::Refused);
        assert_eq!(backend.stats().entries, Some(0));
    }

    #[tokio::test]
    async fn tags_that_share_a_row_are_forgotten_never_confused() {
        let directory = tempfile::tempdir().unwrap();
        let backend = backend(&directory).await;
        let one = Tag::named("one");
        let tags = [one, twin_tag(&one)];
        let key = Key::object("key");
        backend.generations(&tags[..1]).await.unwrap();
        assert_eq!(backend.read(&key, &tags).await.unwrap().stamps[1], None);
        let second = backend.bump(&tags[1..]).await.unwrap();
        let stamps = backend.read(&key, &tags).await.unwrap().stamps;
        assert_eq!(stamps, [None, Some(second[0])]);
        assert_eq!(backend.file_info().await.unwrap().tags, 1);
    }
}
