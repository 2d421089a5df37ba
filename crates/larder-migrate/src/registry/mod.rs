//! The registry: what a database knows of its migrations.
//!
//! Invariants: whoever writes holds the lock; columns that older programs know keep their names
//! and their meaning; rows that others wrote are read and never written.

mod columns;
mod fields;
mod file_rows;
mod history;
mod meta;
mod migration_row;
mod model_row;
mod models;
mod shape;
mod unfinished;

use larder_model::{Dialect, TableName};

use crate::{MigrateOptions, registry::shape::Shape};

pub(crate) use columns::RegistryTable;
pub(crate) use fields::{Fields, now_micros, now_readable, placeholder};
pub(crate) use history::{Finish, model_version, number_of};
pub(crate) use meta::epoch;
pub use migration_row::{MigrationKind, MigrationRow, MigrationStatus};
pub use model_row::ModelRow;

/// The version of the registry's tables. One that is higher was written by a later version of
/// this crate, which may mean other things by the same words.
pub(crate) const FORMAT: i64 = 1;

/// The registry of one database, as it was found there.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    names: Names,
    shape: Shape,
}

/// What the registry's tables are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) dialect: Dialect,
    pub(crate) schema: String,
    pub(crate) prefix: String,
    pub(crate) application: String,
}

impl Names {
    pub(crate) fn new(dialect: Dialect, options: &MigrateOptions) -> Self {
        Self {
            dialect,
            schema: options.schema.clone(),
            prefix: options.prefix.clone(),
            application: options.application.clone(),
        }
    }

    /// A table's name without schema and quotes.
    pub(crate) fn bare(&self, table: RegistryTable) -> String {
        format!("{}{}", self.prefix, table.suffix())
    }

    /// A table's name as it stands in a statement.
    pub(crate) fn quoted(&self, table: RegistryTable) -> String {
        let schema = (self.dialect == Dialect::Postgres).then(|| self.schema.clone());
        self.dialect.quoted_table(&TableName { schema, name: self.bare(table) })
    }

    /// Whether a table is one of the registry's own.
    pub(crate) fn is_own(&self, name: &TableName) -> bool {
        let own = RegistryTable::ALL.into_iter();
        own.map(|table| self.bare(table)).any(|own| own == name.name)
            && name.schema.as_deref().is_none_or(|schema| schema == self.schema)
    }
}

impl Registry {
    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.names.dialect
    }

    fn table(&self, table: RegistryTable) -> String {
        self.names.quoted(table)
    }
}
