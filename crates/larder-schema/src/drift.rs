//! What a statement that failed says about the tables.

use larder_model::Dialect;

/// Why a statement failed, if the schema may have to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementFailure {
    /// A prepared statement no longer fits, because some table was changed.
    ChangedSchema,
    /// A column is not there.
    UndefinedColumn,
    /// A table, a schema or a type is not there.
    UndefinedTable,
}

impl StatementFailure {
    /// What a database's own code means: a SQLSTATE of PostgreSQL, a number of MySQL and MariaDB.
    /// `None` if the schema has nothing to do with it.
    ///
    /// SQLite has no codes for most of these; see [`StatementFailure::of_sqlite`].
    #[must_use]
    pub fn of_code(dialect: Dialect, code: &str) -> Option<Self> {
        match (dialect, code) {
            (Dialect::Postgres, "42P01" | "42704" | "3F000") => Some(Self::UndefinedTable),
            (Dialect::Postgres, "42703") => Some(Self::UndefinedColumn),
            (Dialect::Postgres, "0A000") => Some(Self::ChangedSchema),
            (Dialect::MariaDb | Dialect::MySql, "1146") => Some(Self::UndefinedTable),
            (Dialect::MariaDb | Dialect::MySql, "1054") => Some(Self::UndefinedColumn),
            (Dialect::MariaDb | Dialect::MySql, "1412" | "1615") => Some(Self::ChangedSchema),
            // SQLITE_SCHEMA.
            (Dialect::Sqlite, "17") => Some(Self::ChangedSchema),
            _ => None,
        }
    }

    /// What SQLite's message means. `None` if the schema has nothing to do with it.
    #[must_use]
    pub fn of_sqlite(message: &str) -> Option<Self> {
        if message.contains("no such table") {
            Some(Self::UndefinedTable)
        } else if message.contains("no such column") || message.contains("has no column named") {
            Some(Self::UndefinedColumn)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        use StatementFailure::{ChangedSchema, UndefinedColumn, UndefinedTable};
        for (dialect, code, expected) in [
            (Dialect::Postgres, "42P01", Some(UndefinedTable)),
            (Dialect::Postgres, "42703", Some(UndefinedColumn)),
            (Dialect::Postgres, "0A000", Some(ChangedSchema)),
            (Dialect::Postgres, "23505", None),
            (Dialect::MySql, "1146", Some(UndefinedTable)),
            (Dialect::MariaDb, "1054", Some(UndefinedColumn)),
            (Dialect::MySql, "42703", None),
            (Dialect::Sqlite, "17", Some(ChangedSchema)),
            (Dialect::Sqlite, "1", None),
        ] {
            assert_eq!(StatementFailure::of_code(dialect, code), expected, "{dialect} {code}");
        }
    }

    #[test]
    fn sqlite_tells_by_its_message() {
        let of = StatementFailure::of_sqlite;
        assert_eq!(of("no such table: airline"), Some(StatementFailure::UndefinedTable));
        let column = "table airline has no column named fleet";
        assert_eq!(of(column), Some(StatementFailure::UndefinedColumn));
        assert_eq!(of("UNIQUE constraint failed: airline.iata"), None);
    }
}
