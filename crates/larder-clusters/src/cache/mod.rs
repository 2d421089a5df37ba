//! The cache: clusters with their configurations, until they expire.

mod backup;
mod cluster;
mod config;
mod encoding;
mod file_info;
mod filter;
mod handle;
mod import;
mod keep;
mod look;
mod metrics;
mod python_json;
mod restore;
mod statistics;
mod upkeep;

pub use cluster::{CachedCluster, ClusterStatus};
pub use config::ClusterConfig;
pub use file_info::FileInfo;
pub use filter::ClusterFilter;
pub use handle::ClusterCache;
pub use import::{ImportError, Imported};
pub use statistics::Statistics;
pub use upkeep::Optimized;
