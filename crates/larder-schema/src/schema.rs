//! The schema cache of one database.
//!
//! Invariants: a hit is two atomic loads, and the clock only where there is a time-to-live; a
//! table counts as ensured only after a check that succeeded and that nobody has cleared since.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use larder_core::Tick;
use larder_model::{Identifier, Model, ModelEntry, Plan, TableModel, registered_models};

use crate::{
    Policy, SchemaError, SchemaMetrics, SchemaOptions, SchemaStore, check,
    counter::StripedCounter,
    flight::{self, Boarding, Outcome},
    observe::Reader,
    slot::Slot,
    slots::Slots,
};

/// Remembers which tables of one database are as their models want them, and makes them so.
///
/// It belongs to one database for as long as it lives: what it remembers is asked by the model
/// alone. Keep one for each database, in an `Arc`, and share it.
pub struct Schema {
    slots: Slots,
    hits: Option<Box<StripedCounter>>,
    options: SchemaOptions,
    store: Arc<dyn SchemaStore>,
    misses: AtomicU64,
    checks: AtomicU64,
    migrations: AtomicU64,
    failures: AtomicU64,
}

/// How a table turned out to be as its model wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ensured {
    /// It was known: a hit.
    Known,
    /// It was not as the model wants it, and was changed. Everybody who waited for the check
    /// hears so.
    Migrated {
        /// What was done.
        plan: Arc<Plan>,
    },
    /// It was looked at, and there was nothing to do.
    Verified,
}

/// A table that counts as ensured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedTable {
    /// The name of the model, a Rust struct.
    pub model: &'static str,
    /// The name of the table.
    pub table: &'static Identifier,
}

