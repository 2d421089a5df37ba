//! The schema cache of one database, as a service holds it.
//!
//! Invariants: a hit is two atomic loads and a count of this thread's own, and the clock only where there is a time-to-live or a
//! validation; a table counts as ensured only after a check that succeeded and that nobody has
//! cleared or doubted since.

use std::{fmt, pin::Pin, sync::Arc};

use larder_model::{Model, ModelEntry, Policy};
use tokio::sync::broadcast;

use crate::{
    CachedTable, Ensured, Noticed, SchemaError, SchemaEvent, SchemaMetrics, SchemaOptions,
    SchemaStore, StatementFailure, StoreError, database::Database, freshness::Freshness,
    outcome::Outcome,
};

/// Remembers which tables of one database are as their models want them, and makes them so.
///
/// Cheap to clone; clones share everything. Handles of one database that were made by
/// [`Schema::open`] or [`Schema::shared`] share what they know, whatever URLs led to it: each
/// keeps its own store, policy and limits.
#[derive(Clone)]
pub struct Schema {
    pub(crate) database: Arc<Database>,
    pub(crate) freshness: Option<Freshness>,
    handle: Arc<Handle>,
}

struct Handle {
    options: SchemaOptions,
    store: Arc<dyn SchemaStore>,
}

impl Schema {
    /// A cache that shares nothing with other handles, and has no second level. For tests, and
    /// for databases that nobody else can reach.
    #[must_use]
    pub fn new(store: Arc<dyn SchemaStore>, options: SchemaOptions) -> Self {
        Self::of(None, store, options)
    }

    /// Asks the database which one it is, and shares what is known of it with other handles.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Nothing happened.
    pub async fn open(
        store: Arc<dyn SchemaStore>,
        options: SchemaOptions,
    ) -> Result<Self, StoreError> {
        let identity = store.identity().await?;
        Ok(Self::shared(&identity, store, options))
    }

    /// Shares what is known of the database of this identity with other handles, see
    /// [`SchemaStore::identity`]. The identity holds no secrets.
    #[must_use]
    pub fn shared(identity: &str, store: Arc<dyn SchemaStore>, options: SchemaOptions) -> Self {
        Self::of(Some(identity), store, options)
    }

    fn of(identity: Option<&str>, store: Arc<dyn SchemaStore>, options: SchemaOptions) -> Self {
        // Who wants nothing remembered is not given what others remember.
        let identity = identity.filter(|_| options.enabled);
        let database = options.cache.database(identity, &options.clock);
        database.register(options.models.iter().copied());
        Self {
            database,
            freshness: Freshness::of(&options),
            handle: Arc::new(Handle { options, store }),
        }
    }

    /// Makes sure that the model's table is there and has the shape that the model expects.
    ///
    /// The first use checks the tables of all registered models that are not ensured, in one
    /// pass, and brings them into shape as far as the policy admits. Callers that come meanwhile
    /// wait for that pass and get the outcome of their own table. Every later use is a hit.
    ///
    /// Not to be called while the same task has a transaction open on the same database: the
    /// check may have to wait for its end.
    ///
    /// # Errors
    /// [`SchemaError::Refused`], before anything was changed; [`SchemaError::Store`] with the
    /// database's own error; after either, for a while, [`SchemaError::BackingOff`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the check, see [`SchemaStore::ensure`]; one of those who wait
    /// for it checks in its place.
    #[inline]
    pub async fn ensure<M: Model>(&self) -> Result<Ensured, SchemaError> {
        // Not by way of `ensure_entry`: a future that holds one word moves into place faster than
        // one that holds two, and that is a good part of what a hit costs.
        if self.is_hit(M::entry()) {
            return Ok(Ensured::Known);
        }
        self.boxed_miss(M::entry()).await
    }

    /// As [`Schema::ensure`], for a model that is known by its entry.
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

    /// Uses the model's table if it counts as ensured: `true` is a hit, and [`Schema::ensure`]
    /// would do nothing. Otherwise nothing happened, and a use has to ensure it.
    #[inline]
    #[must_use]
    pub fn is_hit(&self, entry: &'static ModelEntry) -> bool {
        let slot = self.database.slots.slot(entry.slot());
        let is_hit = slot.is_ensured()
            && self.freshness.is_none_or(|freshness| {
                let now = self.database.clock.coarse();
                freshness.is_fresh(slot, self.database.validated(), now)
            });
        if is_hit {
            self.count_hit();
        }
        is_hit
    }

    /// As [`Schema::ensure`], for registered models by the name of the model, or else of the
    /// table in whatever case. If a table has several models, all of them are ensured.
    ///
    /// # Errors
    /// As [`Schema::ensure`], and [`SchemaError::UnknownTable`].
    ///
    /// # Cancel safety
    /// As [`Schema::ensure`].
    pub async fn ensure_table_exists(&self, name: &str) -> Result<Ensured, SchemaError> {
        let registered = self.database.registered();
        let by_model = registered.iter().filter(|entry| entry.name() == name);
        let mut meant: Vec<_> = by_model.copied().collect();
        if meant.is_empty() {
            let by_table = registered.iter().filter(|entry| entry.table().name().is_alike(name));
            meant = by_table.copied().collect();
        }
        if meant.is_empty() {
            return Err(SchemaError::UnknownTable { name: name.to_owned() });
        }
        let mut ensured = Ensured::Known;
        for entry in meant {
            match self.ensure_entry(entry).await? {
                Ensured::Known => {}
                // Whoever hears of one change has to look again anyway.
                other if !matches!(ensured, Ensured::Migrated { .. }) => ensured = other,
                _ => {}
            }
        }
        Ok(ensured)
    }

