//! The schema cache on real databases, by way of the migrator.

mod mariadb;
mod mysql;
mod place;
mod postgres;
mod scenarios;
mod sqlite;
