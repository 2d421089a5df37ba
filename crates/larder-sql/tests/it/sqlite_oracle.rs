//! SQLite itself says what a statement touches: its authorizer is told of every table while the
//! statement is compiled. What the analysis reports must include all of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use larder_sql::{Dialect, StatementKind, TableName, Writes, analyze};
use proptest::prelude::*;
use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};

const SCHEMA: &str = "
    CREATE TABLE airline (airline_id INTEGER PRIMARY KEY, iata TEXT UNIQUE, name TEXT);
    CREATE TABLE airport (airport_id INTEGER PRIMARY KEY, iata TEXT, name TEXT);
    CREATE TABLE flight (flight_id INTEGER PRIMARY KEY, airline_id INT, origin INT, dest INT,
                         departs TEXT, delay INT);
    CREATE TABLE passenger (passenger_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE booking (booking_id INTEGER PRIMARY KEY, flight_id INT, passenger_id INT,
                          price REAL);
    CREATE INDEX by_day ON flight (departs);
";

#[derive(Clone, Debug, Default)]
struct Touched {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
    /// Names of which no column is read, where SQLite does not say whether the name is that of a
    /// table or of a common table expression.
    unclear: BTreeSet<String>,
}

/// A database that compiles statements and never runs them.
struct Oracle {
    connection: Connection,
    touched: Arc<Mutex<Touched>>,
}

impl Oracle {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let touched = Arc::new(Mutex::new(Touched::default()));
        let log = Arc::clone(&touched);
        connection
            .authorizer(Some(move |context: AuthContext<'_>| {
                let mut touched = log.lock().unwrap();
                match context.action {
                    AuthAction::Read { table_name, column_name: "" }
                        if context.database_name.is_none() =>
                    {
                        touched.unclear.insert(table_name.to_ascii_lowercase());
                    }
                    AuthAction::Read { table_name, .. } => {
                        touched.reads.insert(table_name.to_ascii_lowercase());
                    }
                    AuthAction::Insert { table_name }
                    | AuthAction::Delete { table_name }
                    | AuthAction::Update { table_name, .. } => {
                        touched.writes.insert(table_name.to_ascii_lowercase());
                    }
                    _ => {}
                }
                Authorization::Allow
            }))
            .unwrap();
        Self { connection, touched }
    }

    /// What the first statement of a text touches; `None` if SQLite does not accept it.
    fn touched(&self, sql: &str) -> Option<Touched> {
        *self.touched.lock().unwrap() = Touched::default();
        self.connection.prepare(sql).ok()?;
        let mut touched = self.touched.lock().unwrap().clone();
        if !touched.unclear.is_empty() {
            let opened = self.opened(sql);
            touched.reads.extend(touched.unclear.intersection(&opened).cloned());
        }
        Some(touched)
    }

    /// The tables that the compiled statement opens, by themselves or by an index.
    fn opened(&self, sql: &str) -> BTreeSet<String> {
        let mut explain = self.connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let operations = explain.query_map([], |row| Ok((row.get(1)?, row.get(3)?))).unwrap();
        let operations: Vec<(String, i64)> = operations.map(Result::unwrap).collect();
        let mut by_page = self
            .connection
            .prepare("SELECT lower(tbl_name) FROM sqlite_schema WHERE rootpage = ?1")
            .unwrap();
        let opens = operations.into_iter().filter(|(operation, _)| operation == "OpenRead");
        opens.filter_map(|(_, page)| by_page.query_row([page], |row| row.get(0)).ok()).collect()
    }

    /// `true` if both understood the text.
    fn check(&self, sql: &str) -> bool {
        let (Ok(analysis), Some(touched)) = (analyze(sql, Dialect::Sqlite), self.touched(sql))
        else {
            return false;
        };
        let named = |tables: &BTreeSet<TableName>, table: &String| {
            tables.iter().any(|name| name.as_str() == table)
        };
        let written = |table: &String| match &analysis.writes {
            Writes::Everything => true,
            Writes::Tables(tables) => named(tables, table),
        };
        for table in &touched.writes {
            assert!(written(table), "{sql}\nwrites {table}: {analysis:?}");
        }
        for table in &touched.reads {
            let known = named(&analysis.reads, table) || written(table);
            assert!(known, "{sql}\nreads {table}: {analysis:?}");
        }
        if analysis.kind == StatementKind::Read {
            assert!(touched.writes.is_empty(), "{sql}: {analysis:?}");
        }
        true
    }
}

#[test]
fn the_oracle_sees_tables_at_all() {
    let oracle = Oracle::new();
    let touched =
        oracle.touched("INSERT INTO booking (flight_id) SELECT flight_id FROM flight").unwrap();
    assert!(touched.writes.contains("booking") && touched.reads.contains("flight"));
    for sql in ["SELECT count(*) FROM airline", "SELECT 1 FROM airline"] {
        assert!(oracle.touched(sql).unwrap().reads.contains("airline"), "{sql}");
    }
    let sql = "WITH airline(n) AS (SELECT 1 UNION SELECT 2 FROM airline) SELECT 1 FROM airline";
    assert!(oracle.touched(sql).unwrap().reads.is_empty());
}

