//! The schema cache against real SQLite.

mod cache;
mod flights;
mod migrating;
mod names;
mod observing;
mod racing;
mod random;
mod support;
