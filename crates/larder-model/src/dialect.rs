//! What differs from database to database.
//!
//! Guards that there is one place that knows it: nothing else asks which database it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Change, Check, Column, ColumnKind, ForeignKey, ModelError, Step, Table, TableModel,
    TableName, database_names::check_names, missing::Restoring, mysql, physical::EnumType,
    postgres, sqlite,
};

/// A database's way to write and to understand a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dialect {
    /// MariaDB from 10.6.
    #[serde(rename = "mariadb")]
    MariaDb,
    /// MySQL from 8.0.
    #[serde(rename = "mysql")]
    MySql,
    /// PostgreSQL from 12.
    Postgres,
    /// SQLite from 3.35.
    Sqlite,
}

/// A model in a database's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Lowered {
    /// Enumerated types that its columns have; PostgreSQL only.
    pub enums: Vec<EnumType>,
    /// The table.
    pub table: Table,
}

impl Lowered {
    /// Takes over the types of columns that are there and that the model has nothing against, so
    /// that the database prints expressions as it does for these: PostgreSQL writes out into what
    /// type it converts a column of another one.
    pub fn admit_types(&mut self, dialect: Dialect, current: &Catalog) {
        let former = self
            .table
            .renamed_from
            .clone()
            .map(|name| TableName { schema: self.table.name.schema.clone(), name });
        let find = |name: &TableName| {
            current.tables.iter().find(|table| dialect.is_same_table(&table.name, name))
        };
        let found = find(&self.table.name).or_else(|| find(former.as_ref()?));
        let Some(found) = found else { return };
        let column = |name: &str| {
            found.columns.iter().find(|column| dialect.is_same_column(&column.name, name))
        };
        for wanted in &mut self.table.columns {
            let found_column =
                column(&wanted.name).or_else(|| column(wanted.renamed_from.as_deref()?));
            if let (Some(kind), Some(of)) = (wanted.kind, found_column)
                && dialect.holds(kind, &of.ty, found.strict)
            {
                wanted.ty.clone_from(&of.ty);
                wanted.collation.clone_from(&of.collation);
            }
        }
    }
}