#[test]
fn sample_queries_of_an_airport_agree() {
    let oracle = Oracle::new();
    for sql in [
        "SELECT * FROM airline WHERE airline_id = 1",
        "SELECT f.flight_id, a.name FROM flight f JOIN airline a ON a.airline_id = f.airline_id",
        "SELECT p.name, sum(b.price) FROM passenger p JOIN booking b USING (passenger_id) \
         GROUP BY p.passenger_id HAVING sum(b.price) > (SELECT avg(price) FROM booking)",
        "WITH busy AS (SELECT airline_id, count(*) AS n FROM flight GROUP BY airline_id) \
         SELECT a.name, n FROM busy JOIN airline a USING (airline_id) ORDER BY n DESC LIMIT 10",
        "WITH RECURSIVE reach(id, hops) AS (SELECT 1, 0 UNION SELECT f.dest, hops + 1 \
         FROM reach JOIN flight f ON f.origin = reach.id WHERE hops < 3) \
         SELECT name FROM airport WHERE airport_id IN (SELECT id FROM reach)",
        "SELECT name, rank() OVER (ORDER BY (SELECT count(*) FROM flight f \
         WHERE f.airline_id = a.airline_id)) FROM airline a",
        "SELECT * FROM flight INDEXED BY by_day WHERE departs > '2026'",
        "UPDATE flight SET delay = delay + 1 FROM airline a \
         WHERE a.airline_id = flight.airline_id AND a.iata = 'LH'",
        "DELETE FROM booking WHERE flight_id IN (SELECT flight_id FROM flight WHERE delay > 9)",
        "INSERT INTO airline (iata, name) VALUES ('LH', 'x') \
         ON CONFLICT (iata) DO UPDATE SET name = excluded.name || (SELECT name FROM airport)",
        "REPLACE INTO passenger SELECT airline_id, name FROM airline",
        "WITH x AS (SELECT * FROM flight) UPDATE booking SET price = 0 \
         WHERE flight_id IN (SELECT flight_id FROM x)",
        "SELECT * FROM airline UNION SELECT * FROM airport EXCEPT SELECT 1, 2, name FROM passenger",
        "VALUES ((SELECT max(price) FROM booking), 2)",
        "SELECT iata FROM airline a, (SELECT origin FROM flight) f WHERE EXISTS \
         (SELECT 1 FROM airport WHERE airport_id = f.origin) LIMIT (SELECT count(*) FROM booking)",
    ] {
        assert!(oracle.check(sql), "not understood by both: {sql}");
    }
}

#[test]
fn functions_that_may_be_cached_are_deterministic_to_sqlite_too() {
    const DETERMINISTIC: i64 = 0x800;
    // The flag is about indexes and the query planner. SQLite sets it for scalar functions that
    // are pure; aggregates and window functions never carry it.
    let oracle = Oracle::new();
    let mut statement = oracle
        .connection
        .prepare(
            "SELECT name, min(flags & ?1) FROM pragma_function_list WHERE type = 's' GROUP BY name",
        )
        .unwrap();
    let listed =
        statement.query_map([DETERMINISTIC], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let functions: Vec<(String, i64)> = listed.map(Result::unwrap).collect();
    assert!(functions.len() > 50, "{functions:?}");
    // Functions of the full-text search look at the row under the cursor, which is as good.
    let of_the_row = ["bm25", "highlight", "matchinfo", "offsets", "snippet"];
    for (name, flag) in functions {
        let call = format!("SELECT {name}('2026-01-01', 1, 2, 3)");
        let cacheable = analyze(&call, Dialect::Sqlite).is_ok_and(|one| one.cacheability.is_ok());
        let pure = flag != 0 || of_the_row.contains(&&*name);
        assert!(!cacheable || pure, "{name} may be cached and is not deterministic");
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "airline",
        "airport",
        "flight",
        "passenger",
        "booking",
        "main.flight",
    ])
    .prop_map(str::to_owned)
}

/// Queries of one column, nested in all the ways that matter for scopes.
fn query() -> impl Strategy<Value = String> {
    let leaf = name().prop_map(|table| format!("SELECT name AS name FROM {table}"));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let cte = prop::sample::select(vec!["airline", "flight", "x", "Y"]);
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} UNION {b}")),
            inner.clone().prop_map(|a| format!("SELECT name FROM ({a})")),
            (inner.clone(), name()).prop_map(|(a, table)| format!(
                "SELECT t.name FROM {table} t WHERE t.name IN ({a})"
            )),
            (inner.clone(), name())
                .prop_map(|(a, table)| format!("SELECT ({a}) AS name FROM {table}")),
            (cte.clone(), inner.clone(), inner.clone()).prop_map(|(cte, a, b)| format!(
                "SELECT name FROM (WITH {cte} AS ({a}) SELECT name FROM {cte} UNION {b})"
            )),
            (cte.clone(), cte, inner.clone(), inner).prop_map(|(one, other, a, b)| format!(
                "SELECT name FROM (WITH {one} AS ({a}), {other} AS ({b}) SELECT name FROM {one})"
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        // SQLite refuses about every other query.
        max_global_rejects: 65_536,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn generated_queries_agree(query in query()) {
        let oracle = Oracle::new();
        // SQLite refuses some, for example an expression that refers to itself without end.
        prop_assume!(oracle.check(&query));
        let write = format!("DELETE FROM booking WHERE booking_id IN ({query})");
        prop_assert!(oracle.check(&write), "not understood by both: {}", write);
    }
}
