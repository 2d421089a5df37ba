#![doc = include_str!("../README.md")]

mod engine;
mod error;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod percent;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod url;

pub use engine::Engine;
pub use error::UrlError;
#[cfg(feature = "mysql")]
pub use mysql::{MySqlTarget, MySqlTls};
#[cfg(feature = "postgres")]
pub use postgres::PostgresTarget;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteTarget;
pub use url::DatabaseUrl;

/// The crate whose options for a connection are part of the public interface.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use sqlx;
