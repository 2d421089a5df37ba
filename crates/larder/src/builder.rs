//! Opening a larder: a database, a near tier, a far tier.

use std::{fmt, sync::Arc, time::Duration};

use larder_cache::{Cache, Near, TtlPolicy};
use larder_core::{CacheBackend, MacKey, PlainStore, Ttl};
use larder_migrate::MigrateOptions;
use larder_model::Model;
use larder_query::{Database, DatabaseOptions, DatabaseUrl, PlainQueries, Queries, UrlError};
use larder_schema::SchemaOptions;

use crate::{
    FarUrl, FarUrlError, Larder, OpenError, Settings, SettingsError,
    ensure::{self, Guard},
    far::Opened,
};

/// Opens a [`Larder`]. Made by [`Larder::builder`].
#[must_use]
pub struct LarderBuilder {
    database: Option<Result<DatabaseUrl, UrlError>>,
    /// The same as it was given. Secret.
    database_url: String,
    options: DatabaseOptions,
    near: Option<Near>,
    far: Option<Far>,
    plain: Option<Arc<dyn PlainStore>>,
    ttl: Option<Duration>,
    namespace: Option<String>,
    far_time_limit: Option<Duration>,
    staleness_bound: Option<Duration>,
    mac_key: Option<MacKey>,
    schema: SchemaOptions,
    shares_schema: bool,
    migrate: Option<MigrateOptions>,
}

enum Far {
    Backend(Arc<dyn CacheBackend>),
    Url(Result<FarUrl, FarUrlError>),
}

/// How much the near tier holds unless told otherwise.
const NEAR_DEFAULT: Near = Near::mebibytes(64);

impl Default for LarderBuilder {
    fn default() -> Self {
        Self {
            database: None,
            database_url: String::new(),
            options: DatabaseOptions::default(),
            near: Some(NEAR_DEFAULT),
            far: None,
            plain: None,
            ttl: None,
            namespace: None,
            far_time_limit: None,
            staleness_bound: None,
            mac_key: None,
            schema: SchemaOptions::default(),
            shares_schema: false,
            migrate: None,
        }
    }
}

