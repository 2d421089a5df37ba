//! PostgreSQL: how it writes a schema, and what its types mean.

mod constant;
mod ddl;
mod identifier;
mod lower;
mod names;
mod types;

use crate::{Catalog, Change, Step};

pub(crate) use constant::is_same_text;
pub(crate) use ddl::create_table;
pub(crate) use lower::lower;
pub(crate) use types::holds;

pub(crate) fn steps(changes: &[Change], current: &Catalog, desired: &Catalog) -> Vec<Step> {
    let _ = (changes, current, desired);
    Vec::new()
}

/// A text in quotes, as PostgreSQL prints it.
fn literal(text: &str) -> String {
    crate::Dialect::Postgres.text(text)
}
