//! One query: parameters, options, and the calls that fetch.

mod fetch;

use std::{fmt, sync::Arc, time::Duration};

use larder_cache::{Args, Cached, Family, Invalidation, Loaded, Lookup, TtlPolicy};
use larder_core::{Tag, Tick, Ttl, TtlError};
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::{
    Bind, Params, QueryError, Reason, RowLimit, RowSet, Shape,
    queries::Shared,
    query::fetch::{Fetch, Peek},
    shape::Scalar,
    statement::{Prepared, Statement},
};

/// A query with its parameters and options. Made by
/// [`Queries::query_as`](crate::Queries::query_as) and [`Queries::query`](crate::Queries::query).
///
/// Building allocates nothing for parameters that [`Params`] holds in place and no further options.
#[must_use = "a query does nothing until it is fetched"]
pub struct Query<'q, S: Shape> {
    shared: &'q Arc<Shared>,
    prepared: Handle<'q, S>,
    params: Params,
    /// Behind a pointer, because a query is moved with each parameter that is bound to it.
    options: Option<Box<Options>>,
}

/// A prepared statement, borrowed where the caller holds one: a near hit then touches no
/// reference count but that of its value.
pub(crate) enum Handle<'q, S: Shape> {
    Borrowed(&'q Prepared<S>),
    Owned(Arc<Prepared<S>>),
}

impl<S: Shape> std::ops::Deref for Handle<'_, S> {
    type Target = Prepared<S>;

    #[inline(always)]
    fn deref(&self) -> &Prepared<S> {
        match self {
            Self::Borrowed(prepared) => prepared,
            Self::Owned(prepared) => prepared,
        }
    }
}

/// What was asked for beyond the statement and its parameters.
#[derive(Clone, Debug, Default)]
struct Options {
    ttl: Option<TtlPolicy>,
    tags: SmallVec<[Tag; 2]>,
    refresh: bool,
    assume_cacheable: bool,
    /// The first option that was not valid; the fetch reports it.
    error: Option<TtlError>,
}

impl<'q, S: Shape> Query<'q, S> {
    #[inline(always)]
    pub(crate) fn new(shared: &'q Arc<Shared>, prepared: Handle<'q, S>) -> Self {
        Self { shared, prepared, params: Params::new(), options: None }
    }

    /// Binds the next parameter.
    ///
    /// Its type is part of the identity of the answer: `1_i32`, `1_i64`, `1.0` and `"1"` are four
    /// different queries.
    #[inline(always)]
    pub fn bind(mut self, value: impl Bind) -> Self {
        self.params.bind(value);
        self
    }

    /// Binds parameters that were put together before, in place of all that were bound.
    pub(crate) fn bind_params(mut self, params: Params) -> Self {
        self.params = params;
        self
    }

