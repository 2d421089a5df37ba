//! The tables of the sample and its indexes.

/// One table: its name, its columns in order, and the statement that makes it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: usize,
    pub(crate) create: &'static str,
}

pub(crate) const AIRLINE: Table = Table {
    name: "airline",
    columns: 5,
    create: "CREATE TABLE airline (
        airline_id INTEGER PRIMARY KEY,
        iata TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        country TEXT NOT NULL,
        founded INTEGER NOT NULL
    )",
};

pub(crate) const AIRPORT: Table = Table {
    name: "airport",
    columns: 6,
    create: "CREATE TABLE airport (
        airport_id INTEGER PRIMARY KEY,
        iata TEXT NOT NULL UNIQUE,
        city TEXT NOT NULL,
        country TEXT NOT NULL,
        latitude REAL NOT NULL,
        longitude REAL NOT NULL
    )",
};

pub(crate) const FLIGHT: Table = Table {
    name: "flight",
    columns: 9,
    create: "CREATE TABLE flight (
        flight_id INTEGER PRIMARY KEY,
        flight_no TEXT NOT NULL,
        airline_id INTEGER NOT NULL REFERENCES airline,
        origin_id INTEGER NOT NULL REFERENCES airport,
        destination_id INTEGER NOT NULL REFERENCES airport,
        departure TEXT NOT NULL,
        arrival TEXT NOT NULL,
        aircraft TEXT NOT NULL,
        status TEXT NOT NULL
    )",
};

pub(crate) const PASSENGER: Table = Table {
    name: "passenger",
    columns: 7,
    create: "CREATE TABLE passenger (
        passenger_id INTEGER PRIMARY KEY,
        passport TEXT NOT NULL UNIQUE,
        first_name TEXT NOT NULL,
        last_name TEXT NOT NULL,
        country TEXT NOT NULL,
        born TEXT NOT NULL,
        email TEXT
    )",
};

pub(crate) const BOOKING: Table = Table {
    name: "booking",
    columns: 8,
    create: "CREATE TABLE booking (
        booking_id INTEGER PRIMARY KEY,
        flight_id INTEGER NOT NULL REFERENCES flight,
        passenger_id INTEGER NOT NULL REFERENCES passenger,
        seat TEXT NOT NULL,
        class TEXT NOT NULL,
        price_cents INTEGER NOT NULL,
        booked TEXT NOT NULL,
        status TEXT NOT NULL
    )",
};

/// Made after the rows, which is faster than keeping them up to date.
pub(crate) const INDEXES: &[&str] = &[
    "CREATE INDEX airline_country ON airline (country)",
    "CREATE INDEX flight_airline ON flight (airline_id)",
    "CREATE INDEX flight_origin ON flight (origin_id, departure)",
    "CREATE INDEX flight_destination ON flight (destination_id)",
    "CREATE INDEX booking_flight ON booking (flight_id)",
    "CREATE INDEX booking_passenger ON booking (passenger_id)",
    "ANALYZE",
];

/// What the sample was made from. Its presence is what tells a sample from other files.
pub(crate) const ORIGIN: &str = "CREATE TABLE larder_sample (
    version INTEGER NOT NULL,
    seed TEXT NOT NULL,
    bookings INTEGER NOT NULL,
    checksum TEXT NOT NULL
)";
