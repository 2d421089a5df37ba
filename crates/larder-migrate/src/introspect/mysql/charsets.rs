//! Which collation a column has where the server prints none.

use std::collections::BTreeMap;

/// The default collation of each character set of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Charsets(BTreeMap<String, String>);

impl Charsets {
    pub(super) fn insert(&mut self, charset: &str, collation: &str) {
        self.0.insert(charset.to_owned(), collation.to_owned());
    }

    /// The collation that a character set and perhaps a collation of it name together.
    pub(super) fn collation(
        &self,
        charset: Option<String>,
        collation: Option<String>,
    ) -> Option<String> {
        collation.or_else(|| charset.map(|name| self.0.get(&name).cloned().unwrap_or(name)))
    }
}
