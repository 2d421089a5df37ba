//! The handle to a database with a cache in front of it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use larder_cache::{Cache, Invalidation, TtlPolicy};
use larder_core::Tag;
use larder_sql::{TableName, Writes};
use serde::de::DeserializeOwned;

use crate::{
    Database, Dynamic, Execute, ModelGuard, Params, Query, QueryError, RowLimit, RowSet, Shape,
    Transaction, Typed,
    catalog::Catalog,
    query::Handle,
    schema::Schema,
    statement::{Prepared, Statement, Statements, dialect},
};

/// A database with a cache in front of it. Cloning is cheap and shares everything.
///
/// Answers depend on the tables that their statements read, and a statement that writes
/// invalidates what depends on the tables that it writes. Both follow from the SQL; nothing has
/// to be declared.
#[derive(Clone)]
pub struct Queries {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) ttl: TtlPolicy,
    pub(crate) statements: Statements,
    pub(crate) schema: Schema,
    /// Who keeps the tables of models in their shape; nobody, unless somebody was named.
    pub(crate) guard: OnceLock<Arc<dyn ModelGuard>>,
}

impl Queries {
    /// Puts a cache in front of a database; answers live for 5 minutes unless told otherwise.
    #[must_use]
    pub fn new(database: Database, cache: Cache) -> Self {
        Self::with_ttl(database, cache, TtlPolicy::default())
    }

    /// Puts a cache in front of a database, with a lifetime for answers.
    #[must_use]
    pub fn with_ttl(database: Database, cache: Cache, ttl: TtlPolicy) -> Self {
        let (statements, schema) = (Statements::new(), Schema::default());
        let guard = OnceLock::new();
        Self { shared: Arc::new(Shared { database, cache, ttl, statements, schema, guard }) }
    }

    /// Names who keeps the tables of models in their shape: from now on the table of a model is
    /// ensured before the first statement whose rows are of the model's type. For this handle and
    /// all of its clones; `false` if somebody was named before, who stays.
    pub fn guard_models(&self, guard: Arc<dyn ModelGuard>) -> bool {
        self.shared.guard.set(guard).is_ok()
    }

    /// A query whose rows become values of `T` through serde.
    pub fn query_as<T>(&self, sql: &str) -> Query<'_, Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Query::new(&self.shared, Handle::Owned(self.shared.prepare(sql)))
    }

    /// A query whose rows come as they are: names, order, duplicates and exact values.
    pub fn query(&self, sql: &str) -> Query<'_, Dynamic> {
        Query::new(&self.shared, Handle::Owned(self.shared.prepare(sql)))
    }

    /// A query to be made many times: the text is analysed and looked up once.
    #[must_use]
    pub fn prepare_as<T>(&self, sql: &str) -> PreparedQuery<Typed<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.prepare_shape(sql)
    }

    /// As [`Queries::prepare_as`], for rows as they are.
    #[must_use]
    pub fn prepare(&self, sql: &str) -> PreparedQuery<Dynamic> {
        self.prepare_shape(sql)
    }

    /// A statement that writes; it invalidates what depends on the tables that it writes.
    pub fn execute(&self, sql: &str) -> Execute {
        Execute::new(Arc::clone(&self.shared), sql)
    }

    /// Begins a transaction. Reads within it bypass the cache; what it writes is invalidated
    /// when it commits, and a rollback invalidates nothing.
    ///
    /// # Errors
    /// [`QueryError::Database`].
    ///
    /// # Cancel safety
    /// As [`Database::begin`].
    pub async fn begin(&self) -> Result<Transaction, QueryError> {
        // Before it begins: a database in memory has one connection, which is then taken.
        let catalog = self.shared.schema.catalog(&self.shared.database).await?;
        let inner = self.shared.database.begin().await?;
        Ok(Transaction::new(Arc::clone(&self.shared), inner, catalog))
    }

    /// Invalidates every answer that was given this tag.
    ///
    /// # Cancel safety
    /// The invalidation goes on in a task of its own if the future is dropped after the first
    /// poll.
    pub async fn invalidate_tag(&self, tag: &str) -> Invalidation {
        self.shared.cache.invalidate_tags(&[Tag::named(tag)]).await
    }

    /// Invalidates every answer that depends on this table or view, for writes that did not come
    /// this way. The name is written as in SQL, quoted if need be.
    ///
    /// # Errors
    /// [`QueryError::TableName`] if it is not the name of a table.
    ///
    /// # Cancel safety
    /// As [`Queries::invalidate_tag`].
    pub async fn invalidate_table(&self, table: &str) -> Result<Invalidation, QueryError> {
        let dialect = dialect(self.shared.database.engine());
        let table = TableName::parse(table, dialect)?;
        let writes = Writes::Tables([table].into());
        Ok(self.shared.invalidate(&writes).await)
    }

    /// Forgets what is known of views, triggers and foreign keys. To be called after a change of
    /// the schema that did not come this way; otherwise the next miss or write notices it.
    pub fn schema_changed(&self) {
        self.shared.schema.forget();
    }

    /// The database, for what should not go through the cache.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.shared.database
    }

    /// The cache, for statistics and for entries of other kinds.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    fn prepare_shape<S: Shape>(&self, sql: &str) -> PreparedQuery<S> {
        PreparedQuery { shared: Arc::clone(&self.shared), prepared: self.shared.prepare(sql) }
    }
}

