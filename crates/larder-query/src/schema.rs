//! What is known of the database's schema, and when that has to be looked at again.
//!
//! Invariants: a catalog is used only together with the version of the schema that it describes;
//! who prepared a statement in one state of the schema notices, by one atomic load, that this
//! process has seen another since.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    Database, QueryError,
    catalog::{self, Catalog},
};

#[derive(Default)]
pub(crate) struct Schema {
    epoch: AtomicU64,
    known: Mutex<Option<Arc<Catalog>>>,
    memo: catalog::Memo,
    /// Whether a connection of the pool may see other tables, or see them differently, than the
    /// catalog says.
    is_private: AtomicBool,
}

impl Schema {
    /// Changes whenever this process learns that the schema changed.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The catalog of the schema as it is now: one look at its version, and all of it only if
    /// that changed.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn catalog(&self, database: &Database) -> Result<Arc<Catalog>, QueryError> {
        if let Some(known) = self.known()
            && self.is_at(database, known.version).await?
        {
            return Ok(known);
        }
        let catalog = Arc::new(catalog::load(database, &self.memo).await?);
        let differs = self.lock().replace(Arc::clone(&catalog)).is_some_and(|old| old != catalog);
        if differs {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
        Ok(catalog)
    }

    /// The catalog as it was when it was last looked at.
    pub(crate) fn known(&self) -> Option<Arc<Catalog>> {
        self.lock().clone()
    }

    /// Whether the schema is still in this state.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn is_at(
        &self,
        database: &Database,
        version: i64,
    ) -> Result<bool, QueryError> {
        Ok(catalog::version(database, &self.memo).await? == version && database.is_uniform())
    }

    /// Has everything that was prepared looked at again.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// From now on nothing is known for sure: a statement has given one connection of the pool
    /// tables, databases or settings of its own.
    pub(crate) fn make_private(&self) {
        self.is_private.store(true, Ordering::Release);
        self.forget();
    }

    pub(crate) fn is_private(&self) -> bool {
        self.is_private.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Catalog>>> {
        // Every critical section leaves the state whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
