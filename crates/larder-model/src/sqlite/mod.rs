//! SQLite: how it writes a schema, and what a declared type means to it.

mod ddl;
mod types;

pub(crate) use ddl::{add_column, create_table, is_reserved, quoted};
pub(crate) use types::{declared, holds};
