//! The dialects, and the parser that each is read with.

use sqlparser::{
    ast::Ident,
    dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect},
};

/// The language that a statement is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// MariaDB: the syntax of MySQL with functions of its own.
    MariaDb,
    /// MySQL 8 and later.
    MySql,
    /// PostgreSQL.
    PostgreSql,
    /// SQLite 3.
    Sqlite,
}

impl Dialect {
    pub(crate) fn parser(self) -> &'static dyn sqlparser::dialect::Dialect {
        match self {
            Self::MariaDb | Self::MySql => &MySqlDialect {},
            Self::PostgreSql => &PostgreSqlDialect {},
            Self::Sqlite => &SQLiteDialect {},
        }
    }

    pub(crate) const fn is_mysql_family(self) -> bool {
        matches!(self, Self::MariaDb | Self::MySql)
    }

    /// The name under which a common table expression is found again.
    ///
    /// Two names with one key are certainly the same to the server. Where that depends on its
    /// settings the keys differ, so that a doubtful reference counts as one to a table.
    pub(crate) fn cte_key(self, name: &Ident) -> String {
        match self {
            Self::MariaDb | Self::MySql => name.value.clone(),
            Self::PostgreSql if name.quote_style.is_some() => name.value.clone(),
            Self::PostgreSql | Self::Sqlite => name.value.to_ascii_lowercase(),
        }
    }
}
