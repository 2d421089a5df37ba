//! The tools whose histories are understood.

use std::fmt;

use larder_model::{Dialect, TableName};

/// A tool that keeps a history of migrations in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistorySource {
    /// diesel's command line.
    Diesel,
    /// Flyway.
    Flyway,
    /// golang-migrate.
    GolangMigrate,
    /// refinery.
    Refinery,
    /// sqlx's command line and its macro.
    Sqlx,
}

impl HistorySource {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Diesel, Self::Flyway, Self::GolangMigrate, Self::Refinery, Self::Sqlx];

    /// One word, as commands take it and the registry keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Diesel => "diesel",
            Self::Flyway => "flyway",
            Self::GolangMigrate => "golang-migrate",
            Self::Refinery => "refinery",
            Self::Sqlx => "sqlx",
        }
    }

    /// The tool of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }

    /// The table, unless the tool was told otherwise; on PostgreSQL in the schema `public`.
    #[must_use]
    pub fn table(self, dialect: Dialect) -> TableName {
        let name = match self {
            Self::Diesel => "__diesel_schema_migrations",
            Self::Flyway => "flyway_schema_history",
            Self::GolangMigrate => "schema_migrations",
            Self::Refinery => "refinery_schema_history",
            Self::Sqlx => "_sqlx_migrations",
        };
        let schema = (dialect == Dialect::Postgres).then(|| "public".to_owned());
        TableName { schema, name: name.to_owned() }
    }
}

impl fmt::Display for HistorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