impl LarderBuilder {
    /// Takes database, far tier and lifetime from the environment and a `.env` file; see
    /// [`Settings`]. What is set afterwards goes before it.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn env(self) -> Result<Self, SettingsError> {
        Ok(self.settings(&Settings::from_env()?))
    }

    /// Takes database, far tier and lifetime from settings, as far as they are there.
    pub fn settings(mut self, settings: &Settings) -> Self {
        if let Some(url) = &settings.database_url {
            self = self.database(url);
        }
        if let Some(url) = &settings.cache_url {
            self = self.far(url);
        }
        self.ttl = settings.ttl.or(self.ttl);
        self
    }

    /// Names the database: `sqlite://airport.db`, `sqlite://new.db?mode=rwc`,
    /// `sqlite::memory:`, `postgres://user:password@host/name`, `mysql://…`, `mariadb://…`. A URL
    /// that is not valid is reported by [`LarderBuilder::build`].
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(url.parse());
        url.clone_into(&mut self.database_url);
        self
    }

    /// Sets how connections are opened and pooled.
    pub fn database_options(mut self, options: DatabaseOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the near tier's size. Default: 64 MiB.
    pub const fn near(mut self, near: Near) -> Self {
        self.near = Some(near);
        self
    }

    /// Goes without a near tier: every hit asks the far tier.
    pub const fn without_near(mut self) -> Self {
        self.near = None;
        self
    }

    /// Names the far tier by its URL; see [`FarUrl`]. Default: none. A URL that is not valid is
    /// reported by [`LarderBuilder::build`].
    pub fn far(mut self, url: &str) -> Self {
        self.far = Some(Far::Url(url.parse()));
        self
    }

    /// Takes any backend as the far tier.
    pub fn far_backend(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        self.far = Some(Far::Backend(backend));
        self
    }

    /// Takes any store for [`Larder::plain`]. Default: the far tier, if its URL names a Redis, a
    /// Valkey or a Memcached.
    pub fn plain_store(mut self, store: Arc<dyn PlainStore>) -> Self {
        self.plain = Some(store);
        self
    }

    /// Sets how long answers live unless a query says otherwise. Default: one hour.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets the namespace, which keeps services on one far tier apart. Default: `larder`.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Sets the time limit of a read's calls to the far tier, all together. Default: 100 ms.
    ///
    /// A Redis, Valkey or Memcached that is opened by its URL has a second for each request, or as
    /// long as this if it is longer.
    pub const fn far_time_limit(mut self, limit: Duration) -> Self {
        self.far_time_limit = Some(limit);
        self
    }

    /// Sets for how long a near entry is served without asking whether another process
    /// invalidated it. Default: 1 s.
    pub const fn staleness_bound(mut self, bound: Duration) -> Self {
        self.staleness_bound = Some(bound);
        self
    }

    /// Authenticates what is stored in the far tier.
    pub fn mac_key(mut self, key: MacKey) -> Self {
        self.mac_key = Some(key);
        self
    }

    /// Sets what [`Larder::ensure`] may do to tables, and for how long it trusts what it saw.
    /// Default: creates tables and adds columns; until told otherwise.
    pub fn schema_options(mut self, options: SchemaOptions) -> Self {
        self.schema = options;
        self
    }

    /// Registers a model, so that its table is checked together with the first one that is used.
    /// Comes after [`LarderBuilder::schema_options`], which has a list of its own.
    pub fn model<M: Model>(mut self) -> Self {
        self.schema = self.schema.with_model::<M>();
        self
    }

    /// Keeps in the far tier which tables were verified, so that a process that starts asks once
    /// instead of looking at each table, and so that what one process finds changed all look at
    /// again. Default: no. Without a far tier it does nothing.
    pub const fn share_schema(mut self) -> Self {
        self.shares_schema = true;
        self
    }

    /// Sets how migrations are run: whose they are, where the registry is, how long to wait for
    /// others. Default: [`MigrateOptions::default`], on PostgreSQL with the schema that the
    /// connections look for tables in first.
    pub fn migrate_options(mut self, options: MigrateOptions) -> Self {
        self.migrate = Some(options);
        self
    }

    /// Opens the database and the far tier.
    ///
    /// A far tier whose server can not be reached for now is the cache's trouble: it is written to
    /// the log, the database answers, and the far tier is used from when it is there.
    ///
    /// # Errors
    /// [`OpenError`]; no message holds a password. Of the far tier, what does not pass by itself:
    /// wrong credentials, an unknown certificate, another protocol, a file that can not be used.
    ///
    /// # Cancel safety
    /// What was opened so far is closed.
    pub async fn build(self) -> Result<Larder, OpenError> {
        let url = self.database.ok_or(OpenError::NoDatabase)?.map_err(OpenError::DatabaseUrl)?;
        let ttl = self.ttl.map_or(Ok(DEFAULT_TTL), Ttl::new);
        let ttl = ttl.map_err(|source| SettingsError::Ttl { variable: "ttl", source })?;
        let namespace = self.namespace.as_deref();
        let Opened { backend: far, plain, away } = match self.far {
            Some(Far::Backend(backend)) => {
                Opened { backend: Some(backend), plain: None, away: None }
            }
            Some(Far::Url(url)) => {
                url.map_err(OpenError::FarUrl)?.open_in(namespace, self.far_time_limit).await?
            }
            None => Opened { backend: None, plain: None, away: None },
        };
        if let Some(error) = away {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the far tier can not be reached; going without it until it can");
        }
        let mut cache = Cache::builder();
        if let Some(near) = self.near {
            cache = cache.near(near);
        }
        let mut schema = self.schema;
        if let Some(far) = far {
            if self.shares_schema {
                schema = schema.with_second_level(Arc::clone(&far));
            }
            cache = cache.far(far);
        }
        if let Some(namespace) = namespace {
            cache = cache.namespace(namespace);
        }
        if let Some(limit) = self.far_time_limit {
            cache = cache.far_time_limit(limit);
        }
        if let Some(bound) = self.staleness_bound {
            cache = cache.staleness_bound(bound);
        }
        if let Some(key) = self.mac_key {
            cache = cache.mac_key(key);
        }
        let cache = cache.build()?;
        let database = Database::connect(&url, &self.options)
            .await
            .map_err(|source| OpenError::Database { url: url.to_string(), source })?;
        let plain = self.plain.or(plain).map(|store| {
            let plain = PlainQueries::new(database.clone(), store).with_ttl(ttl);
            match self.far_time_limit {
                Some(limit) => plain.with_time_limit(limit),
                None => plain,
            }
        });
        let queries = Arc::new(Queries::with_ttl(database, cache, TtlPolicy::new(ttl)));
        let schema = ensure::open(&self.database_url, &queries, schema, self.migrate).await;
        queries.guard_models(Arc::new(Guard(schema.0.clone())));
        Ok(Larder::new(queries, plain, schema))
    }
}

const DEFAULT_TTL: Ttl = match Ttl::new(Duration::from_secs(3_600)) {
    Ok(ttl) => ttl,
    Err(_) => Ttl::MIN,
};

impl fmt::Debug for LarderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LarderBuilder")
            .field("database", &self.database)
            .field("near", &self.near)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
