//! Files on real databases: what they do, and what happens where something stands in their way.

mod adoption;
mod embedded;
#[cfg(feature = "mysql")]
mod mariadb;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "mysql")]
mod mysql_family;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod scenarios;
#[cfg(feature = "sqlite")]
mod sqlite;
