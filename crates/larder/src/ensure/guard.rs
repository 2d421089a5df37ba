//! The schema cache as what sees to the tables behind row types.
//!
//! Guards that a query pays two atomic loads for it, and that a statement which fails for want of
//! a table has that table looked at.

use std::error::Error as StdError;

use async_trait::async_trait;
use larder_model::ModelEntry;
use larder_query::ModelGuard;
use larder_schema::{Ensured, Schema, StatementFailure};

/// The schema cache of the database that the queries are on.
#[derive(Debug)]
pub(crate) struct Guard(pub(crate) Schema);

#[async_trait]
impl ModelGuard for Guard {
    fn is_ensured(&self, model: &'static ModelEntry) -> bool {
        self.0.is_hit(model)
    }

    async fn ensure(
        &self,
        model: &'static ModelEntry,
    ) -> Result<Vec<&'static ModelEntry>, Box<dyn StdError + Send + Sync>> {
        // The answers of all tables that the pass changed are invalidated before it ends, as long
        // as somebody holds the larder; said again, this one is also for who does not.
        Ok(match self.0.ensure_entry(model).await? {
            Ensured::Migrated { .. } => vec![model],
            _ => Vec::new(),
        })
    }

    /// The model's declaration, which is what the table was brought to.
    fn epoch(&self, model: &'static ModelEntry) -> u64 {
        let (first, _) = model.checksum().as_bytes().split_at(8);
        first.try_into().map_or(0, u64::from_be_bytes)
    }

    fn is_missing(&self, tables: &[&str]) {
        let models = self.0.models();
        let is_model = |name: &str| models.iter().any(|of| of.table().name().is_alike(name));
        let mut meant = tables.iter().filter_map(|table| {
            // With its schema before it, or a name with a point in it.
            let bare = table.rsplit_once('.').map_or(*table, |(_, name)| name);
            [*table, bare].into_iter().find(|name| is_model(name))
        });
        match (meant.next(), meant.next()) {
            (None, _) => {}
            (Some(table), None) => {
                self.0.statement_failed(StatementFailure::UndefinedTable, Some(table));
            }
            // One of them, and nobody says which.
            (Some(_), Some(_)) => {
                self.0.statement_failed(StatementFailure::ChangedSchema, None);
            }
        }
    }
}
