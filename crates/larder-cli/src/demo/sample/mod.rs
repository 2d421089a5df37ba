//! The sample database: an airport's airlines, airports, flights, passengers and bookings.

mod build;
mod calendar;
mod checksum;
mod generate;
mod names;
mod open;
mod place;
mod random;
mod tables;

pub(crate) use open::{Sample, Spec};
pub(crate) use place::default_path;
