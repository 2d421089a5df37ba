#![doc = include_str!("../README.md")]

mod cache;
mod error;
mod events;
mod file;
mod options;
mod schema;
mod shared;
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
pub use shared::{
    AcquireError, AcquireOptions, Creation, Creator, DestroyError, Drain, Fence, Hold, HoldId,
    Holder, Kind, KindError, Process, Registration, Released, Shared, SharedInfo, SharedOptions,
    SharedRegistry, State, StateError, Swept, Update, Waiting,
};

/// Part of [`ClusterFileOptions`]: whether a missing file is created.
pub use larder_sqlite_file::Access;
/// Why a file was not opened; part of [`Error`].
pub use larder_sqlite_file::FileError;
