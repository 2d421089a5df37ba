#![doc = include_str!("../README.md")]

mod back_off;
mod cache;
mod cached_table;
mod check;
mod database;
mod drift;
mod error;
mod event;
mod flight;
mod freshness;
mod metrics;
mod migrator;
mod options;
mod outcome;
mod record;
mod schema;
mod second_level;
mod slot;
mod slots;
mod store;
mod watch;

pub use back_off::BackOff;
pub use cache::SchemaCache;
pub use cached_table::{CachedTable, TableState};
pub use drift::StatementFailure;
pub use error::SchemaError;
pub use event::{Noticed, SchemaEvent};
pub use metrics::SchemaMetrics;
pub use options::{SchemaOptions, Validation};
pub use outcome::Ensured;
pub(crate) use outcome::Outcome;
pub use schema::Schema;
pub use store::{SchemaStore, StoreError};
pub use watch::Watch;

/// What a store is asked and answers, and what a refusal is about.
pub use {
    larder_migrate::{ModelRef, SchemaSignal, Standing},
    larder_model::{Plan, Policy, Refusal},
};
