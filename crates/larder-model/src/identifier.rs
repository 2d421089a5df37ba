//! Names of tables and columns, checked once.
//!
//! Invariant: every name that reaches a statement is an [`Identifier`], so that there is one place
//! that says what a name may be. Any text within the limits is one; quoting makes it harmless.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// The name of a table or a column: 1 to 63 bytes of text without a NUL.
///
/// Names are compared byte by byte here; whether a database tells `a` from `A` is the dialect's
/// business. 63 bytes is what the strictest of the supported databases keeps of a name.
///
/// ```
/// use larder_model::Identifier;
///
/// assert_eq!(Identifier::new("airline")?.as_str(), "airline");
/// assert!(Identifier::new("").is_err());
/// assert!(Identifier::new("a\"; DROP TABLE b; --").is_ok());
/// # Ok::<(), larder_model::IdentifierError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Identifier(Cow<'static, str>);

/// Why a text is not an [`Identifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// The empty text.
    #[error("a name is empty")]
    Empty,
    /// A NUL, at which databases cut a statement off.
    #[error("a name contains a NUL")]
    Nul,
    /// More than [`Identifier::BYTES_MAX`] bytes, beyond which databases cut a name off.
    #[error("a name of {bytes} bytes is longer than {} bytes", Identifier::BYTES_MAX)]
    TooLong {
        /// How long it is, in bytes.
        bytes: usize,
    },
}

impl Identifier {
    /// The most bytes that a name may have.
    pub const BYTES_MAX: usize = 63;

    /// Checks a name.
    ///
    /// # Errors
    /// One kind for each rule.
    pub fn new(name: impl Into<String>) -> Result<Self, IdentifierError> {
        let name = name.into();
        match check(&name) {
            Some(error) => Err(error),
            None => Ok(Self(Cow::Owned(name))),
        }
    }

    /// A name that stands in the program.
    ///
    /// # Panics
    /// If the name breaks a rule; in a `const` or `static` that is an error of the compiler.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        match check(name) {
            None => Self(Cow::Borrowed(name)),
            Some(IdentifierError::Empty) => panic!("a name is empty"),
            Some(IdentifierError::Nul) => panic!("a name contains a NUL"),
            Some(IdentifierError::TooLong { .. }) => panic!("a name is longer than 63 bytes"),
        }
    }

    /// The name as it was given, without quotes.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match &self.0 {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => name.as_str(),
        }
    }

    /// Whether both differ at most in the case of ASCII letters.
    ///
    /// SQLite takes such names for one, and MySQL does so for columns.
    #[must_use]
    pub const fn is_alike(&self, other: &str) -> bool {
        let (one, other) = (self.as_str().as_bytes(), other.as_bytes());
        if one.len() != other.len() {
            return false;
        }
        let mut at = 0;
        while at < one.len() {
            if !one[at].eq_ignore_ascii_case(&other[at]) {
                return false;
            }
            at += 1;
        }
        true
    }
}

const fn check(name: &str) -> Option<IdentifierError> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Some(IdentifierError::Empty);
    }
    if bytes.len() > Identifier::BYTES_MAX {
        return Some(IdentifierError::TooLong { bytes: bytes.len() });
    }
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0 {
            return Some(IdentifierError::Nul);
        }
        at += 1;
    }
    None
}

impl TryFrom<String> for Identifier {
    type Error = IdentifierError;

    fn try_from(name: String) -> Result<Self, IdentifierError> {
        Self::new(name)
    }
}

impl From<Identifier> for String {
    fn from(name: Identifier) -> Self {
        name.0.into_owned()
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_error() {
        assert_eq!(Identifier::new(""), Err(IdentifierError::Empty));
        assert_eq!(Identifier::new("a\0b"), Err(IdentifierError::Nul));
        assert_eq!(Identifier::new("é".repeat(32)), Err(IdentifierError::TooLong { bytes: 64 }));
        assert!(Identifier::new("a".repeat(63)).is_ok());
    }

    #[test]
    fn only_ascii_letters_are_alike_in_both_cases() {
        assert!(Identifier::from_static("Airline").is_alike("aIRLINE"));
        assert!(!Identifier::from_static("é").is_alike("É"));
        assert!(!Identifier::from_static("a").is_alike("ab"));
        assert!(!Identifier::from_static("@").is_alike("`"));
    }
}
