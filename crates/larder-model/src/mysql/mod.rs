//! MySQL and MariaDB: how it writes a schema, and what its types mean.

use crate::{
    Catalog, Change, ColumnKind, Dialect, ForeignKey, Lowered, ModelError, Step, Table, TableModel,
};

pub(crate) fn lower(dialect: Dialect, model: &TableModel) -> Result<Lowered, ModelError> {
    let _ = (model, dialect);
    Err(ModelError::NoColumns)
}

pub(crate) fn create_table(dialect: Dialect, table: &Table) -> Vec<String> {
    let _ = (table, dialect);
    Vec::new()
}

pub(crate) fn steps(
    dialect: Dialect,
    changes: &[Change],
    current: &Catalog,
    desired: &Catalog,
) -> Vec<Step> {
    let _ = (changes, current, desired, dialect);
    Vec::new()
}

pub(crate) fn holds(dialect: Dialect, kind: ColumnKind, ty: &str) -> bool {
    let _ = (kind, ty, dialect);
    false
}

pub(crate) fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    one == other
}
