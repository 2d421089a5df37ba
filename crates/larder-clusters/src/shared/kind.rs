//! Kinds of shared things.

use std::{borrow::Cow, fmt};

/// What sort of thing is shared. Keys of different kinds never meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind(Cow<'static, str>);

/// The text can not name a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kind is 1 to 64 of the characters a-z, 0-9, \"-\" and \"_\"")]
#[non_exhaustive]
pub struct KindError;

impl Kind {
    /// Clusters, which the former tool sees as well.
    pub const CLUSTER: Self = Self(Cow::Borrowed("cluster"));

    /// The kind of this name: 1 to 64 lower-case letters, digits, `-` and `_`.
    ///
    /// # Errors
    /// [`KindError`] for any other name.
    pub fn new(name: impl Into<String>) -> Result<Self, KindError> {
        let name = name.into();
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self(Cow::Owned(name)))
        } else {
            Err(KindError)
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the former tool knows things of this kind.
    pub(crate) fn is_projected(&self) -> bool {
        *self == Self::CLUSTER
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!(Kind::new("cluster"), Ok(Kind::CLUSTER));
        assert!(Kind::new("gpu-pool_2").is_ok());
        for name in ["", "Cluster", "a b", "ü", &"x".repeat(65)] {
            assert_eq!(Kind::new(name), Err(KindError), "{name}");
        }
    }
}