impl Schema {
    /// A cache that knows nothing yet of the database.
    #[must_use]
    pub fn new(store: Arc<dyn SchemaStore>, options: SchemaOptions) -> Self {
        Self {
            slots: Slots::default(),
            hits: options.counts_hits.then(Box::default),
            options,
            store,
            misses: AtomicU64::new(0),
            checks: AtomicU64::new(0),
            migrations: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// Makes sure that the model's table is there and has the shape that the model expects.
    ///
    /// The first use checks the table and, under [`Policy::Additive`], creates it or adds what is
    /// missing. Callers that come meanwhile wait for that one check and get its outcome. Every
    /// later use is a hit.
    ///
    /// Not to be called while the same task has a transaction open on the same database: the
    /// check may have to wait for its end.
    ///
    /// # Errors
    /// [`SchemaError::Refused`] and, under [`Policy::Verify`], [`SchemaError::Pending`], before
    /// anything was changed; [`SchemaError::Store`] with the database's own error. A failure is
    /// never remembered: the next call checks again.
    ///
    /// # Cancel safety
    /// Dropping the future rolls the check back, unless its commit is under way; one of those who
    /// wait for it checks in its place.
    #[inline]
    pub async fn ensure<M: Model>(&self) -> Result<Ensured, SchemaError> {
        // Not by way of `ensure_entry`: a future that holds one word moves into place faster than
        // one that holds two, and that is a good part of what a hit costs.
        if self.is_hit(M::entry()) {
            return Ok(Ensured::Known);
        }
        self.boxed_miss(M::entry()).await
    }

    /// As [`Schema::ensure`], for a model that is known by its entry: one of
    /// [`registered_models`].
    ///
    /// # Errors
    /// As [`Schema::ensure`].
    ///
    /// # Cancel safety
    /// As [`Schema::ensure`].
    #[inline]
    pub async fn ensure_entry(&self, entry: &'static ModelEntry) -> Result<Ensured, SchemaError> {
        if self.is_hit(entry) {
            return Ok(Ensured::Known);
        }
        self.boxed_miss(entry).await
    }

    /// What [`Schema::ensure`] would have to do to the table now. Changes and remembers nothing.
    ///
    /// It takes no lock, and counts the table as one that has rows.
    ///
    /// # Errors
    /// [`SchemaError::Store`].
    ///
    /// # Cancel safety
    /// Nothing changes, at whatever point the future is dropped.
    pub async fn plan(&self, table: &TableModel) -> Result<Plan, SchemaError> {
        check::plan(Reader::Store(&*self.store), &*self.store, table).await
    }

    /// Whether the model's table counts as ensured now. Asks nobody and counts nothing.
    #[must_use]
    pub fn is_table_ensured<M: Model>(&self) -> bool {
        self.is_ensured(self.slots.slot(M::entry().slot()))
    }

    /// Counts the model's table as ensured from now on, on the caller's word.
    pub fn mark_table_ensured<M: Model>(&self) {
        let slot = self.slots.slot(M::entry().slot());
        slot.mark(slot.generation(), self.expiry());
    }

    /// Forgets every table. A check that is under way does not bring one back.
    pub fn clear(&self) {
        for slot in self.slots.iter() {
            slot.clear();
        }
    }

    /// Forgets a table, for all models that it has. `true` if it counted as ensured for one.
    ///
    /// Call it when a statement fails because a table or a column is missing: somebody changed the
    /// table, and the next use will check it. Names that differ in case only count as one.
    pub fn clear_table(&self, table: &str) -> bool {
        let models = registered_models().into_iter();
        let cleared = models
            .filter(|entry| entry.table().name().is_alike(table))
            .map(|entry| self.slots.slot(entry.slot()).clear());
        cleared.fold(false, |any, was_ensured| any | was_ensured)
    }

    /// The tables that count as ensured now, one for each model, in the order of first use.
    #[must_use]
    pub fn cached_tables(&self) -> Vec<CachedTable> {
        let models = registered_models().into_iter();
        models
            .filter(|entry| self.is_ensured(self.slots.slot(entry.slot())))
            .map(|entry| CachedTable { model: entry.name(), table: entry.table().name() })
            .collect()
    }

    /// What was counted so far.
    #[must_use]
    pub fn metrics(&self) -> SchemaMetrics {
        SchemaMetrics {
            hits: self.hits.as_ref().map(|hits| hits.sum()),
            misses: self.misses.load(Ordering::Relaxed),
            checks: self.checks.load(Ordering::Relaxed),
            migrations: self.migrations.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            cached_tables: self.slots.iter().filter(|slot| self.is_ensured(slot)).count(),
        }
    }

    /// What may be done to tables.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.options.policy
    }

    /// Whether the model's table counts as ensured now; counted if it does.
    #[inline]
    fn is_hit(&self, entry: &'static ModelEntry) -> bool {
        let is_hit = self.is_ensured(self.slots.slot(entry.slot()));
        if is_hit && let Some(hits) = &self.hits {
            hits.increment();
        }
        is_hit
    }

    #[inline]
    fn is_ensured(&self, slot: &Slot) -> bool {
        match self.options.time_to_live {
            None => slot.is_ensured(),
            Some(_) => slot.is_ensured_at(self.options.clock.coarse()),
        }
    }

    /// When a mark that is made now expires.
    fn expiry(&self) -> Tick {
        let time_to_live = self.options.time_to_live;
        time_to_live.map_or(Tick::NEVER, |ttl| self.options.clock.now().after(ttl.as_duration()))
    }

    /// What a miss needs would otherwise be part of every caller's future.
    #[cold]
    fn boxed_miss(
        &self,
        entry: &'static ModelEntry,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(self.miss(entry))
    }

    /// Checks the table, or waits for another's check of it.
    async fn miss(&self, entry: &'static ModelEntry) -> Outcome {
        let (slot, table) = (self.slots.slot(entry.slot()), entry.table());
        self.misses.fetch_add(1, Ordering::Relaxed);
        loop {
            let pilot = match slot.board(|slot| self.is_ensured(slot)) {
                Boarding::Ensured => return Ok(Ensured::Known),
                Boarding::Join(landing) => match flight::landed(landing).await {
                    Some(outcome) => return outcome,
                    None => continue,
                },
                Boarding::Lead(pilot) => pilot,
            };
            // The time is taken before anything is looked at, as that is what it vouches for.
            let expiry = self.expiry();
            let outcome = self.check(table).await;
            match outcome {
                Ok(_) => slot.mark(pilot.generation, expiry),
                Err(_) => slot.unmark(pilot.generation),
            }
            pilot.land(outcome.clone());
            return outcome;
        }
    }

    async fn check(&self, table: &TableModel) -> Outcome {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let outcome = check::check(&*self.store, self.options.policy, table).await;
        let counter = match &outcome {
            Ok(Ensured::Migrated { .. }) => &self.migrations,
            Ok(_) => return outcome,
            Err(_) => &self.failures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        outcome
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("store", &self.store)
            .field("options", &self.options)
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
