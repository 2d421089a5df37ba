//! The three queries, and the write that each of them notices.

use larder::Value;

use super::sample::{Dialect, Sample};

/// A query, and a write that changes its answer.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) tables: &'static [&'static str],
    pub(crate) ask: Statement,
    /// What the write does, in a few words.
    pub(crate) write_about: &'static str,
    pub(crate) write: Statement,
    /// Takes the write back.
    pub(crate) undo: Statement,
}

/// A statement and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
}

impl Statement {
    fn new(dialect: Dialect, template: &str, params: Vec<Value>) -> Self {
        Self { sql: dialect.statement(template), params }
    }
}

/// Every row that is written has the number after the last one of the sample, so that a sample
/// can be told from what an interrupted demo has added to it.
pub(crate) fn all(sample: &Sample) -> [Question; 3] {
    let (spec, dialect) = (sample.spec, sample.dialect);
    [
        simple(dialect, spec.airlines() + 1),
        medium(dialect, spec.flights() + 1),
        advanced(dialect, u64::from(spec.bookings) + 1),
    ]
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn simple(dialect: Dialect, new: u64) -> Question {
    Question {
        name: "Simple",
        about: "the airlines of a country",
        tables: &["airline"],
        ask: Statement::new(
            dialect,
            "SELECT airline_id, iata, name, founded FROM {airline} WHERE country = {?} ORDER BY name",
            vec![text("United States")],
        ),
        write_about: "INSERT INTO airline",
        write: Statement::new(
            dialect,
            "INSERT INTO {airline} (airline_id, iata, name, country, founded) \
             VALUES ({?}, '1A', 'Aardvark Air', 'United States', 2025)",
            vec![Value::UInt(new)],
        ),
        undo: Statement::new(
            dialect,
            "DELETE FROM {airline} WHERE airline_id = {?}",
            vec![Value::UInt(new)],
        ),
    }
}

fn medium(dialect: Dialect, new: u64) -> Question {
    Question {
        name: "Medium",
        about: "two weeks of departures from the busiest airport",
        tables: &["airline", "airport", "flight"],
        ask: Statement::new(
            dialect,
            "SELECT f.departure, f.flight_no, al.name AS airline, ap.city AS destination, f.status \
             FROM {flight} f \
             JOIN {airline} al ON al.airline_id = f.airline_id \
             JOIN {airport} ap ON ap.airport_id = f.destination_id \
             WHERE f.origin_id = {?} AND f.departure >= {?moment} AND f.departure < {?moment} \
             ORDER BY f.departure, f.flight_id",
            vec![Value::Int(1), text("2025-07-14"), text("2025-07-28")],
        ),
        write_about: "INSERT INTO flight",
        write: Statement::new(
            dialect,
            "INSERT INTO {flight} VALUES ({?}, 'LA1', 1, 1, 2, '2025-07-14 00:00', \
             '2025-07-14 02:15', 'A220-300', 'scheduled')",
            vec![Value::UInt(new)],
        ),
        undo: Statement::new(
            dialect,
            "DELETE FROM {flight} WHERE flight_id = {?}",
            vec![Value::UInt(new)],
        ),
    }
}

fn advanced(dialect: Dialect, new: u64) -> Question {
    Question {
        name: "Advanced",
        about: "the ten airlines with the highest revenue",
        tables: &["airline", "airport", "booking", "flight", "passenger"],
        ask: Statement::new(
            dialect,
            "SELECT al.name AS airline, count(*) AS bookings, \
             count(DISTINCT o.airport_id) AS airports, count(DISTINCT p.country) AS countries, \
             avg(b.price_cents) / 100.0 AS average_fare, sum(b.price_cents) / 100.0 AS revenue \
             FROM {booking} b \
             JOIN {flight} f ON f.flight_id = b.flight_id \
             JOIN {airline} al ON al.airline_id = f.airline_id \
             JOIN {airport} o ON o.airport_id = f.origin_id \
             JOIN {passenger} p ON p.passenger_id = b.passenger_id \
             WHERE b.status = {?} \
             GROUP BY al.airline_id, al.name ORDER BY revenue DESC LIMIT 10",
            vec![text("confirmed")],
        ),
        write_about: "INSERT INTO booking",
        // Dear enough to put its airline first, whatever the size of the sample.
        write: Statement::new(
            dialect,
            "INSERT INTO {booking} VALUES ({?}, 1, 1, '1A', 'first', 10000000000000, '2025-06-30', \
             'confirmed')",
            vec![Value::UInt(new)],
        ),
        undo: Statement::new(
            dialect,
            "DELETE FROM {booking} WHERE booking_id = {?}",
            vec![Value::UInt(new)],
        ),
    }
}
