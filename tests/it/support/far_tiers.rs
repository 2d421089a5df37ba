//! A far tier by name, and how another process reaches the same one.

use std::sync::Arc;

use larder::{CacheBackend, LarderBuilder, moka};
use larder_core::{MemoryBackend, MemoryConfig};
use tempfile::TempDir;

use super::service_url;

/// One far tier; whoever is [attached](Self::attach) to it shares its entries.
#[derive(Debug)]
pub(crate) enum FarTier {
    /// Within the process: a second "process" shares the backend itself.
    Backend(Arc<dyn CacheBackend>),
    /// A cache file, which each process opens for itself.
    File(TempDir),
    /// A server, to which each process connects for itself.
    Server { setup: &'static str, url: String },
}

impl FarTier {
    /// The far tiers of the matrix. The names are those of the modules.
    pub(crate) fn named(name: &'static str) -> Self {
        match name {
            "memory" => Self::Backend(Arc::new(MemoryBackend::new(MemoryConfig::default()))),
            "moka" => Self::Backend(Arc::new(moka::MokaBackend::new(moka::MokaConfig::default()))),
            "sqlite" => Self::File(tempfile::tempdir().unwrap()),
            setup => Self::Server { setup, url: service_url(setup) },
        }
    }

    pub(crate) fn attach(&self, builder: LarderBuilder) -> LarderBuilder {
        match self {
            Self::Backend(backend) => builder.far_backend(Arc::clone(backend)),
            Self::File(dir) => {
                builder.far(&format!("sqlite://{}", dir.path().join("cache.db").display()))
            }
            Self::Server { url, .. } => builder.far(url),
        }
    }

    /// The largest entry that is surely stored; memcached stores none above a mebibyte.
    pub(crate) fn stores_large_values(&self) -> bool {
        !matches!(self, Self::Server { setup, .. } if setup.starts_with("memcached"))
    }
}
