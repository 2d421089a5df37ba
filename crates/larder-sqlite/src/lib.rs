#![doc = include_str!("../README.md")]

mod backend;
mod batch;
mod boot;
mod config;
mod counters;
mod entries;
mod error;
mod generations;
mod info;
mod job;
mod leases;
mod reader;
mod schema;
mod shared;
mod slot;
mod snapshot;
mod store;
mod sweep;
mod watch;
mod worker;
mod writer;

pub use backend::SqliteBackend;
pub use config::{ReadMode, SqliteConfig};
pub use info::FileInfo;
pub use larder_sqlite_file::Synchronous;
