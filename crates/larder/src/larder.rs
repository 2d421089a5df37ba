//! The handle that a service holds.

use std::{fmt, sync::Arc};

use larder_cache::{Cache, CacheStats, Invalidation};
use larder_migrate::Migrator;
use larder_model::Model;
use larder_query::{
    Database, Dynamic, Execute, PlainQueries, PreparedQuery, Queries, Query, QueryError, Table,
    Transaction, Typed,
};
use larder_schema::{Ensured, Schema, SchemaError};
use serde::{Serialize, de::DeserializeOwned};

use crate::{LarderBuilder, NoPlainStore};

/// A database with a cache in front of it, opened by URL. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Larder {
    queries: Arc<Queries>,
    plain: Option<PlainQueries>,
    schema: Schema,
    migrator: Migrator,
}

impl Larder {
    pub(crate) fn new(
        queries: Arc<Queries>,
        plain: Option<PlainQueries>,
        (schema, migrator): (Schema, Migrator),
    ) -> Self {
        Self { queries, plain, schema, migrator }
    }

    /// Starts describing what to open.
    pub fn builder() -> LarderBuilder {
        LarderBuilder::default()
    }

    /// A query whose rows become values of `T`, which needs only [`serde::Deserialize`].
    pub fn query_as<T>(&self, sql: &str) -> Query<'_, Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.queries.query_as(sql)
    }

    /// A query whose rows come as they are: names, order, duplicates and exact values.
    pub fn query(&self, sql: &str) -> Query<'_, Dynamic> {
        self.queries.query(sql)
    }

    /// A query to be made many times: the text is analysed and looked up once.
    #[must_use]
    pub fn prepare_as<T>(&self, sql: &str) -> PreparedQuery<Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.queries.prepare_as(sql)
    }

    /// As [`Larder::prepare_as`], for rows as they are.
    #[must_use]
    pub fn prepare(&self, sql: &str) -> PreparedQuery<Dynamic> {
        self.queries.prepare(sql)
    }

    /// A statement that writes; it invalidates what depends on the tables that it writes.
    pub fn execute(&self, sql: &str) -> Execute {
        self.queries.execute(sql)
    }

    /// The table of a model: its rows one by one or many at a time, without writing SQL. The first
    /// call makes sure that the table is there, as [`Larder::ensure`] does.
    #[must_use]
    pub fn table<M>(&self) -> Table<'_, M>
    where
        M: Model + Serialize + DeserializeOwned + Send + Sync,
    {
        self.queries.table()
    }

    /// Begins a transaction; see [`Queries::begin`].
    ///
    /// # Errors
    /// [`QueryError::Database`].
    ///
    /// # Cancel safety
    /// As [`Queries::begin`].
    pub async fn begin(&self) -> Result<Transaction, QueryError> {
        self.queries.begin().await
    }

    /// Plain mode: the entries that an existing cache-aside deployment in Python stores and reads
    /// on the same Redis, Valkey or Memcached. Its guarantees are weaker; see [`PlainQueries`].
    ///
    /// # Errors
    /// [`NoPlainStore`] if the far tier is none of these.
    pub fn plain(&self) -> Result<&PlainQueries, NoPlainStore> {
        self.plain.as_ref().ok_or(NoPlainStore)
    }

    /// Makes sure that the model's table exists in the shape that the model expects.
    ///
    /// The first use checks the tables of all models that were named to
    /// [`LarderBuilder::model`] or used before, in one pass, and creates or extends them as far as
    /// the policy admits; whatever would lose or change something is refused before anything ran.
    /// Every later use costs two atomic loads. The answers of a table that was changed are
    /// invalidated.
    ///
    /// # Errors
    /// [`SchemaError`]. A failure is never a hit; after one, nobody asks the database again for a
    /// short while.
    ///
    /// # Cancel safety
    /// As [`Schema::ensure`].
    #[inline]
    pub async fn ensure<M: Model>(&self) -> Result<Ensured, SchemaError> {
        self.schema.ensure::<M>().await
    }

    /// As [`Larder::ensure`], by the name of a model or of its table, among those that were named
    /// to [`LarderBuilder::model`] or used before.
    ///
    /// # Errors
    /// As [`Larder::ensure`], and [`SchemaError::UnknownTable`].
    ///
    /// # Cancel safety
    /// As [`Schema::ensure`].
    pub async fn ensure_table_exists(&self, name: &str) -> Result<Ensured, SchemaError> {
        self.schema.ensure_table_exists(name).await
    }

    /// The schema cache: what is ensured, and what was counted.
    #[must_use]
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The migrator, for plans, status, adoption and repair. What it changes is not invalidated by
    /// itself: call [`Schema::clear`] and [`Larder::invalidate_table`], or use [`Larder::ensure`].
    #[must_use]
    pub const fn migrator(&self) -> &Migrator {
        &self.migrator
    }

    /// Invalidates every answer that was given this tag.
    ///
    /// # Cancel safety
    /// As [`Queries::invalidate_tag`].
    pub async fn invalidate_tag(&self, tag: &str) -> Invalidation {
        self.queries.invalidate_tag(tag).await
    }

    /// Invalidates every answer that depends on this table or view, for writes that did not come
    /// this way.
    ///
    /// # Errors
    /// [`QueryError::TableName`].
    ///
    /// # Cancel safety
    /// As [`Queries::invalidate_tag`].
    pub async fn invalidate_table(&self, table: &str) -> Result<Invalidation, QueryError> {
        self.queries.invalidate_table(table).await
    }

    /// Invalidates everything, in one small write.
    ///
    /// # Cancel safety
    /// As [`Queries::invalidate_tag`].
    pub async fn clear(&self) -> Invalidation {
        self.cache().clear().await
    }

    /// What was counted since it was opened.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.cache().stats()
    }

    /// The cache, for entries of other kinds.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        self.queries.cache()
    }

    /// The database, for what should not go through the cache.
    #[must_use]
    pub fn database(&self) -> &Database {
        self.queries.database()
    }
}

impl fmt::Debug for Larder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Larder").field("queries", &self.queries).finish()
    }
}
