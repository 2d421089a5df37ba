//! The tables of the sample and its indexes, and how they are made.

use super::dialect::{Dialect, Kind};

/// One table: its name and its columns in order, the first of which is the number of the row.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    name: &'static str,
    kind: Kind,
    rule: Rule,
}

/// What holds for a column beside its type.
#[derive(Debug)]
enum Rule {
    /// It may be NULL.
    Optional,
    /// It may not be NULL.
    Present,
    /// It points at a row of this table.
    References(&'static str),
    /// No two rows have the same value.
    Unique,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, rule: Rule::Present }
}

const fn unique(name: &'static str, chars_max: u16) -> Column {
    Column { name, kind: Kind::Text(chars_max), rule: Rule::Unique }
}

const fn reference(name: &'static str, table: &'static str) -> Column {
    Column { name, kind: Kind::Integer, rule: Rule::References(table) }
}

pub(crate) const AIRLINE: Table = Table {
    name: "airline",
    columns: &[
        column("airline_id", Kind::Key),
        unique("iata", 8),
        column("name", Kind::Text(80)),
        column("country", Kind::Text(80)),
        column("founded", Kind::Integer),
    ],
};

pub(crate) const AIRPORT: Table = Table {
    name: "airport",
    columns: &[
        column("airport_id", Kind::Key),
        unique("iata", 8),
        column("city", Kind::Text(80)),
        column("country", Kind::Text(80)),
        column("latitude", Kind::Real),
        column("longitude", Kind::Real),
    ],
};

pub(crate) const FLIGHT: Table = Table {
    name: "flight",
    columns: &[
        column("flight_id", Kind::Key),
        column("flight_no", Kind::Text(16)),
        reference("airline_id", "airline"),
        reference("origin_id", "airport"),
        reference("destination_id", "airport"),
        column("departure", Kind::Moment),
        column("arrival", Kind::Moment),
        column("aircraft", Kind::Text(40)),
        column("status", Kind::Text(16)),
    ],
};

pub(crate) const PASSENGER: Table = Table {
    name: "passenger",
    columns: &[
        column("passenger_id", Kind::Key),
        unique("passport", 16),
        column("first_name", Kind::Text(80)),
        column("last_name", Kind::Text(80)),
        column("country", Kind::Text(80)),
        column("born", Kind::Day),
        Column { name: "email", kind: Kind::Text(80), rule: Rule::Optional },
    ],
};

pub(crate) const BOOKING: Table = Table {
    name: "booking",
    columns: &[
        column("booking_id", Kind::Key),
        reference("flight_id", "flight"),
        reference("passenger_id", "passenger"),
        column("seat", Kind::Text(8)),
        column("class", Kind::Text(16)),
        column("price_cents", Kind::Integer),
        column("booked", Kind::Day),
        column("status", Kind::Text(16)),
    ],
};

/// The tables, in an order in which foreign keys hold.
pub(crate) const ALL: [&Table; 5] = [&AIRLINE, &AIRPORT, &FLIGHT, &PASSENGER, &BOOKING];

/// Tables and columns with an index, made after the rows, which is faster than keeping them up to
/// date.
const INDEXES: [(&str, &str, &str); 6] = [
    ("airline", "country", "country"),
    ("flight", "airline", "airline_id"),
    ("flight", "origin", "origin_id, departure"),
    ("flight", "destination", "destination_id"),
    ("booking", "flight", "flight_id"),
    ("booking", "passenger", "passenger_id"),
];

/// The table that tells what the sample was made from. Its presence is what tells a sample from
/// other files and other tables.
pub(crate) const ORIGIN: &str = "sample";

impl Table {
    /// The statement that makes the table.
    pub(crate) fn create(&self, dialect: Dialect) -> String {
        let mut lines: Vec<_> = self.columns.iter().map(|one| one.definition(dialect)).collect();
        if dialect == Dialect::MySql {
            // Beside a column, MySQL reads a reference and forgets it.
            lines.extend(self.columns.iter().filter_map(|one| {
                let Rule::References(table) = one.rule else { return None };
                let (name, target) = (one.name, dialect.table(table));
                Some(format!("FOREIGN KEY ({name}) REFERENCES {target} ({table}_id)"))
            }));
        }
        format!("CREATE TABLE {} ({})", dialect.table(self.name), lines.join(", "))
    }

