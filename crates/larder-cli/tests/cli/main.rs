//! The command as its users see it: arguments, output, exit codes.

mod clusters;
mod demo;
mod doctor;
mod failures;
mod query;
mod schema;
#[cfg(all(feature = "memcached", feature = "mysql", feature = "postgres", feature = "redis"))]
mod servers;
mod support;
