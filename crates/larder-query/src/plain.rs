//! Plain mode: entries that an existing cache-aside deployment in Python stores and reads.
//!
//! Guards that a hit has the rows of the miss before it, whoever stored them, that nothing but
//! reads goes through here, and that trouble with the cache never reaches a reader.

mod access;
mod payload;
mod python;
mod stats;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use larder_cache::{Args, Cache, Family, Loaded, Near, PayloadCodec, Source, Tier};
use larder_core::{Clock, Codec, Key, KeySpace, PlainStore, SystemClock, Ttl, TtlError};
use sha2::{Digest as _, Sha256};

use crate::{
    Database, Dynamic, Engine, Params, QueryError, Reason, RowLimit, RowSet,
    plain::access::{Access, Entry, Look},
    statement::{Prepared, Statement, Statements, dialect},
};

pub use stats::PlainStats;

/// A database behind entries that programs in Python share: key `query:` and the SHA-256 of the
/// text, payload a JSON list of objects as `json.dumps(rows, default=str)` writes it.
///
/// It has none of the guarantees of [`Queries`](crate::Queries): a plain entry knows neither its
/// tables nor its database. A write invalidates nothing by itself, an entry may be older than an
/// invalidation by another process, and only its lifetime ends that. Within this process a load
/// that began before an [`invalidate`](Self::invalidate) never stores after it.
///
/// Cloning is cheap and shares everything.
///
/// | value | in the entry, and in every answer |
/// |---|---|
/// | boolean | `true` on PostgreSQL, `1` elsewhere |
/// | integer, float, text, NULL | as it is |
/// | decimal | the text that Python's `Decimal` has: `"1.50"`, `"0E-8"` |
/// | date, timestamp | `"2024-02-29"`, `"2024-02-29 12:30:00"`, with `+00:00` where it has a zone |
/// | time | `"12:30:00"`; on MySQL and MariaDB as a `timedelta`: `"1 day, 2:30:00"` |
/// | JSON | the document on PostgreSQL, its text elsewhere |
/// | bytes | the text `b'\x00\xff'` |
/// | UUID | its text |
#[derive(Clone)]
pub struct PlainQueries {
    shared: Arc<Shared>,
    ttl: Ttl,
    time_limit: Duration,
}

struct Shared {
    database: Database,
    access: Access,
    clock: Arc<dyn Clock>,
    statements: Statements,
    /// For its flights only; nothing is ever stored in it.
    flights: Family<Arc<RowSet>>,
}

/// A statement to be asked in plain mode. It has no parameters, because the key is that of the
/// text alone. Made by [`PlainQueries::query`].
#[must_use = "a query does nothing until it is fetched"]
pub struct PlainQuery<'q> {
    shared: &'q Arc<Shared>,
    sql: &'q str,
    ttl: Result<Ttl, TtlError>,
    time_limit: Duration,
    refresh: bool,
    assume_cacheable: bool,
}

/// What was found, where, and how long that took.
#[derive(Clone, Debug)]
pub struct PlainLookup {
    rows: Arc<RowSet>,
    source: Source,
    latency: Duration,
}

/// Why a plain query has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The statement changes something, or is not known to change nothing.
    #[error("plain mode only reads: send what writes through `execute`, then invalidate")]
    NotARead,
    /// The database's own error, or the caller's.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// How long an entry lives unless told otherwise: what such deployments use.
const TTL_DEFAULT: Duration = Duration::from_secs(3_600);
/// How long a reader waits for the store unless told otherwise.
const TIME_LIMIT_DEFAULT: Duration = Duration::from_millis(100);
/// How long an empty answer lives at most.
const EMPTY_TTL_MAX: Duration = Duration::from_secs(30);

impl PlainQueries {
    /// Puts plain entries in front of a database; they live for an hour unless told otherwise.
    #[must_use]
    pub fn new(database: Database, store: Arc<dyn PlainStore>) -> Self {
        Self::with_clock(database, store, Arc::new(SystemClock::new()))
    }

