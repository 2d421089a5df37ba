//! What a sample is made from, and how large that makes it.

use serde::Serialize;

/// What a sample is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    pub(crate) bookings: u32,
}

impl Spec {
    pub(crate) const BOOKINGS_DEFAULT: u32 = 200_000;
    pub(crate) const SEED_DEFAULT: u64 = 42;
    /// Changes with the tables and with the generator.
    pub(crate) const VERSION: i64 = 1;

    pub(crate) const fn airlines(&self) -> u64 {
        100
    }

    pub(crate) const fn airports(&self) -> u64 {
        500
    }

    pub(crate) const fn flights(&self) -> u64 {
        2_000 + self.bookings as u64 / 20
    }

    pub(crate) const fn passengers(&self) -> u64 {
        1_000 + self.bookings as u64 / 5
    }

    /// The tables, their keys, and how many rows they have.
    pub(crate) const fn sizes(&self) -> [(&'static str, &'static str, u64); 5] {
        [
            ("booking", "booking_id", self.bookings as u64),
            ("flight", "flight_id", self.flights()),
            ("passenger", "passenger_id", self.passengers()),
            ("airport", "airport_id", self.airports()),
            ("airline", "airline_id", self.airlines()),
        ]
    }
}
