//! The migrator as the database of a schema cache.
//!
//! Guards that a model that fails does not fail those that were to be checked with it.

use std::sync::Arc;

use async_trait::async_trait;
use larder_migrate::{MigrateError, Migrator, ModelRef, SchemaSignal, SessionErrorKind, Standing};
use larder_model::Policy;

use crate::{SchemaStore, StoreError};

#[async_trait]
impl SchemaStore for Migrator {
    async fn identity(&self) -> Result<String, StoreError> {
        Self::identity(self).await.map_err(shared)
    }

    async fn signal(&self) -> Result<SchemaSignal, StoreError> {
        Self::signal(self).await.map_err(shared)
    }

    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Vec<Result<Standing, StoreError>> {
        match bring(self, models, policy).await {
            Ok(standings) => standings.into_iter().map(Ok).collect(),
            Err(error) if models.len() == 1 || is_of_all(&error) => {
                let error = shared(error);
                models.iter().map(|_| Err(Arc::clone(&error))).collect()
            }
            // One of them failed, and nothing says which: each by itself.
            Err(_) => {
                let mut standings = Vec::with_capacity(models.len());
                for model in models {
                    let standing = bring(self, std::slice::from_ref(model), policy).await;
                    let standing = standing.map_err(shared);
                    standings.extend(standing.map_or_else(
                        |error| vec![Err(error)],
                        |standings| standings.into_iter().map(Ok).collect(),
                    ));
                }
                standings
            }
        }
    }
}

async fn bring(
    migrator: &Migrator,
    models: &[ModelRef<'_>],
    policy: Policy,
) -> Result<Vec<Standing>, MigrateError> {
    match policy {
        Policy::Verify => migrator.verify(models).await,
        _ => migrator.ensure(models, policy).await,
    }
}

/// Whether it would be the same for each model alone.
fn is_of_all(error: &MigrateError) -> bool {
    match error {
        MigrateError::LockHeld { .. }
        | MigrateError::LockLost
        | MigrateError::Pooled
        | MigrateError::Registry { .. } => true,
        MigrateError::Session { source, .. } => !matches!(
            source.kind(),
            SessionErrorKind::Statement
                | SessionErrorKind::UndefinedColumn
                | SessionErrorKind::UndefinedTable
        ),
        _ => false,
    }
}

fn shared(error: MigrateError) -> StoreError {
    Arc::new(error)
}