impl Shared {
    pub(crate) fn prepare<S: Shape>(&self, sql: &str) -> Arc<Prepared<S>> {
        let epoch = self.schema.epoch();
        let known = self.statements.get::<S>(sql);
        let statement = match known {
            Some(prepared) if prepared.epoch() == epoch => return prepared,
            Some(outdated) => Arc::clone(&outdated.statement),
            None => Arc::new(Statement::analyze(sql, dialect(self.database.engine()))),
        };
        let prepared = Arc::new(Prepared::new(statement, epoch, self.schema.is_private()));
        self.statements.insert(&prepared);
        prepared
    }

    /// Before a statement is run: the catalog as it is known, and a note if the statement makes
    /// its connection unlike the others.
    pub(crate) async fn before(&self, statement: &Statement) -> Before {
        if statement.makes_private {
            self.schema.make_private();
        }
        let catalog = match self.schema.known() {
            // A function that is not known may be one that somebody else made just now.
            _ if statement.calls_unknown => self.schema.catalog(&self.database).await.ok(),
            None if !statement.writes.is_empty() => self.schema.catalog(&self.database).await.ok(),
            known => known,
        };
        Before { catalog, changes_schema: statement.changes_schema() }
    }

    /// What was written, with all that follows by triggers and foreign keys: by those that were
    /// there before and by those that are there afterwards, because somebody else may have made
    /// them in between. Everything, if that can not be told.
    pub(crate) async fn wake(&self, writes: &Writes, before: &Before) -> Writes {
        if writes.is_empty() {
            return writes.clone();
        }
        let after = self.schema.catalog(&self.database).await;
        match (&before.catalog, after) {
            (Some(before), Ok(after)) if !self.schema.is_private() => {
                union(before.wake(writes), after.wake(writes))
            }
            _ => Writes::Everything,
        }
    }

    /// Asks the database and nobody else. A statement that writes and returns rows invalidates
    /// like any other that writes; a far tier that does not acknowledge it is retried.
    pub(crate) async fn fetch_past_cache(
        self: &Arc<Self>,
        statement: &Arc<Statement>,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        let before = self.before(statement).await;
        if before.catalog.is_none() && statement.calls_unknown && statement.writes.is_empty() {
            // A database that is away is no reason to invalidate what a read may have written.
            self.schema.catalog(&self.database).await?;
        }
        let writes = before.written(statement);
        if writes.is_empty() {
            let fetched = self.database.fetch(&statement.sql, params, limit).await;
            return fetched.inspect_err(|error| self.notice(statement.tables(), error));
        }
        let (rows, invalidation) =
            self.fetch_written(statement, writes, before, params.clone()).await?;
        if !invalidation.is_applied() {
            tracing::warn!("what a statement with rows wrote is not invalidated everywhere yet");
        }
        Ok(rows)
    }

    /// Runs a statement that writes and returns rows.
    pub(crate) async fn write_rows(
        self: &Arc<Self>,
        sql: &str,
        params: Params,
    ) -> Result<(RowSet, Invalidation), QueryError> {
        let statement = Arc::new(Statement::analyze(sql, dialect(self.database.engine())));
        let before = self.before(&statement).await;
        let writes = before.written(&statement);
        self.fetch_written(&statement, writes, before, params).await
    }

