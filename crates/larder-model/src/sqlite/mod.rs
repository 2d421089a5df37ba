//! SQLite: how it writes a schema, and what a declared type means to it.

mod ddl;
mod lower;
mod types;

use crate::{Catalog, Change, ForeignKey, Step};

pub(crate) use ddl::create_table;
pub(crate) use lower::lower;
pub(crate) use types::holds;

pub(crate) fn steps(changes: &[Change], current: &Catalog, desired: &Catalog) -> Vec<Step> {
    let _ = (changes, current, desired);
    Vec::new()
}

/// SQLite refuses to create these.
pub(crate) fn is_reserved(table: &str) -> bool {
    let prefix = table.as_bytes().get(..7);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"sqlite_"))
}

/// The same up to the case of letters, in which SQLite's names do not differ.
pub(crate) fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    let lower = |of: &ForeignKey| {
        let mut of = of.clone();
        let lists = [&mut of.columns, &mut of.target_columns];
        lists.into_iter().flatten().for_each(|name| name.make_ascii_lowercase());
        of.target.name.make_ascii_lowercase();
        of
    };
    lower(one) == lower(other)
}
