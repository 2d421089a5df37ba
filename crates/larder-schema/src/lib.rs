#![doc = include_str!("../README.md")]

mod check;
mod counter;
mod error;
mod flight;
mod metrics;
mod observe;
mod options;
mod schema;
mod slot;
mod slots;
mod store;

pub use error::SchemaError;
pub use metrics::SchemaMetrics;
pub use options::{Policy, SchemaOptions};
pub use schema::{CachedTable, Ensured, Schema};
pub use store::{Cell, SchemaStore, SchemaTransaction, StoreError};