    /// The statement that adds so many rows.
    pub(crate) fn insert(&self, dialect: Dialect, rows: u64) -> String {
        let mut sql = format!("INSERT INTO {} VALUES ", dialect.table(self.name));
        let mut number = 0;
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ",(" });
            for (index, column) in self.columns.iter().enumerate() {
                number += 1;
                sql.push_str(if index == 0 { "" } else { "," });
                sql.push_str(&dialect.parameter(number, column.kind));
            }
            sql.push(')');
        }
        sql
    }
}

impl Column {
    fn definition(&self, dialect: Dialect) -> String {
        let (name, kind) = (self.name, dialect.column(self.kind));
        match self.rule {
            _ if self.kind == Kind::Key => format!("{name} {kind}"),
            Rule::Optional => format!("{name} {kind}"),
            Rule::Present => format!("{name} {kind} NOT NULL"),
            Rule::References(table) if dialect != Dialect::MySql => {
                format!("{name} {kind} NOT NULL REFERENCES {}", dialect.table(table))
            }
            Rule::References(_) => format!("{name} {kind} NOT NULL"),
            Rule::Unique => format!("{name} {kind} NOT NULL UNIQUE"),
        }
    }
}

/// The statements that make the indexes and tell the planner what the tables hold.
pub(crate) fn indexes(dialect: Dialect) -> Vec<String> {
    let index = |(table, name, columns): &(&str, &str, &str)| {
        let table = dialect.table(table);
        format!("CREATE INDEX {table}_{name} ON {table} ({columns})")
    };
    let mut statements: Vec<_> = INDEXES.iter().map(index).collect();
    let names = ALL.iter().map(|table| dialect.table(table.name));
    match dialect {
        Dialect::MySql => statements.extend(names.map(|name| format!("ANALYZE TABLE {name}"))),
        Dialect::Postgres => statements.extend(names.map(|name| format!("ANALYZE {name}"))),
        Dialect::Sqlite => statements.push("ANALYZE".to_owned()),
    }
    statements
}

/// The name of the table that tells what the sample was made from.
pub(crate) fn origin(dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => format!("larder_{ORIGIN}"),
        Dialect::MySql | Dialect::Postgres => dialect.table(ORIGIN),
    }
}

/// The statement that makes it.
pub(crate) fn create_origin(dialect: Dialect) -> String {
    let [integer, seed, checksum] =
        [Kind::Integer, Kind::Text(20), Kind::Text(16)].map(|kind| dialect.column(kind));
    format!(
        "CREATE TABLE {} (version {integer} NOT NULL, seed {seed} NOT NULL, \
         bookings {integer} NOT NULL, checksum {checksum} NOT NULL)",
        origin(dialect)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_made_in_each_engines_words() {
        assert_eq!(
            BOOKING.create(Dialect::Sqlite),
            "CREATE TABLE booking (booking_id INTEGER PRIMARY KEY, \
             flight_id INTEGER NOT NULL REFERENCES flight, \
             passenger_id INTEGER NOT NULL REFERENCES passenger, seat TEXT NOT NULL, \
             class TEXT NOT NULL, price_cents INTEGER NOT NULL, booked TEXT NOT NULL, \
             status TEXT NOT NULL)"
        );
        let mysql = BOOKING.create(Dialect::MySql);
        assert!(
            mysql.contains("FOREIGN KEY (flight_id) REFERENCES larder_demo_flight (flight_id)")
        );
        let postgres = FLIGHT.create(Dialect::Postgres);
        assert!(postgres.contains("airline_id BIGINT NOT NULL REFERENCES larder_demo_airline"));
    }

    #[test]
    fn rows_have_a_parameter_for_each_column() {
        assert_eq!(
            AIRLINE.insert(Dialect::Sqlite, 2),
            "INSERT INTO airline VALUES (?,?,?,?,?),(?,?,?,?,?)"
        );
        let postgres = PASSENGER.insert(Dialect::Postgres, 2);
        assert!(postgres.ends_with("($8,$9,$10,$11,$12,CAST($13 AS date),$14)"), "{postgres}");
    }
}
