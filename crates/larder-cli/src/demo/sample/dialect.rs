//! How the same statement is written for each engine.
//!
//! Guards that tables on a server, which belong to somebody else's database, are told by their
//! prefix.

use larder::Engine;

/// A database's way to write a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    MySql,
    Postgres,
    Sqlite,
}

/// What a column or a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Day,
    Integer,
    /// The number of the row.
    Key,
    Moment,
    Real,
    /// At most so many characters.
    Text(u16),
}

impl Dialect {
    pub(crate) const fn of(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::Postgres,
            Engine::MariaDb | Engine::MySql => Self::MySql,
            _ => Self::Sqlite,
        }
    }

    /// The name of one of the sample's tables.
    pub(crate) fn table(self, name: &str) -> String {
        match self {
            // The file is the sample's own.
            Self::Sqlite => name.to_owned(),
            Self::MySql | Self::Postgres => format!("larder_demo_{name}"),
        }
    }

    /// The type of a column.
    pub(crate) fn column(self, kind: Kind) -> String {
        let name = match (self, kind) {
            (Self::Sqlite, Kind::Day | Kind::Moment | Kind::Text(_)) => "TEXT",
            (Self::Sqlite, Kind::Integer) => "INTEGER",
            (Self::Sqlite, Kind::Key) => "INTEGER PRIMARY KEY",
            (Self::Sqlite, Kind::Real) => "REAL",
            (_, Kind::Day) => "DATE",
            (_, Kind::Integer) => "BIGINT",
            (_, Kind::Key) => "BIGINT PRIMARY KEY",
            (Self::MySql, Kind::Moment) => "DATETIME",
            (Self::Postgres, Kind::Moment) => "TIMESTAMP",
            (_, Kind::Real) => "DOUBLE PRECISION",
            (_, Kind::Text(chars_max)) => return format!("VARCHAR({chars_max})"),
        };
        name.to_owned()
    }

    /// The place of a parameter, whose number counts from 1.
    pub(crate) fn parameter(self, number: usize, kind: Kind) -> String {
        match (self, kind) {
            // Moments are bound as text, and PostgreSQL converts only where it is told to.
            (Self::Postgres, Kind::Day) => format!("CAST(${number} AS date)"),
            (Self::Postgres, Kind::Moment) => format!("CAST(${number} AS timestamp)"),
            (Self::Postgres, _) => format!("${number}"),
            (Self::MySql | Self::Sqlite, _) => "?".to_owned(),
        }
    }

    /// A statement from its template: `{airline}` is the table of that name, `{?}` a parameter
    /// and `{?moment}` one that is a moment.
    pub(crate) fn statement(self, template: &str) -> String {
        let mut sql = String::with_capacity(template.len() + 64);
        let mut parameters = 0;
        for (index, part) in template.split(['{', '}']).enumerate() {
            match part {
                _ if index % 2 == 0 => sql.push_str(part),
                "?" | "?moment" => {
                    parameters += 1;
                    let kind = if part == "?" { Kind::Integer } else { Kind::Moment };
                    sql.push_str(&self.parameter(parameters, kind));
                }
                table => sql.push_str(&self.table(table)),
            }
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_becomes_each_engines_statement() {
        let template = "SELECT 1 FROM {flight} WHERE a = {?} AND b >= {?moment}";
        for (dialect, sql) in [
            (Dialect::Sqlite, "SELECT 1 FROM flight WHERE a = ? AND b >= ?"),
            (Dialect::MySql, "SELECT 1 FROM larder_demo_flight WHERE a = ? AND b >= ?"),
            (
                Dialect::Postgres,
                "SELECT 1 FROM larder_demo_flight WHERE a = $1 AND b >= CAST($2 AS timestamp)",
            ),
        ] {
            assert_eq!(dialect.statement(template), sql);
        }
    }
}
