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

use std::fmt;

use larder_model::{Dialect, TableName};

use crate::{MigrateError, MigrateOptions, registry::shape::Shape};

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

/// How many characters the registry's columns for an application hold.
const APPLICATION_MAX: usize = 255;

/// How long a name may be.
#[derive(Clone, Copy, Debug)]
enum NameLimit {
    Bytes(usize),
    Characters(usize),
}

impl NameLimit {
    /// A database's own; `None` on SQLite, which has none.
    const fn of(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::MariaDb | Dialect::MySql => Some(Self::Characters(64)),
            Dialect::Sqlite => None,
            _ => Some(Self::Bytes(63)),
        }
    }

    fn admits(self, name: &str) -> bool {
        match self {
            Self::Bytes(most) => name.len() <= most,
            Self::Characters(most) => name.chars().count() <= most,
        }
    }
}

impl fmt::Display for NameLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(most) => write!(f, "{most} bytes"),
            Self::Characters(most) => write!(f, "{most} characters"),
        }
    }
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

    /// Checks that the database takes the names as they are, before one is used: PostgreSQL cuts
    /// names off that are too long, so that the tables would be others than those looked for.
    ///
    /// # Errors
    /// [`MigrateError::Registry`] if one of them is too long.
    pub(crate) fn check(&self) -> Result<(), MigrateError> {
        let refuse = |reason| Err(MigrateError::Registry { reason });
        if self.application.chars().count() > APPLICATION_MAX {
            let reason =
                format!("the application's name has more than {APPLICATION_MAX} characters");
            return refuse(reason);
        }
        let Some(limit) = NameLimit::of(self.dialect) else { return Ok(()) };
        if self.dialect == Dialect::Postgres && !limit.admits(&self.schema) {
            let reason = format!("the schema's name {:?} has more than {limit}", self.schema);
            return refuse(reason);
        }
        let names = RegistryTable::ALL.map(|table| self.bare(table));
        match names.iter().find(|name| !limit.admits(name)) {
            Some(name) => refuse(format!(
                "a table would be called {name:?}, which has more than {limit}; a shorter prefix \
                 helps"
            )),
            None => Ok(()),
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

#[cfg(test)]
mod tests {
    use Dialect::{MariaDb, MySql, Postgres, Sqlite};

    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, options: &MigrateOptions, refused: Option<&str>) {
        let found = Names::new(dialect, options).check();
        match (found, refused) {
            (Ok(()), None) => {}
            (Err(MigrateError::Registry { reason }), Some(expected)) => {
                assert!(reason.contains(expected), "{dialect}: {reason}");
            }
            (found, _) => panic!("{dialect}: {found:?}"),
        }
    }

    #[test]
    fn names_that_a_database_would_cut_off_are_refused() {
        // The longest suffix is that of 14 characters.
        let prefixed = |prefix: String| MigrateOptions::new().with_prefix(prefix);
        check(Postgres, &prefixed("p".repeat(49)), None);
        check(Postgres, &prefixed("p".repeat(50)), Some("more than 63 bytes; a shorter prefix"));
        check(Postgres, &prefixed("ä".repeat(25)), Some("more than 63 bytes"));
        for dialect in [MariaDb, MySql] {
            check(dialect, &prefixed("ä".repeat(50)), None);
            check(dialect, &prefixed("p".repeat(51)), Some("more than 64 characters"));
        }
        check(Sqlite, &prefixed("p".repeat(1_000)), None);
        let schema = MigrateOptions::new().with_schema("s".repeat(64));
        check(Postgres, &schema, Some("the schema's name"));
        check(MySql, &schema, None);
    }

    #[test]
    fn an_application_is_as_long_as_its_column() {
        let application = |text: String| MigrateOptions::new().with_application(text);
        for dialect in [MariaDb, MySql, Postgres, Sqlite] {
            check(dialect, &MigrateOptions::new(), None);
            check(dialect, &application("ä".repeat(255)), None);
            check(dialect, &application("a".repeat(256)), Some("more than 255 characters"));
        }
    }
}