    async fn fetch_written(
        self: &Arc<Self>,
        statement: &Arc<Statement>,
        writes: Writes,
        before: Before,
        params: Params,
    ) -> Result<(RowSet, Invalidation), QueryError> {
        let (database, sql) = (self.database.clone(), Arc::clone(&statement.sql));
        // All rows: a write whose rows are not all fetched may not be complete.
        let write = async move { database.fetch(&sql, &params, RowLimit::All).await };
        let written = self.write(writes, before, statement.is_single, write).await;
        written.inspect_err(|error| self.notice(statement.tables(), error))
    }

    /// Runs a write and invalidates what it wrote, in a task of its own: a caller that goes away
    /// in between can not separate the two.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        writes: Writes,
        before: Before,
        is_single: bool,
        write: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<(T, Invalidation), QueryError> {
        let shared = Arc::clone(self);
        let task = tokio::spawn(async move {
            let outcome = write.await;
            if before.changes_schema {
                shared.schema.forget();
            }
            // Of several statements, those before the one that failed may have taken effect.
            if is_single && outcome.as_ref().is_err_and(QueryError::is_surely_undone) {
                return outcome.map(|done| (done, Invalidation::Applied));
            }
            // Also after an error that leaves open whether the database took the write.
            let writes = shared.wake(&writes, &before).await;
            let invalidation = shared.invalidate(&writes).await;
            outcome.map(|done| (done, invalidation))
        });
        task.await.unwrap_or(Err(QueryError::Cancelled))
    }

    /// Invalidates what depends on written tables.
    pub(crate) async fn invalidate(&self, writes: &Writes) -> Invalidation {
        let scope = self.database.scope();
        match writes {
            Writes::Everything => self.cache.clear().await,
            Writes::Tables(tables) if tables.is_empty() => Invalidation::Applied,
            Writes::Tables(tables) => {
                let tag = |table: &TableName| Tag::table(scope, table.as_str());
                let tags: Vec<_> = tables.iter().map(tag).collect();
                self.cache.invalidate_tags(&tags).await
            }
        }
    }
}

/// What was known when a write began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    pub(crate) catalog: Option<Arc<Catalog>>,
    pub(crate) changes_schema: bool,
}

impl Before {
    /// What a statement writes, with the functions that it calls: one of the user's may write
    /// anything.
    pub(crate) fn written(&self, statement: &Statement) -> Writes {
        let may_write = match &self.catalog {
            Some(catalog) => catalog.may_write(&statement.calls),
            None => statement.calls_unknown,
        };
        if may_write { Writes::Everything } else { statement.written() }
    }
}

pub(crate) fn union(one: Writes, other: Writes) -> Writes {
    match (one, other) {
        (Writes::Tables(mut all), Writes::Tables(more)) => {
            all.extend(more);
            Writes::Tables(all)
        }
        _ => Writes::Everything,
    }
}

/// A query that was analysed and looked up once, to be made many times.
pub struct PreparedQuery<S: Shape> {
    shared: Arc<Shared>,
    prepared: Arc<Prepared<S>>,
}

impl<S: Shape> PreparedQuery<S> {
    /// The query, without parameters so far.
    #[inline(always)]
    pub fn query(&self) -> Query<'_, S> {
        let is_current = self.prepared.epoch() == self.shared.schema.epoch();
        let prepared = if is_current {
            Handle::Borrowed(&*self.prepared)
        } else {
            Handle::Owned(self.prepare_again())
        };
        Query::new(&self.shared, prepared)
    }

    #[cold]
    #[inline(never)]
    fn prepare_again(&self) -> Arc<Prepared<S>> {
        self.shared.prepare(&self.prepared.statement.sql)
    }
}

impl<S: Shape> Clone for PreparedQuery<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), prepared: Arc::clone(&self.prepared) }
    }
}

impl<S: Shape> fmt::Debug for PreparedQuery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedQuery")
            .field("sql", &self.prepared.statement.sql)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queries")
            .field("database", self.shared.database.identity())
            .field("cache", &self.shared.cache)
            .finish_non_exhaustive()
    }
}