    /// Sets how long the answer lives: absolute, from the start of the load. An empty answer
    /// lives for 30 seconds at most.
    ///
    /// Zero and more than ten years are errors, which the fetch reports.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        let options = self.options();
        match Ttl::new(ttl) {
            Ok(ttl) => options.ttl = Some(TtlPolicy::new(ttl)),
            Err(error) => options.error = options.error.or(Some(error)),
        }
        self
    }

    /// Sets the whole policy: lifetimes of answers and of empty answers, jitter.
    pub fn ttl_policy(mut self, policy: TtlPolicy) -> Self {
        self.options().ttl = Some(policy);
        self
    }

    /// Gives the answer a tag of its own, for
    /// [`Queries::invalidate_tag`](crate::Queries::invalidate_tag). The tags of the tables that
    /// the statement reads are there anyway.
    pub fn tag(mut self, tag: &str) -> Self {
        self.options().tags.push(Tag::named(tag));
        self
    }

    /// Asks the database whatever is stored, and stores the answer.
    pub fn force_refresh(mut self) -> Self {
        self.options().refresh = true;
        self
    }

    /// Caches the answer although the statement calls a function that is not known to be
    /// deterministic, or one that is known not to be.
    ///
    /// It has no effect on a statement that locks, writes, or could not be analysed: what the
    /// answer depends on is then not known.
    pub fn assume_cacheable(mut self) -> Self {
        self.options().assume_cacheable = true;
        self
    }

    fn options(&mut self) -> &mut Options {
        self.options.get_or_insert_default()
    }

    /// Why the answer is not cached; `None` if it is, as far as that is known before the first
    /// fetch looked behind the views.
    #[must_use]
    pub fn uncacheable(&self) -> Option<&Reason> {
        let assumed = self.options.as_ref().is_some_and(|options| options.assume_cacheable);
        let overruled = |reason: &&Reason| assumed && reason.may_be_overruled();
        self.prepared.reason().filter(|reason| !overruled(reason))
    }

    /// Fetches every row.
    ///
    /// # Errors
    /// [`QueryError`]: the database's, or the caller's. Trouble with the cache is no error.
    ///
    /// # Cancel safety
    /// A load that was started goes on and is stored.
    #[inline]
    pub fn fetch_all(
        self,
    ) -> impl Future<Output = Result<Cached<S::Rows>, QueryError>> + Send + use<'q, S> {
        Fetch::new(
            All,
            self,
            // The loader never reports an absence: an empty answer still has columns.
            async |query: Self| {
                query.fetch_all_slowly().await?.found().ok_or(QueryError::RowNotFound)
            },
        )
    }

    /// Fetches the first row; its absence is an error.
    ///
    /// # Errors
    /// As [`Query::fetch_all`], and [`QueryError::RowNotFound`].
    ///
    /// # Cancel safety
    /// As [`Query::fetch_all`].
    #[inline]
    pub fn fetch_one(
        self,
    ) -> impl Future<Output = Result<Cached<S::Row>, QueryError>> + Send + use<'q, S> {
        Fetch::new(One, self, async |query: Self| {
            query.fetch_optional_slowly().await?.found().ok_or(QueryError::RowNotFound)
        })
    }

    /// Fetches the first row, if there is one. An absence is cached too, for a shorter time.
    ///
    /// # Errors
    /// As [`Query::fetch_all`].
    ///
    /// # Cancel safety
    /// As [`Query::fetch_all`].
    #[inline]
    pub fn fetch_optional(
        self,
    ) -> impl Future<Output = Result<Lookup<S::Row>, QueryError>> + Send + use<'q, S> {
        Fetch::new(Optional, self, Self::fetch_optional_slowly)
    }

    /// Fetches the first column of the first row.
    ///
    /// # Errors
    /// As [`Query::fetch_one`].
    ///
    /// # Cancel safety
    /// As [`Query::fetch_all`].
    pub async fn fetch_scalar<V>(self) -> Result<Cached<V>, QueryError>
    where
        V: DeserializeOwned + Send + Sync + 'static,
    {
        let Self { shared, prepared, params, options } = self;
        let prepared = Handle::Owned(shared.prepare::<Scalar<V>>(&prepared.statement.sql));
        Query { shared, prepared, params, options }.fetch_one().await
    }

    /// Invalidates the answer to this query with these parameters and tags, however many rows
    /// were asked for.
    ///
    /// # Errors
    /// The database's, if the statement was not used yet and the views behind it are not known.
    ///
    /// # Cancel safety
    /// The invalidation goes on in a task of its own once it was started.
    pub async fn invalidate(self) -> Result<Invalidation, QueryError> {
        self.prepared.resolve(self.shared).await?;
        let all = self.prepared.all(self.shared).invalidate(self.args()).await;
        Ok(all.and(self.prepared.one(self.shared).invalidate(self.args()).await))
    }

    #[inline(always)]
    fn peek(&self) -> Option<Lookup<S::Row>> {
        if !self.may_peek() {
            return None;
        }
        self.prepared.known_one()?.peek(self.args())
    }

    /// Whether the near tier may be asked right away.
    #[inline(always)]
    fn may_peek(&self) -> bool {
        match &self.options {
            None => self.prepared.reason().is_none(),
            Some(options) => {
                !options.refresh && options.error.is_none() && self.uncacheable().is_none()
            }
        }
    }

    #[inline(always)]
    fn args(&self) -> Args<'_> {
        let args = Args::new(self.params.as_bytes());
        self.options.as_ref().map_or(args, |options| args.with_tags(&options.tags))
    }

    async fn fetch_all_slowly(self) -> Result<Lookup<S::Rows>, QueryError> {
        self.shared.ensure(self.prepared.model).await?;
        let Some(source) = self.source().await? else {
            return self.bypass(RowLimit::All, |set| S::rows(set).map(Some)).await;
        };
        let family = self.configured(self.prepared.all(self.shared));
        let load = move || async move {
            let set = S::adapt(source.fetch(RowLimit::All).await?);
            let (payload, is_empty) = (set.encode(), set.is_empty());
            let loaded = Loaded::value(S::rows(set)?, payload).brief_if(is_empty);
            source.vouch_for(loaded).await
        };
        self.get(&family, load).await
    }

    async fn fetch_optional_slowly(self) -> Result<Lookup<S::Row>, QueryError> {
        self.shared.ensure(self.prepared.model).await?;
        let Some(source) = self.source().await? else {
            return self.bypass(RowLimit::One, S::row).await;
        };
        let family = self.configured(self.prepared.one(self.shared));
        let load = move || async move {
            let set = S::adapt(source.fetch(RowLimit::One).await?);
            let payload = set.encode();
            let row = S::row(set)?;
            let loaded = row.map_or_else(Loaded::absent, |row| Loaded::value(row, payload));
            source.vouch_for(loaded).await
        };
        self.get(&family, load).await
    }

    /// What a loader needs; `None` if the answer is not to be cached.
    async fn source(&self) -> Result<Option<Load>, QueryError> {
        if let Some(error) = self.options.as_ref().and_then(|options| options.error) {
            return Err(QueryError::Ttl(error));
        }
        if self.uncacheable().is_some() {
            return Ok(None);
        }
        self.prepared.resolve(self.shared).await?;
        if self.uncacheable().is_some() {
            return Ok(None);
        }
        Ok(Some(Load {
            schema_version: self.prepared.schema_version().unwrap_or_default(),
            shared: Arc::clone(self.shared),
            statement: Arc::clone(&self.prepared.statement),
            params: self.params.clone(),
        }))
    }

    fn configured<T: Send + Sync + 'static>(&self, family: &Family<T>) -> Family<T> {
        let policy = self.options.as_ref().and_then(|options| options.ttl);
        policy.map_or_else(|| family.clone(), |policy| family.with_ttl(policy))
    }

    async fn get<T, F>(
        &self,
        family: &Family<T>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Lookup<T>, QueryError>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, QueryError>> + Send + 'static,
    {
        let refresh = self.options.as_ref().is_some_and(|options| options.refresh);
        let answer = if refresh {
            family.refresh_with(self.args(), load).await
        } else {
            family.get_or_load_with(self.args(), load).await
        };
        answer.map_err(QueryError::from)
    }

    /// Asks the database and nobody else; what the statement writes is invalidated.
    async fn bypass<T>(
        &self,
        limit: RowLimit,
        convert: impl FnOnce(RowSet) -> Result<Option<T>, QueryError>,
    ) -> Result<Lookup<T>, QueryError> {
        let clock = self.shared.cache.clock();
        let started: Tick = clock.now();
        let set =
            self.shared.fetch_past_cache(&self.prepared.statement, &self.params, limit).await?;
        let value = convert(S::adapt(set))?;
        self.shared.cache.count_bypass("query");
        Ok(Lookup::bypassed(value, clock.now().since(started)))
    }
}

