//! The sample database: an airport's airlines, airports, flights, passengers and bookings.

mod build;
mod calendar;
mod checksum;
mod content;
mod dialect;
pub(crate) mod file;
mod generate;
mod names;
mod place;
mod random;
mod ready;
pub(crate) mod server;
mod spec;
mod tables;

pub(crate) use dialect::Dialect;
pub(crate) use place::default_path;
pub(crate) use ready::Sample;
pub(crate) use spec::Spec;
