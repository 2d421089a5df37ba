//! What stands on the wire: `L:<namespace>:{<space>:<digest>}:e` for an entry, `:l` for its lease,
//! `L:<namespace>:g:<tag>` for a generation.
//!
//! Guards that nothing a caller wrote reaches a server but the namespace, which is restricted.
//! The braces make a cluster put an entry and its lease into one slot.

use larder_core::{Key, Tag};
use smallvec::SmallVec;

use crate::{base64, slot};

/// A key as it is sent; every one of ours fits without an allocation.
pub(crate) type WireKey = SmallVec<[u8; 112]>;

/// Into how many parts a cluster's namespace generation is divided, so that not every read of a
/// large cluster asks the same node for it.
pub(crate) const CLUSTER_BUCKETS: usize = 16;

/// Makes the keys of one namespace.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// `L:<namespace>:`
    prefix: Box<[u8]>,
    /// How many namespace generations there are.
    buckets: usize,
}

impl Names {
    pub(crate) fn new(namespace: &str, is_cluster: bool) -> Self {
        let prefix = format!("L:{namespace}:").into_bytes().into();
        Self { prefix, buckets: if is_cluster { CLUSTER_BUCKETS } else { 1 } }
    }

    pub(crate) fn entry(&self, key: &Key) -> WireKey {
        self.braced(key, b":e")
    }

    pub(crate) fn lease(&self, key: &Key) -> WireKey {
        self.braced(key, b":l")
    }

    fn braced(&self, key: &Key, suffix: &[u8]) -> WireKey {
        let mut name = self.begin();
        name.push(b'{');
        name.extend_from_slice(key.space().as_str().as_bytes());
        name.push(b':');
        name.extend_from_slice(&base64::encode::<32, 43>(key.digest()));
        name.push(b'}');
        name.extend_from_slice(suffix);
        name
    }

    pub(crate) fn tag(&self, tag: &Tag) -> WireKey {
        let mut name = self.generations();
        name.extend_from_slice(&base64::encode::<16, 22>(tag.as_bytes()));
        name
    }

    /// How many namespace generations there are; `clear` renews all of them.
    pub(crate) const fn buckets(&self) -> usize {
        self.buckets
    }

    /// Which namespace generation an entry belongs to.
    pub(crate) fn bucket_of(&self, key: &Key) -> usize {
        let [first, ..] = key.digest();
        usize::from(*first) % self.buckets
    }

    /// A namespace generation; shorter than a tag, so that none is taken for one.
    pub(crate) fn bucket(&self, bucket: usize) -> WireKey {
        let mut name = self.generations();
        name.extend_from_slice(b"all.");
        // At most CLUSTER_BUCKETS letters are needed.
        name.push(b"abcdefghijklmnop"[bucket % CLUSTER_BUCKETS]);
        name
    }

    /// What all generations begin with, the namespace's own included.
    pub(crate) fn generations(&self) -> WireKey {
        let mut name = self.begin();
        name.extend_from_slice(b"g:");
        name
    }

    /// A key that never exists, in the slot of another one.
    pub(crate) fn absent_beside(&self, key: &[u8]) -> WireKey {
        let mut name = self.begin();
        name.extend_from_slice(b"p:{");
        name.extend_from_slice(slot::hashed_part(key));
        name.push(b'}');
        name
    }

    /// A key that never exists, in the slot that one of the numbers leads to.
    pub(crate) fn absent(&self, number: u32) -> WireKey {
        let mut name = self.begin();
        name.extend_from_slice(b"p:");
        name.extend_from_slice(number.to_string().as_bytes());
        name
    }

    /// Which tag a generation belongs to.
    pub(crate) fn tag_of(&self, name: &[u8]) -> Named {
        let Some(rest) = name.strip_prefix(&*self.generations()) else {
            return Named::Foreign;
        };
        match base64::decode::<22, 16>(rest) {
            Some(tag) => Named::Tag(Tag::from_bytes(tag)),
            None if rest.starts_with(b"all.") => Named::Namespace,
            None => Named::Foreign,
        }
    }

    fn begin(&self) -> WireKey {
        WireKey::from_slice(&self.prefix)
    }
}

/// What a generation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Foreign,
    Namespace,
    Tag(Tag),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NAMESPACE_BYTES_MAX;

    #[test]
    fn keys_are_short_plain_and_of_the_documented_form() {
        let names = Names::new("app", false);
        let key = Key::object("\r\n{}*?[a]");
        let text = |name: WireKey| String::from_utf8(name.to_vec()).unwrap();
        let entry = text(names.entry(&key));
        let digest = entry.strip_prefix("L:app:{object:").unwrap().strip_suffix("}:e").unwrap();
        assert_eq!(digest.len(), 43);
        assert!(digest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
        assert_eq!(text(names.lease(&key)), format!("L:app:{{object:{digest}}}:l"));
        assert_eq!(
            text(names.absent_beside(entry.as_bytes())),
            format!("L:app:p:{{object:{digest}}}")
        );
        assert_eq!(text(names.bucket(0)), "L:app:g:all.a");
        assert_eq!(text(names.tag(&Tag::named("t"))).len(), "L:app:g:".len() + 22);
    }

    #[test]
    fn the_longest_key_needs_no_allocation() {
        let names = Names::new(&"n".repeat(NAMESPACE_BYTES_MAX), true);
        let (key, tag) = (Key::object("k"), names.tag(&Tag::named("t")));
        for name in [names.entry(&key), names.absent_beside(&tag), tag, names.absent(u32::MAX)] {
            assert!(!name.spilled(), "{} bytes", name.len());
        }
    }

    #[test]
    fn a_generation_is_told_from_the_namespaces_own() {
        let names = Names::new("app", true);
        let tag = Tag::named("t");
        assert_eq!(names.tag_of(&names.tag(&tag)), Named::Tag(tag));
        for bucket in 0..names.buckets() {
            assert_eq!(names.tag_of(&names.bucket(bucket)), Named::Namespace);
        }
        for foreign in [&b"L:app:g:"[..], b"L:app:g:short", b"L:other:g:all.a", b""] {
            assert_eq!(names.tag_of(foreign), Named::Foreign);
        }
    }

    #[test]
    fn an_entry_its_lease_and_its_absent_neighbour_share_a_slot() {
        let names = Names::new("app", true);
        for i in 0..100 {
            let key = Key::object(&format!("key {i}"));
            let (entry, tag) = (names.entry(&key), names.tag(&Tag::named(&format!("tag {i}"))));
            assert_eq!(slot::of(&entry), slot::of(&names.lease(&key)));
            assert_eq!(slot::of(&entry), slot::of(&names.absent_beside(&entry)));
            assert_eq!(slot::of(&tag), slot::of(&names.absent_beside(&tag)));
        }
    }

    #[test]
    fn every_bucket_of_a_cluster_has_entries() {
        let names = Names::new("app", true);
        let buckets: std::collections::BTreeSet<_> =
            (0..1_000).map(|i| names.bucket_of(&Key::object(&format!("key {i}")))).collect();
        assert_eq!(buckets.len(), CLUSTER_BUCKETS);
        assert_eq!(Names::new("app", false).bucket_of(&Key::object("k")), 0);
    }
}
