//! What the schema cache needs of a database: three verbs, without a driver's types.
//!
//! Guards that the cache knows neither a dialect nor a lock: whoever implements this decides how
//! a table is looked at and changed.

use std::{error::Error as StdError, fmt::Debug, sync::Arc};

use async_trait::async_trait;
use larder_model::Policy;

use larder_migrate::{ModelRef, SchemaSignal, Standing};

/// The database's own error. It reaches the caller as the source of
/// [`SchemaError::Store`](crate::SchemaError::Store); everybody who waited gets the same one.
pub type StoreError = Arc<dyn StdError + Send + Sync>;

/// A database whose schema can be looked at and changed.
///
/// [`larder_migrate::Migrator`] is one.
#[async_trait]
pub trait SchemaStore: Debug + Send + Sync + 'static {
    /// Which database it is, whatever way led to it; without secrets.
    ///
    /// Two stores with one identity are one database *and* find the same tables under the same
    /// names: on PostgreSQL, the schema in which tables are looked for is part of it.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Nothing changes.
    async fn identity(&self) -> Result<String, StoreError>;

    /// What tells that no schema was changed since: as long as the signal is equal, none was, as
    /// far as the database counts. Another signal may be a false alarm.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Nothing changes.
    async fn signal(&self) -> Result<SchemaSignal, StoreError>;

    /// Looks at the tables of these models and brings them into the shape that the models want,
    /// as far as the policy admits; [`Policy::Verify`] changes nothing and takes no lock.
    ///
    /// One standing for each model, in their order. A model that fails does not fail the others.
    ///
    /// # Cancel safety
    /// What was under way is undone, or done as a whole.
    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Vec<Result<Standing, StoreError>>;
}
