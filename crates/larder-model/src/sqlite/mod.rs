//! SQLite: how it writes a schema, and what a declared type means to it.

mod types;

use crate::{Catalog, Change, ForeignKey, Lowered, ModelError, Step, Table, TableModel};

pub(crate) use types::holds;

pub(crate) fn lower(model: &TableModel) -> Result<Lowered, ModelError> {
    let _ = model;
    Err(ModelError::NoColumns)
}

pub(crate) fn create_table(table: &Table) -> Vec<String> {
    let _ = table;
    Vec::new()
}

pub(crate) fn steps(changes: &[Change], current: &Catalog, desired: &Catalog) -> Vec<Step> {
    let _ = (changes, current, desired);
    Vec::new()
}

/// SQLite refuses to create these.
pub(crate) fn is_reserved(table: &str) -> bool {
    let prefix = table.as_bytes().get(..7);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"sqlite_"))
}

pub(crate) fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    one == other
}