/// What is asked for: every row, the first row, or the first row if there is one.
#[derive(Clone, Copy)]
struct All;
#[derive(Clone, Copy)]
struct One;
#[derive(Clone, Copy)]
struct Optional;

impl<S: Shape> Peek<Query<'_, S>> for All {
    type Answer = Result<Cached<S::Rows>, QueryError>;

    #[inline(always)]
    fn peek(query: &Query<'_, S>) -> Option<Self::Answer> {
        if !query.may_peek() {
            return None;
        }
        query.prepared.known_all()?.peek(query.args())?.found().map(Ok)
    }
}

impl<S: Shape> Peek<Query<'_, S>> for One {
    type Answer = Result<Cached<S::Row>, QueryError>;

    #[inline(always)]
    fn peek(query: &Query<'_, S>) -> Option<Self::Answer> {
        Some(query.peek()?.found().ok_or(QueryError::RowNotFound))
    }
}

impl<S: Shape> Peek<Query<'_, S>> for Optional {
    type Answer = Result<Lookup<S::Row>, QueryError>;

    #[inline(always)]
    fn peek(query: &Query<'_, S>) -> Option<Self::Answer> {
        query.peek().map(Ok)
    }
}

/// What a loader takes along.
struct Load {
    /// The state of the schema in which the tables behind the statement were looked up.
    schema_version: i64,
    shared: Arc<Shared>,
    statement: Arc<Statement>,
    params: Params,
}

impl Load {
    async fn fetch(&self, limit: RowLimit) -> Result<RowSet, QueryError> {
        let fetched = self.shared.database.fetch(&self.statement.sql, &self.params, limit).await;
        fetched.inspect_err(|error| self.shared.notice(self.statement.tables(), error))
    }

    /// An answer may be stored only if the tables behind its statement are still those whose tags
    /// it will carry: somebody may have given a view another meaning since they were looked up.
    async fn vouch_for<T>(&self, loaded: Loaded<T>) -> Result<Loaded<T>, QueryError> {
        let Shared { schema, database, .. } = &*self.shared;
        if schema.is_at(database, self.schema_version).await? {
            return Ok(loaded);
        }
        schema.forget();
        Ok(loaded.unstored())
    }
}

impl<S: Shape> fmt::Debug for Query<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("sql", &self.prepared.statement.sql)
            .field("params", &self.params)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
