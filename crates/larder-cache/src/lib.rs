#![doc = include_str!("../README.md")]

mod accept;
mod args;
mod breaker;
mod builder;
mod cache;
mod codec;
mod entry;
mod error;
mod family;
mod far;
mod feed;
mod fingerprint;
mod flight;
mod histogram;
mod invalidation;
mod load;
mod lookup;
mod near;
mod pending;
mod policy;
mod recent;
mod request;
mod stats;
mod store;
mod view;

pub use args::Args;
pub use builder::{BuildError, CacheBuilder};
pub use cache::Cache;
pub use codec::{CodecError, Loaded, PayloadCodec};
pub use error::LoadError;
pub use family::{Family, FamilyBuilder};
pub use fingerprint::fingerprint;
pub use histogram::Histogram;
pub use invalidation::{Invalidation, PendingInvalidation};
pub use lookup::{Cached, Lookup, Source, Tier};
pub use near::Near;
pub use policy::{InvalidJitter, TtlPolicy};
pub use stats::{CacheStats, FarStats, KeyspaceStats, NearStats};

/// The crate whose types this one speaks.
pub use larder_core;
