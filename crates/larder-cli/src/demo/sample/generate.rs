//! The rows: a function of the seed, the table and the number of the row.
//!
//! Guards that a sample is the same everywhere: integers only, and a stream of random numbers for
//! each table.

use larder::Params;

use super::{
    calendar, names,
    random::Random,
    spec::Spec,
    tables::{self, Table},
};

/// The flights of the sample depart from here on; 2025-07-01.
pub(crate) const FIRST_DAY: u64 = 20_270;
/// For so many days.
pub(crate) const DAYS: u64 = 91;

/// Adds the columns of one row.
type MakeRow = fn(&Generator, &mut Random, u64, &mut Params);

/// The rows of one table.
pub(crate) struct Rows<'a> {
    pub(crate) table: &'static Table,
    generator: &'a Generator,
    make: MakeRow,
    random: Random,
    next: u64,
    last: u64,
}

/// What all tables of a sample share.
#[derive(Debug)]
pub(crate) struct Generator {
    spec: Spec,
    offset: u64,
}

impl Generator {
    pub(crate) const fn new(spec: Spec) -> Self {
        Self { spec, offset: Random::new(spec.seed).next() % 1_000_000 }
    }

    /// The tables in an order in which foreign keys hold.
    pub(crate) fn tables(&self) -> [Rows<'_>; 5] {
        let spec = &self.spec;
        [
            self.rows(&tables::AIRLINE, spec.airlines(), Self::airline),
            self.rows(&tables::AIRPORT, spec.airports(), Self::airport),
            self.rows(&tables::FLIGHT, spec.flights(), Self::flight),
            self.rows(&tables::PASSENGER, spec.passengers(), Self::passenger),
            self.rows(&tables::BOOKING, spec.bookings.into(), Self::booking),
        ]
    }

    fn rows(&self, table: &'static Table, last: u64, make: MakeRow) -> Rows<'_> {
        // The name tells the streams apart, so that another size of one table changes no other.
        let stream = table
            .name
            .bytes()
            .fold(self.spec.seed, |mixed, byte| Random::new(mixed ^ u64::from(byte)).next());
        Rows { table, generator: self, make, random: Random::new(stream), next: 1, last }
    }

    fn airline(&self, random: &mut Random, id: u64, row: &mut Params) {
        row.bind(names::code(id, self.offset, 2));
        row.bind(names::airline(random));
        row.bind(names::country(random));
        row.bind(1_920 + random.below(100));
    }

    fn airport(&self, random: &mut Random, id: u64, row: &mut Params) {
        row.bind(names::code(id, self.offset, 3));
        row.bind(names::city(random));
        row.bind(names::country(random));
        row.bind(degrees(random, 70));
        row.bind(degrees(random, 180));
    }

    fn flight(&self, random: &mut Random, _id: u64, row: &mut Params) {
        let airline = random.skewed_below(self.spec.airlines()) + 1;
        let origin = random.skewed_below(self.spec.airports());
        // Any other airport: one to all but one steps further.
        let step = 1 + random.below(self.spec.airports() - 1);
        let destination = (origin + step) % self.spec.airports();
        let departure = FIRST_DAY * 1_440 + random.below(DAYS * 288) * 5;
        let arrival = departure + 45 + random.below(140) * 5;
        let status = match random.below(100) {
            0..3 => "cancelled",
            3..15 => "delayed",
            _ => "scheduled",
        };
        row.bind(format!("{}{}", names::code(airline, self.offset, 2), 100 + random.below(8_900)));
        row.bind(airline).bind(origin + 1).bind(destination + 1);
        row.bind(calendar::minute(departure)).bind(calendar::minute(arrival));
        row.bind(names::one(random, names::AIRCRAFT)).bind(status);
    }

    fn passenger(&self, random: &mut Random, id: u64, row: &mut Params) {
        let (first, family) = (names::first(random), names::family(random));
        let passport = format!("{}{id:07}", names::code(random.below(676), 0, 2));
        let email = format!("passenger{id}@example.com");
        row.bind(passport).bind(first).bind(family).bind(names::country(random));
        row.bind(calendar::day(random.below(18_000)));
        row.bind(random.chance(85).then_some(email));
    }

    fn booking(&self, random: &mut Random, _id: u64, row: &mut Params) {
        row.bind(random.below(self.spec.flights()) + 1);
        row.bind(random.skewed_below(self.spec.passengers()) + 1);
        let (class, rows, fare) = match random.below(100) {
            0..3 => ("first", 1..3, 220_000),
            3..15 => ("business", 3..9, 80_000),
            _ => ("economy", 9..41, 9_000),
        };
        let seat_row = rows.start + random.below(rows.end - rows.start);
        let letter = char::from(b'A' + u8::try_from(random.below(6)).unwrap_or_default());
        row.bind(format!("{seat_row}{letter}")).bind(class);
        row.bind(fare + random.below(fare * 2));
        row.bind(calendar::day(FIRST_DAY - 1 - random.below(180)));
        row.bind(if random.chance(92) { "confirmed" } else { "cancelled" });
    }
}

/// Degrees with four digits behind the point, from minus to plus the limit.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn degrees(random: &mut Random, limit: u64) -> f64 {
    let steps = random.below(2 * limit * 10_000 + 1) as f64;
    steps / 10_000.0 - limit as f64
}

impl Rows<'_> {
    /// How many rows there are in all.
    pub(crate) const fn total(&self) -> u64 {
        self.last
    }

    /// Adds the next rows, as many as are left and wanted; returns how many it added.
    pub(crate) fn fill(&mut self, rows_max: u64, params: &mut Params) -> u64 {
        let end = self.next.saturating_add(rows_max).min(self.last + 1);
        let first = self.next;
        while self.next < end {
            params.bind(self.next);
            (self.make)(self.generator, &mut self.random, self.next, params);
            self.next += 1;
        }
        end - first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::sample::checksum::Checksum;

    fn checksum(seed: u64, bookings: u32, batch: u64) -> String {
        let generator = Generator::new(Spec { seed, bookings });
        let mut checksum = Checksum::new();
        for mut rows in generator.tables() {
            loop {
                let mut params = Params::new();
                let added = rows.fill(batch, &mut params);
                if added == 0 {
                    break;
                }
                assert_eq!(params.len() as u64, added * rows.table.columns.len() as u64);
                checksum.add(&params);
            }
        }
        checksum.text()
    }

    #[test]
    fn a_seed_makes_the_same_rows_on_every_platform() {
        assert_eq!(checksum(42, 2_000, 500), "3f1fcaab4ee3cd13");
    }

    #[test]
    fn rows_depend_on_the_seed_and_not_on_the_size_of_batches() {
        assert_eq!(checksum(1, 300, 7), checksum(1, 300, 1_000));
        assert_ne!(checksum(1, 300, 7), checksum(2, 300, 7));
        assert_ne!(checksum(1, 300, 7), checksum(1, 301, 7));
    }
}
