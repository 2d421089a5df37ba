#![doc = include_str!("../README.md")]

mod cache;
mod error;
mod events;
mod file;
mod options;
mod schema;
mod store;
mod time_text;
mod upgrade;

pub use cache::{
    CachedCluster, ClusterCache, ClusterConfig, ClusterFilter, ClusterStatus, FileInfo,
    ImportError, Imported, Optimized, Statistics,
};
pub use error::{Error, Result};
pub use events::Event;
pub use file::ClusterFile;
pub use options::ClusterFileOptions;

/// Why a file was not opened; part of [`Error`].
pub use larder_sqlite_file::FileError;
