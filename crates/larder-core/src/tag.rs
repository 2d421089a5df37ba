//! Tags: the names under which entries are invalidated together.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What an entry depends on, as a 16-byte digest.
///
/// A tag's name never reaches a server: only the digest does. The kinds below hash into separate
/// domains, so a tag named by a user (`"T*"`, `"table:airline"`) can not forge the one that
/// stands for a table. Two tags with one digest would only be invalidated together; it takes
/// about 2⁶⁴ tags to see a pair.
///
/// ```
/// use larder_core::Tag;
///
/// assert_eq!(Tag::named("prices"), Tag::named("prices"));
/// assert_ne!(Tag::named("prices"), Tag::table("db", "prices"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 16]);

impl Tag {
    /// The most tags that one entry may carry.
    pub const MAX_PER_ENTRY: usize = 64;

    /// A tag with a name of the caller's choice; any text is allowed, the empty one too.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::digest(b"named", &[name.as_bytes()])
    }

    /// Everything read from one table of one database.
    #[must_use]
    pub fn table(database: &str, table: &str) -> Self {
        Self::digest(b"table", &[database.as_bytes(), table.as_bytes()])
    }

    /// Everything read from one database.
    #[must_use]
    pub fn database(database: &str) -> Self {
        Self::digest(b"database", &[database.as_bytes()])
    }

    /// A tag as it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn digest(kind: &[u8], parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new_with_prefix(b"larder tag\0");
        for part in std::iter::once(&kind).chain(parts) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let (half, _) = digest.split_at(16);
        Self(half.try_into().unwrap_or_default())
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_parts_never_meet() {
        let tags = [
            Tag::named(""),
            Tag::named("a"),
            Tag::database(""),
            Tag::database("a"),
            Tag::table("", "a"),
            Tag::table("a", ""),
            Tag::table("ab", "c"),
            Tag::table("a", "bc"),
        ];
        for (i, one) in tags.iter().enumerate() {
            for other in &tags[i + 1..] {
                assert_ne!(one, other);
            }
        }
    }

    #[test]
    fn composed_and_decomposed_text_are_two_tags() {
        assert_ne!(Tag::named("\u{e9}"), Tag::named("e\u{301}"));
    }
}
