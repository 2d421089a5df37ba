//! What tells the entries of one family apart.

use larder_core::Tag;

/// The identity of an entry within its family: bytes of the caller's choice, and the tags that
/// this entry carries beyond those of the family.
///
/// Both are part of the identity: with another tag it is another entry, so that an invalidation
/// of that tag can not miss it.
///
/// ```
/// use larder_cache::Args;
/// use larder_core::Tag;
///
/// let tags = [Tag::named("customer:7")];
/// let args = Args::from("LH").with_tags(&tags);
/// assert_ne!(args, Args::from("LH"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Args<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) tags: &'a [Tag],
}

impl<'a> Args<'a> {
    /// An identity of these bytes, without further tags.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, tags: &[] }
    }

    /// Adds tags to those of the family. Their order counts; the caller keeps it stable.
    #[must_use]
    pub const fn with_tags(mut self, tags: &'a [Tag]) -> Self {
        self.tags = tags;
        self
    }
}

impl<'a> From<&'a str> for Args<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl<'a> From<&'a String> for Args<'a> {
    fn from(text: &'a String) -> Self {
        Self::new(text.as_bytes())
    }
}

impl<'a> From<&'a [u8]> for Args<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Args<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::new(bytes)
    }
}
