//! What is known of the database's schema, and when that has to be looked at again.
//!
//! Invariant: who prepared a statement in one state of the schema notices, by one atomic load,
//! that this process has seen another since.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use larder_core::{Clock, Tick};

use crate::{
    Database, QueryError,
    catalog::{self, Catalog},
};

/// For how long a change of the schema by another process may go unnoticed.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

pub(crate) struct Schema {
    clock: Arc<dyn Clock>,
    epoch: AtomicU64,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    catalog: Arc<Catalog>,
    checked: Tick,
}

impl Schema {
    pub(crate) const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, epoch: AtomicU64::new(0), known: Mutex::new(None) }
    }

    /// Changes whenever this process learns that the schema changed.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The catalog, at most [`RECHECK_AFTER`] old.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn catalog(&self, database: &Database) -> Result<Arc<Catalog>, QueryError> {
        let now = self.clock.now();
        let known = self.lock().clone();
        match known {
            Some(known) if now < known.checked.after(RECHECK_AFTER) => return Ok(known.catalog),
            Some(known) if catalog::version(database).await? == known.catalog.version => {
                self.keep(&known.catalog, now);
                return Ok(known.catalog);
            }
            _ => {}
        }
        let catalog = Arc::new(catalog::load(database).await?);
        self.keep(&catalog, now);
        Ok(catalog)
    }

    /// Forgets everything, after a statement that changes the schema.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn keep(&self, catalog: &Arc<Catalog>, checked: Tick) {
        let mut known = self.lock();
        let differs = known.as_ref().is_some_and(|known| *known.catalog != **catalog);
        *known = Some(Known { catalog: Arc::clone(catalog), checked });
        if differs {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        // Every critical section leaves the state whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
