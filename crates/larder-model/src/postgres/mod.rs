//! PostgreSQL: how it writes a schema, and what its types mean.

use crate::{Catalog, Change, ColumnKind, Lowered, ModelError, Step, Table, TableModel};

pub(crate) fn lower(model: &TableModel, schema: Option<&str>) -> Result<Lowered, ModelError> {
    let _ = (model, schema);
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

pub(crate) fn holds(kind: ColumnKind, ty: &str) -> bool {
    let _ = (kind, ty);
    false
}
