//! Who sees to it that the table behind a model is there, in the shape that the model wants.
//!
//! Guards that a hit pays nothing for it: only a fetch that goes to the database asks, and a
//! statement that fails for want of a table says so to whoever remembers that it was there.

use std::{error::Error as StdError, fmt::Debug};

use async_trait::async_trait;
use larder_model::ModelEntry;
use larder_sql::{TableName, Writes};

use crate::{DatabaseErrorKind, QueryError, queries::Shared, statement::dialect};

/// Whoever keeps the tables of models in their shape. The facade's schema cache is one.
#[async_trait]
pub trait ModelGuard: Debug + Send + Sync + 'static {
    /// Whether the model's table is known to be as the model wants it. Asks nobody.
    fn is_ensured(&self, model: &'static ModelEntry) -> bool;

    /// Sees to it that the model's table is as the model wants it, and returns the models whose
    /// tables were changed for that; there may be others among them.
    ///
    /// # Errors
    /// Whatever keeps the table from being so; [`QueryError::Model`] carries it to the caller.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no table half-way changed.
    async fn ensure(
        &self,
        model: &'static ModelEntry,
    ) -> Result<Vec<&'static ModelEntry>, Box<dyn StdError + Send + Sync>>;

    /// A number that changes when the shape of the table does, and that is the same in every
    /// process; 0 if it is not known. It is part of the key of every answer of the model's type.
    fn epoch(&self, model: &'static ModelEntry) -> u64;

    /// A statement on these tables failed because one of them, or a column, is missing. The names
    /// are in lower case where the database does not tell cases apart, and have their schema
    /// before them if the statement does.
    fn is_missing(&self, tables: &[&str]);
}

impl Shared {
    /// Sees to it that the table behind a row type is there.
    ///
    /// # Errors
    /// [`QueryError::Model`].
    pub(crate) async fn ensure(
        &self,
        model: Option<&'static ModelEntry>,
    ) -> Result<(), QueryError> {
        let (Some(model), Some(guard)) = (model, self.guard.get()) else { return Ok(()) };
        if guard.is_ensured(model) {
            return Ok(());
        }
        let changed = guard
            .ensure(model)
            .await
            .map_err(|source| QueryError::Model { model: model.name(), source: source.into() })?;
        if !changed.is_empty() {
            self.tables_changed(&changed).await;
        }
        Ok(())
    }

    /// Tables that were changed have other columns, and queries on them other answers.
    pub(crate) async fn tables_changed(&self, models: &[&'static ModelEntry]) {
        self.schema.forget();
        let dialect = dialect(self.database.engine());
        let name =
            |model: &&ModelEntry| TableName::from_catalog(model.table().name().as_str(), dialect);
        let writes = Writes::Tables(models.iter().map(name).collect());
        // What the far tier does not acknowledge is retried, and bypassed here meanwhile.
        if !self.invalidate(&writes).await.is_applied() {
            tracing::warn!("the answers of changed tables are not invalidated everywhere yet");
        }
    }

    /// The epoch of the table behind a row type.
    pub(crate) fn model_epoch(&self, model: Option<&'static ModelEntry>) -> u64 {
        match (model, self.guard.get()) {
            (Some(model), Some(guard)) => guard.epoch(model),
            _ => 0,
        }
    }

    /// Tells the guard if a statement failed for want of a table or a column.
    pub(crate) fn notice<'a>(
        &self,
        tables: impl IntoIterator<Item = &'a TableName>,
        error: &QueryError,
    ) {
        use DatabaseErrorKind::{MissingColumn, MissingTable};
        if !matches!(error.database_kind(), Some(MissingColumn | MissingTable)) {
            return;
        }
        // What was known of the schema is not so any more.
        self.schema.forget();
        if let Some(guard) = self.guard.get() {
            let tables: Vec<_> = tables.into_iter().map(TableName::as_str).collect();
            guard.is_missing(&tables);
        }
    }
}
