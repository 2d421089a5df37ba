//! A model, as the migrator is given it.

use larder_model::{ModelEntry, TableModel};

/// A model by its name and its table.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain data that callers build")]
pub struct ModelRef<'a> {
    /// Its name; several models may have one name if their tables differ.
    pub name: &'a str,
    /// What its table must look like.
    pub table: &'a TableModel,
}

impl<'a> ModelRef<'a> {
    /// A model by its name and its table.
    #[must_use]
    pub const fn new(name: &'a str, table: &'a TableModel) -> Self {
        Self { name, table }
    }
}

impl From<&'static ModelEntry> for ModelRef<'static> {
    fn from(entry: &'static ModelEntry) -> Self {
        Self { name: entry.name(), table: entry.table() }
    }
}