    /// As [`PlainQueries::new`], with the clock that times latencies and the pause after a
    /// failure of the store.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn with_clock(
        database: Database,
        store: Arc<dyn PlainStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let near = Near::bytes(1).with_typical_entry_bytes(1);
        let cache = Cache::builder().near(near).clock(Arc::clone(&clock)).build();
        // A build fails without a tier, for a far tier without a runtime, and for time limits of
        // zero; here is a near tier, no far tier, and the default limits.
        let cache = cache.expect("a cache with nothing but a near tier");
        let never_decoded = PayloadCodec::new(Codec::ROWS, 0, |_| Err("nothing is stored".into()));
        let shared = Shared {
            database,
            access: Access::new(store, Arc::clone(&clock)),
            clock,
            statements: Statements::new(),
            flights: cache.family_with("plain", never_decoded).build(),
        };
        Self {
            shared: Arc::new(shared),
            ttl: Ttl::new(TTL_DEFAULT).unwrap_or(Ttl::MIN),
            time_limit: TIME_LIMIT_DEFAULT,
        }
    }

    /// Sets how long entries live that are stored from now on through this handle.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Ttl) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how long a read of the store may take, and a write to it. Default: 100 ms.
    #[must_use]
    pub const fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// A query by its exact text: whitespace and letter case count, as in the deployments that
    /// share the entries.
    pub fn query<'q>(&'q self, sql: &'q str) -> PlainQuery<'q> {
        PlainQuery {
            shared: &self.shared,
            sql,
            ttl: Ok(self.ttl),
            time_limit: self.time_limit,
            refresh: false,
            assume_cacheable: false,
        }
    }

    /// Removes the entry of a text. `true` if there was one.
    ///
    /// Once it returned `Ok`, no load of this process that began before stores its rows. One of
    /// another process may.
    ///
    /// # Errors
    /// The store's. It is then unknown whether the entry is gone.
    ///
    /// # Cancel safety
    /// No earlier load of this process stores once the future was polled; the entry is then
    /// removed or not.
    pub async fn invalidate(&self, sql: &str) -> larder_core::Result<bool> {
        // Before the entry is removed: nobody may join a flight that began before.
        let _local = self.shared.flights.invalidate(sql.as_bytes()).await;
        self.shared.access.remove(&plain_key(sql)).await
    }

    /// What was counted since this was made.
    #[must_use]
    pub fn stats(&self) -> PlainStats {
        self.shared.access.counters.snapshot()
    }

    /// The database, for what should not go through the cache.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.shared.database
    }
}

/// `query:` and the SHA-256 of the text, which is all that such a deployment puts into a key.
fn plain_key(sql: &str) -> Key {
    Key::from_digest(KeySpace::Query, Sha256::digest(sql).into())
}

impl PlainQuery<'_> {
    /// Sets how long the entry lives if this call stores it. An empty answer lives for 30 seconds
    /// at most.
    ///
    /// Zero and more than ten years are errors, which the fetch reports.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = self.ttl.and_then(|_| Ttl::new(ttl));
        self
    }

    /// Asks the database whatever is stored, and stores the answer.
    pub const fn refresh(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// Caches the answer although the statement calls a function that is not known to be
    /// deterministic, such as `now()`, as the deployments that share the entries do.
    pub const fn assume_cacheable(mut self) -> Self {
        self.assume_cacheable = true;
        self
    }

    /// Fetches every row: from the entry, or from the database.
    ///
    /// What is stored but is no list of objects with the same names counts as a miss and is
    /// overwritten. A store that fails is left alone for a second.
    ///
    /// # Errors
    /// [`PlainError::NotARead`], and the database's own errors. Trouble with the store is none.
    ///
    /// # Cancel safety
    /// A load that was started goes on and is stored.
    pub async fn fetch(self) -> Result<PlainLookup, PlainError> {
        let started = self.shared.clock.now();
        let (rows, source) = self.answer().await?;
        let latency = self.shared.clock.now().since(started);
        Ok(PlainLookup { rows, source, latency })
    }

    async fn answer(&self) -> Result<(Arc<RowSet>, Source), PlainError> {
        let ttl = self.ttl.map_err(QueryError::from)?;
        let statement = self.shared.statement(self.sql);
        if !only_reads(&statement) {
            return Err(PlainError::NotARead);
        }
        let counters = &self.shared.access.counters;
        if self.uncacheable(&statement).is_some() {
            counters.bypasses.increment();
            return Ok((self.shared.load(self.sql).await?, Source::Bypass));
        }
        let key = plain_key(self.sql);
        let fills = self.shared.access.fills(&key);
        let mut may_store = true;
        if !self.refresh {
            match self.shared.access.read(&key, self.time_limit).await {
                Look::Found(rows) => {
                    counters.hits.increment();
                    return Ok((Arc::new(rows), Source::Hit(Tier::Far)));
                }
                Look::Nothing => {}
                // A store that does not even read is not kept waiting for.
                Look::Failed => may_store = false,
            }
        }
        let load = Load {
            shared: Arc::clone(self.shared),
            sql: self.sql.into(),
            key,
            ttl,
            time_limit: self.time_limit,
            fills: (!self.refresh).then_some(fills),
            may_store,
        };
        self.fly(load).await
    }

    /// One load for everybody who waits for it.
    async fn fly(&self, load: Load) -> Result<(Arc<RowSet>, Source), PlainError> {
        let args = Args::new(self.sql.as_bytes());
        let flights = &self.shared.flights;
        let counters = &self.shared.access.counters;
        let landed = if self.refresh {
            counters.refreshes.increment();
            flights.refresh_with(args, move || load.run()).await
        } else {
            counters.misses.increment();
            flights.get_or_load_with(args, move || load.run()).await
        };
        let landed = landed.map_err(QueryError::from)?;
        // The loader never reports an absence: an answer without rows is an empty set.
        let rows = landed.value().map(Arc::clone).ok_or(QueryError::RowNotFound)?;
        Ok((rows, landed.source()))
    }

    fn uncacheable<'s>(&self, statement: &'s Statement) -> Option<&'s Reason> {
        let overruled = |reason: &&Reason| self.assume_cacheable && reason.may_be_overruled();
        statement.uncacheable.as_ref().filter(|reason| !overruled(reason))
    }
}

