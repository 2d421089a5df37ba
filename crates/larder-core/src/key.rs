//! Keys: a digest of everything that decides what an answer is, and nothing a caller wrote.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What kind of thing a key names; the first word of its visible form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeySpace {
    /// A value that a service stores under a name of its own.
    Object,
    /// The answer to a query.
    Query,
    /// A stored HTTP response.
    Response,
}

impl KeySpace {
    /// The word in the visible form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Query => "query",
            Self::Response => "response",
        }
    }
}

/// Names one entry: a key space and a SHA-256 digest.
///
/// The digest covers a length-prefixed, type-tagged sequence of parts (see [`KeyBuilder`]), so
/// `("ab", "c")` and `("a", "bc")`, `1` and `"1"`, absent and empty are all different keys.
/// Whatever a caller supplies is hashed before a backend sees it: control characters, glob
/// patterns, hash tags and 10 MB of text are all just 32 bytes on the wire.
///
/// `Debug` abbreviates the digest, because a digest of few possible inputs can be guessed back.
/// [`Key::visible`] is the full form.
///
/// ```
/// use larder_core::{Key, KeySpace};
///
/// let key = Key::builder(KeySpace::Query).text("SELECT 1").finish();
/// assert!(key.visible().to_string().starts_with("query:"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    space: KeySpace,
    digest: [u8; 32],
}

impl Key {
    /// Starts a key of the given space.
    #[must_use]
    pub fn builder(space: KeySpace) -> KeyBuilder {
        KeyBuilder::new(space)
    }

    /// A key for a value that a service stores under a name of its own; any text will do.
    #[must_use]
    pub fn object(name: &str) -> Self {
        Self::builder(KeySpace::Object).text(name).finish()
    }

    /// A key whose digest was computed elsewhere, for example the SHA-256 of a bare SQL text as
    /// existing cache-aside deployments store it.
    #[must_use]
    pub const fn from_digest(space: KeySpace, digest: [u8; 32]) -> Self {
        Self { space, digest }
    }

    /// What kind of thing this key names.
    #[must_use]
    pub const fn space(&self) -> KeySpace {
        self.space
    }

    /// The SHA-256 digest.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The form that people see and servers store: `query:` and 64 hexadecimal digits.
    pub fn visible(&self) -> impl fmt::Display + use<> {
        Visible(*self)
    }
}

struct Visible(Key);

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = self.0.digest.split_at(16);
        let [high, low] = [high, low].map(|half| half.try_into().map_or(0, u128::from_be_bytes));
        write!(f, "{}:{high:032x}{low:032x}", self.0.space.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.digest;
        write!(f, "Key({}:{a:02x}{b:02x}{c:02x}{d:02x}…)", self.space.as_str())
    }
}

/// Builds a [`Key`] part by part.
///
/// Every part is written as a type byte, a length and its bytes, so no sequence of parts can be
/// mistaken for another. A builder is cheap to clone: hash what many keys share once, clone, and
/// add what differs.
#[derive(Clone)]
pub struct KeyBuilder {
    space: KeySpace,
    hasher: Sha256,
}

impl KeyBuilder {
    /// The version of the layout of parts; part of every digest.
    const FORMAT: u8 = 1;

    fn new(space: KeySpace) -> Self {
        let mut hasher = Sha256::new_with_prefix(b"larder key\0");
        hasher.update([Self::FORMAT]);
        Self { space, hasher }.text(space.as_str())
    }

    /// Adds text; its exact bytes count, so two normal forms of one word are two keys.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.part(b't', text.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.part(b'b', bytes)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.part(b'n', &number.to_be_bytes())
    }

    /// Adds the statement that an optional part is not there, which differs from an empty one.
    #[must_use]
    pub fn absent(self) -> Self {
        self.part(b'-', &[])
    }

    /// The finished key.
    #[must_use]
    pub fn finish(self) -> Key {
        Key { space: self.space, digest: self.hasher.finalize().into() }
    }

    fn part(mut self, kind: u8, bytes: &[u8]) -> Self {
        self.hasher.update([kind]);
        self.hasher.update((bytes.len() as u64).to_be_bytes());
        self.hasher.update(bytes);
        self
    }
}

impl fmt::Debug for KeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBuilder").field("space", &self.space).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyBuilder {
        Key::builder(KeySpace::Query)
    }

    #[test]
    fn parts_never_run_into_each_other() {
        let keys = [
            key().finish(),
            key().absent().finish(),
            key().text("").finish(),
            key().bytes(b"").finish(),
            key().text("a").text("bc").finish(),
            key().text("ab").text("c").finish(),
            key().text("abc").finish(),
            key().bytes(b"abc").finish(),
            key().text("1").finish(),
            key().number(1).finish(),
            key().bytes(&1_u64.to_be_bytes()).finish(),
            Key::builder(KeySpace::Object).finish(),
            Key::builder(KeySpace::Response).finish(),
        ];
        for (i, one) in keys.iter().enumerate() {
            for (j, other) in keys.iter().enumerate() {
                assert_eq!(i == j, one == other, "{i} and {j}");
            }
        }
    }

    #[test]
    fn visible_form_is_the_space_and_the_hexadecimal_digest() {
        let key = Key::from_digest(KeySpace::Query, [0xab; 32]);
        assert_eq!(key.visible().to_string(), format!("query:{}", "ab".repeat(32)));
        assert_eq!(format!("{key:?}"), "Key(query:abababab…)");
    }
}
