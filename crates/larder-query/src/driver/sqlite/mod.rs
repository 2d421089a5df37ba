//! SQLite over sqlx.

mod arguments;
mod begin;
mod connect;
mod error;
mod identity;
mod pool;
mod rows;
mod scan;

pub(super) use pool::SqliteDriver;