/// Whether a statement can be run here without anybody having to know of it.
fn only_reads(statement: &Statement) -> bool {
    use larder_sql::StatementKind::{Schema, Transaction, Write};
    statement.writes.is_empty()
        && !statement.makes_private
        && !matches!(statement.kind, Some(Schema | Transaction | Write))
}

impl Shared {
    fn statement(&self, sql: &str) -> Arc<Statement> {
        if let Some(known) = self.statements.get::<Dynamic>(sql) {
            return Arc::clone(&known.statement);
        }
        let statement = Arc::new(Statement::analyze(sql, dialect(self.database.engine())));
        self.statements.insert::<Dynamic>(&Arc::new(Prepared::new(
            Arc::clone(&statement),
            0,
            false,
        )));
        statement
    }

    async fn load(&self, sql: &str) -> Result<Arc<RowSet>, QueryError> {
        let set = self.database.fetch(sql, &Params::new(), RowLimit::All).await?;
        Ok(Arc::new(payload::plain_rows(self.database.engine(), set)))
    }
}

/// What a loader takes along.
struct Load {
    shared: Arc<Shared>,
    sql: Box<str>,
    key: Key,
    ttl: Ttl,
    time_limit: Duration,
    /// What the store had been given when it was asked; `None` if it was not asked.
    fills: Option<u64>,
    may_store: bool,
}

impl Load {
    async fn run(self) -> Result<Loaded<Arc<RowSet>>, QueryError> {
        let access = &self.shared.access;
        if self.fills.is_some_and(|fills| fills != access.fills(&self.key))
            && let Look::Found(rows) = access.read(&self.key, self.time_limit).await
        {
            // Another flight landed between this caller's look and its take-off.
            return Ok(Loaded::near_only(Arc::new(rows), 0).unstored());
        }
        // Before the database is asked: an invalidation from here on wins.
        let generation = access.generation(&self.key);
        let rows = self.shared.load(&self.sql).await?;
        if self.may_store {
            match payload::encode(&rows) {
                Some(payload) => {
                    let entry = Entry { payload, ttl: self.ttl(&rows), limit: self.time_limit };
                    access.store(&self.key, generation, entry).await;
                }
                None => access.counters.unstorable.increment(),
            }
        }
        Ok(Loaded::near_only(rows, 0).unstored())
    }

    fn ttl(&self, rows: &RowSet) -> Ttl {
        match Ttl::new(EMPTY_TTL_MAX) {
            Ok(brief) if rows.is_empty() => self.ttl.min(brief),
            _ => self.ttl,
        }
    }
}

impl PlainLookup {
    /// The rows, in the database's order. Types are those that JSON has left of them; of two
    /// columns `id` the second is `id:2`. An answer without rows has no columns.
    #[must_use]
    pub fn rows(&self) -> &RowSet {
        &self.rows
    }

    /// Where they came from: `CACHE_HIT`, `CACHE_MISS`, `CACHE_REFRESH` or `BYPASS`.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// How long the whole call took, decoding included.
    #[must_use]
    pub const fn latency(&self) -> Duration {
        self.latency
    }
}

impl fmt::Debug for PlainQueries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainQueries")
            .field("database", self.shared.database.identity())
            .field("store", &self.shared.access.store)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PlainQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainQuery")
            .field("sql", &self.sql)
            .field("ttl", &self.ttl)
            .field("refresh", &self.refresh)
            .finish_non_exhaustive()
    }
}

/// Which forms a database's values take in Python.
const fn is_mysql_family(engine: Engine) -> bool {
    matches!(engine, Engine::MariaDb | Engine::MySql)
}
