//! SQLite: how it writes a schema, and what a declared type means to it.

mod altered;
mod ddl;
mod judge;
mod keywords;
mod lower;
mod native;
mod probe;
mod rebuild;
mod steps;
mod types;

use crate::ForeignKey;

pub(crate) use ddl::create_table;
pub use keywords::is_sqlite_keyword;
pub(crate) use lower::lower;
pub(crate) use steps::steps;
pub(crate) use types::holds;

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
