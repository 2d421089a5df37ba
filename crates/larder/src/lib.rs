#![doc = include_str!("../README.md")]

mod builder;
mod ensure;
mod error;
mod far;
mod larder;
mod settings;

pub use builder::LarderBuilder;
pub use error::{NoPlainStore, OpenError};
pub use far::{FarUrl, FarUrlError};
pub use larder::Larder;
pub use settings::{Settings, SettingsError};

pub use larder_cache::{
    Cache, CacheStats, Cached, Family, Invalidation, KeyspaceStats, Lookup, Near,
    PendingInvalidation, Source, Tier, TtlPolicy,
};
pub use larder_core::{
    CacheBackend, Error as CacheError, Fact, Health, PlainStore, Tag, Ttl, TtlError,
};
pub use larder_model::facade::Model;
pub use larder_query::{
    Bind, Column, Committed, Created, Database, DatabaseError, DatabaseErrorKind, DatabaseOptions,
    DatabaseUrl, Dynamic, Engine, Execute, Filter, List, ModelKey, Order, Params, PlainError,
    PlainLookup, PlainQueries, PlainQuery, PlainStats, PreparedQuery, Queries, Query, QueryError,
    Reason, Row, RowSet, Table, Transaction, Typed, Value, Written, col,
};

pub use larder_migrate::{MigrateError, MigrateOptions, Migrator};
pub use larder_schema::{
    BackOff, CachedTable, Ensured, Policy, Schema, SchemaCache, SchemaError, SchemaEvent,
    SchemaMetrics, SchemaOptions, StatementFailure, TableState, Validation, Watch,
};

/// The crates that this one is made of, for what it does not re-export.
pub use {
    larder_cache as cache, larder_core as core, larder_migrate as migrate, larder_model as model,
    larder_query as query, larder_schema as schema,
};

/// Cached clusters, and expensive things that processes share.
#[cfg(feature = "clusters")]
pub use larder_clusters as clusters;

/// Memcached.
#[cfg(feature = "memcached")]
pub use larder_memcached as memcached;

/// Redis and Valkey.
#[cfg(feature = "redis")]
pub use larder_redis as redis;

/// The SQLite cache file.
#[cfg(feature = "sqlite")]
pub use larder_sqlite as sqlite;

/// moka as a far tier.
#[cfg(feature = "moka")]
pub use larder_moka as moka;