impl Dialect {
    /// A name in quotes, as it stands in a statement.
    #[must_use]
    pub fn quoted(self, name: &str) -> String {
        match self {
            Self::MariaDb | Self::MySql => format!("`{}`", name.replace('`', "``")),
            Self::Postgres | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A name as the database prints it in an expression: on PostgreSQL and SQLite without quotes
    /// where it needs none.
    #[must_use]
    pub fn quoted_if_needed(self, name: &str) -> String {
        if self == Self::Postgres {
            return postgres::printed(name);
        }
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let is_plain = name.as_bytes().first().is_some_and(is_letter)
            && name.bytes().all(|byte| is_letter(&byte) || byte.is_ascii_digit())
            && !sqlite::is_sqlite_keyword(name)
            && !["TRUE", "FALSE"].iter().any(|word| name.eq_ignore_ascii_case(word));
        match self {
            Self::Sqlite if is_plain => name.to_owned(),
            _ => self.quoted(name),
        }
    }

    /// A table's name in quotes, with its schema; on SQLite that is always `main`.
    #[must_use]
    pub fn quoted_table(self, name: &TableName) -> String {
        let table = self.quoted(&name.name);
        match (self, &name.schema) {
            (Self::Sqlite, _) => format!("\"main\".{table}"),
            (_, Some(schema)) => format!("{}.{table}", self.quoted(schema)),
            (_, None) => table,
        }
    }

    /// A text as a literal.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        match self {
            // A backslash escapes unless the session says otherwise, so it is doubled; sessions of
            // ours never say otherwise.
            Self::MariaDb | Self::MySql => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
            }
            Self::Postgres | Self::Sqlite => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// A model in this database's terms. `schema` is the schema of PostgreSQL in which a table
    /// lives whose model names none.
    ///
    /// Types and constant defaults are written as the database itself prints them; expressions of
    /// the model's author stand as they were written, and only the database knows how it prints
    /// them.
    ///
    /// # Errors
    /// If this database can not have such a table.
    pub fn lower(self, model: &TableModel, schema: Option<&str>) -> Result<Lowered, ModelError> {
        check_names(self, model)?;
        match self {
            Self::MariaDb | Self::MySql => mysql::lower(self, model),
            Self::Postgres => postgres::lower(model, schema),
            Self::Sqlite => sqlite::lower(model),
        }
    }

    /// The statements that create a table with everything in it.
    #[must_use]
    pub fn create_table(self, table: &Table) -> Vec<String> {
        match self {
            Self::MariaDb | Self::MySql => mysql::create_table(self, table),
            Self::Postgres => postgres::create_table(table),
            Self::Sqlite => sqlite::create_table(table),
        }
    }

    /// How changes are made, in their order.
    pub(crate) fn steps(
        self,
        changes: &[Change],
        current: &Catalog,
        desired: &Catalog,
        restoring: &Restoring,
    ) -> Vec<Step> {
        match self {
            Self::MariaDb | Self::MySql => {
                mysql::steps(self, changes, (current, desired), restoring)
            }
            Self::Postgres => postgres::steps(changes, current, desired, restoring),
            Self::Sqlite => sqlite::steps(changes, current, desired),
        }
    }

    /// Whether a column of this type holds every value of the kind unchanged, and gives it back
    /// as the same kind. Limits of length and precision that a model does not mention count as
    /// fine.
    #[must_use]
    pub fn holds(self, kind: ColumnKind, ty: &str, strict: bool) -> bool {
        match self {
            Self::MariaDb | Self::MySql => mysql::holds(self, kind, ty),
            Self::Postgres => postgres::holds(kind, ty),
            Self::Sqlite => sqlite::holds(kind, ty, strict),
        }
    }

    /// Whether the database keeps tables of this name to itself.
    #[must_use]
    pub fn is_reserved(self, table: &str) -> bool {
        match self {
            Self::MariaDb | Self::MySql | Self::Postgres => false,
            Self::Sqlite => sqlite::is_reserved(table),
        }
    }

    /// The longest name: 63 bytes on PostgreSQL, 64 characters on MySQL and MariaDB.
    #[must_use]
    pub const fn name_length_max(self) -> Option<usize> {
        match self {
            Self::MariaDb | Self::MySql => Some(64),
            Self::Postgres => Some(63),
            Self::Sqlite => None,
        }
    }

    /// Whether the database takes both for the name of one column.
    #[must_use]
    pub fn is_same_column(self, one: &str, other: &str) -> bool {
        match self {
            Self::Postgres => one == other,
            Self::MariaDb | Self::MySql | Self::Sqlite => one.eq_ignore_ascii_case(other),
        }
    }

    /// Whether the database takes both for the name of one table. MySQL's answer depends on the
    /// server; its catalog has the names as the server compares them.
    #[must_use]
    pub fn is_same_table(self, one: &TableName, other: &TableName) -> bool {
        match self {
            Self::Sqlite => one.name.eq_ignore_ascii_case(&other.name),
            _ => one == other,
        }
    }

    pub(crate) fn is_same_reference(self, one: &ForeignKey, other: &ForeignKey) -> bool {
        match self {
            Self::MariaDb | Self::MySql => mysql::is_same_reference(one, other),
            Self::Postgres => one == other,
            Self::Sqlite => sqlite::is_same_reference(one, other),
        }
    }

    /// Whether a check that nobody wants was only a means of a plan that was broken off.
    pub(crate) fn is_left_over(self, check: &Check, found: &Table, wanted: &Table) -> bool {
        match self {
            Self::MariaDb | Self::MySql | Self::Sqlite => false,
            Self::Postgres => postgres::is_left_over(check, found, wanted),
        }
    }

    /// Whether two defaults are one value, though they may be printed for different types.
    pub(crate) fn is_same_default(self, one: &Column, other: &Column) -> bool {
        match (&one.default, &other.default) {
            (Some(one), Some(other)) => {
                one == other || (self == Self::Postgres && postgres::is_same_text(one, other))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether two types are one.
    pub(crate) fn is_same_type(self, one: &Column, other: &Column) -> bool {
        match self {
            Self::Sqlite => one.ty.eq_ignore_ascii_case(&other.ty),
            _ => one.ty == other.ty,
        }
    }

    /// Whether nothing has to be done to make one column of the other.
    pub(crate) fn is_same_definition(self, one: &Column, other: &Column) -> bool {
        let mut one = one.clone();
        one.kind = other.kind;
        one.name.clone_from(&other.name);
        one.renamed_from.clone_from(&other.renamed_from);
        if self.is_same_type(&one, other) {
            one.ty.clone_from(&other.ty);
        }
        one == *other
    }

    /// Whether a table may refer to one that is created after it.
    pub(crate) const fn creates_references_first(self) -> bool {
        matches!(self, Self::Sqlite)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}
