//! MySQL and MariaDB over sqlx.

mod arguments;
mod begin;
mod driver;
mod error;
mod health;
mod moments;
mod pool;
mod rows;
mod run;
mod scan;
mod session;
mod types;

pub(super) use driver::connect;