    /// As [`Schema::ensure`], for every registered model: one outcome each, in the order in which
    /// the process first used them. At most one pass, unless some were evicted.
    ///
    /// # Cancel safety
    /// As [`Schema::ensure`].
    pub async fn ensure_all(&self) -> Vec<(&'static ModelEntry, Result<Ensured, SchemaError>)> {
        Box::pin(self.pass_all()).await
    }

    /// Registers a model, so that it is checked together with the first that is used.
    pub fn register<M: Model>(&self) {
        self.register_entry(M::entry());
    }

    /// As [`Schema::register`], for a model that is known by its entry.
    pub fn register_entry(&self, entry: &'static ModelEntry) {
        self.database.register([entry]);
    }

    /// The registered models, in the order in which the process first used them.
    #[must_use]
    pub fn models(&self) -> Vec<&'static ModelEntry> {
        self.database.registered()
    }

    /// Whether the model's table counts as ensured now. Asks nobody and counts nothing.
    #[must_use]
    pub fn is_table_ensured<M: Model>(&self) -> bool {
        self.is_entry_ensured(M::entry())
    }

    /// As [`Schema::is_table_ensured`], for a model that is known by its entry.
    #[must_use]
    pub fn is_entry_ensured(&self, entry: &'static ModelEntry) -> bool {
        self.is_trusted(self.database.slot(entry))
    }

    /// Counts the model's table as ensured from now on, on the caller's word. Does nothing if
    /// nothing is to be remembered.
    pub fn mark_table_ensured<M: Model>(&self) {
        if self.options().enabled {
            self.database.mark(M::entry());
        }
    }

    /// Forgets every table, and that any could not be ensured. A check that is under way does not
    /// bring one back.
    ///
    /// At once for all handles of the database in this process; with a second level, in the
    /// background, also for others that watch.
    pub fn clear(&self) {
        self.database.clear(|_| true);
        self.invalidate_elsewhere();
    }

    /// Forgets a table, for all models that it has. `true` if it counted as ensured for one.
    ///
    /// Names that differ in case only count as one. As [`Schema::clear`] otherwise.
    pub fn clear_table(&self, table: &str) -> bool {
        let cleared = self.database.clear(|entry| entry.table().name().is_alike(table));
        self.invalidate_elsewhere();
        !cleared.is_empty()
    }

    /// Says that a statement failed because of the schema: somebody may have changed a table.
    ///
    /// If `table` is a registered one, it counts as drifted and its next use checks it. Without a
    /// table, and for [`StatementFailure::ChangedSchema`], every table is looked at before it is
    /// trusted again. `true` if any counted as ensured until now.
    pub fn statement_failed(&self, failure: StatementFailure, table: Option<&str>) -> bool {
        let table = table.filter(|_| failure != StatementFailure::ChangedSchema);
        let Some(table) = table else {
            return self.database.doubt_all() > 0;
        };
        let drifted = self.database.clear(|entry| entry.table().name().is_alike(table));
        for entry in &drifted {
            let (model, table) = (entry.name(), entry.table().name());
            let noticed = Noticed::Statement;
            self.database.tell(SchemaEvent::Drifted { model, table, noticed });
        }
        if !drifted.is_empty() {
            self.invalidate_elsewhere();
        }
        !drifted.is_empty()
    }

    /// What is known of every registered model, in the order in which the process first used
    /// them.
    #[must_use]
    pub fn cached_tables(&self) -> Vec<CachedTable> {
        self.database.cached_tables(|slot| self.is_trusted(slot))
    }

    /// What was counted so far, over all handles of the database in this process.
    #[must_use]
    pub fn metrics(&self) -> SchemaMetrics {
        let counters = &self.database.counters;
        SchemaMetrics {
            hits: counters.hits.sum(),
            misses: counters.misses.get(),
            cached_tables: self.database.ensured(|slot| self.is_trusted(slot)),
            max_size: self.database.cache.max_size(),
            evictions: counters.evictions.get(),
            expired: counters.expired.get(),
            checks: counters.checks.get(),
            migrations: counters.migrations.get(),
            failures: counters.failures.get(),
            backed_off: counters.backed_off.get(),
            drifts: counters.drifts.get(),
            warmed: counters.warmed.get(),
        }
    }

    /// What happens to tables from now on. Who is slow misses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<SchemaEvent> {
        self.database.events()
    }

    /// Which database it is, if it was asked.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.database.identity.as_deref()
    }

    /// What may be done to tables.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.options().policy
    }

    pub(crate) fn options(&self) -> &SchemaOptions {
        &self.handle.options
    }

    pub(crate) fn store(&self) -> &dyn SchemaStore {
        &*self.handle.store
    }

    pub(crate) fn count_hit(&self) {
        self.database.counters.hits.increment();
    }

    /// What a miss needs would otherwise be part of every caller's future.
    #[cold]
    fn boxed_miss(
        &self,
        entry: &'static ModelEntry,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(self.miss(entry))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("store", &self.handle.store)
            .field("options", &self.handle.options)
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
