//! The migrator of one database.

use std::{fmt, sync::Arc};

use larder_model::Policy;

use crate::{
    Applied, Connector, LockHolder, MigrateError, MigrateOptions, ModelRef, Planned, RepairAction,
    SchemaSignal, Standing, Status,
};

/// Brings the tables of one database into the shape of their models. Cheap to clone.
#[derive(Clone)]
pub struct Migrator {
    inner: Arc<Inner>,
}

struct Inner {
    #[expect(dead_code, reason = "in outline")]
    connector: Arc<dyn Connector>,
    options: MigrateOptions,
}

fn outline<T>() -> Result<T, MigrateError> {
    let reason = "in outline".to_owned();
    Err(MigrateError::Registry { reason })
}

impl Migrator {
    /// A migrator of the database that `connector` leads to. Nothing is opened.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, options: MigrateOptions) -> Self {
        Self { inner: Arc::new(Inner { connector, options }) }
    }

    /// How the models' tables stand, in the order of `models`.
    pub async fn verify(&self, models: &[ModelRef<'_>]) -> Result<Vec<Standing>, MigrateError> {
        let _ = models;
        outline()
    }

    /// Brings the models' tables into shape.
    pub async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        policy: Policy,
    ) -> Result<Vec<Standing>, MigrateError> {
        let _ = (models, policy);
        outline()
    }

    /// What would have to be done.
    pub async fn plan(&self, models: &[ModelRef<'_>]) -> Result<Planned, MigrateError> {
        let _ = models;
        outline()
    }

    /// Does what was planned.
    pub async fn apply(&self, planned: &Planned, policy: Policy) -> Result<Applied, MigrateError> {
        let _ = (planned, policy);
        outline()
    }

    /// Records tables as they are, without changing them.
    pub async fn adopt(&self, models: &[ModelRef<'_>]) -> Result<Vec<Standing>, MigrateError> {
        let _ = models;
        outline()
    }

    /// Says what became of a migration.
    pub async fn repair(&self, version: &str, action: RepairAction) -> Result<(), MigrateError> {
        let _ = (version, action);
        outline()
    }

    /// What the registry says.
    pub async fn status(&self) -> Result<Status, MigrateError> {
        outline()
    }

    /// Removes the lease of a holder that is gone; `None`: there was none.
    pub async fn unlock_stale(&self) -> Result<Option<LockHolder>, MigrateError> {
        outline()
    }

    /// What tells that no schema was changed since.
    pub async fn signal(&self) -> Result<SchemaSignal, MigrateError> {
        outline()
    }

    /// Which database it is, whatever way led to it, without secrets.
    pub async fn identity(&self) -> Result<String, MigrateError> {
        outline()
    }
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrator").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
