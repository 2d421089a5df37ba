//! The digest of a table's declaration.
//!
//! Invariant: two declarations have one checksum if and only if they declare the same content;
//! what only the source text knows does not count.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::TableModel;

/// The digest of a [`TableModel`]'s content.
///
/// **Counts:** the table's name; of every column its name, kind, nullability, default, and
/// whether it is key or unique. **Does not count:** the order of the columns, the name of the
/// Rust struct and of its fields, comments.
///
/// Shown as `v1:sha256:` and 64 hexadecimal digits; another version of the encoding, or another
/// algorithm, would show so at its beginning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

impl Checksum {
    pub(crate) fn of(table: &TableModel) -> Self {
        let mut canonical = table.clone();
        canonical.columns.sort_by(|one, other| one.name.cmp(&other.name));
        Self(Sha256::digest(format!("{canonical:?}")).into())
    }

    /// The digest alone.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v1:sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}
