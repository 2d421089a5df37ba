//! What can be chosen.

use std::{fmt, sync::Arc, time::Duration};

use larder_core::{CacheBackend, Clock, SystemClock, Ttl};
use larder_model::{Model, ModelEntry, Policy};

use crate::{BackOff, SchemaCache};

/// What is asked of the database at times although a table counts as ensured.
///
/// Only a use asks, and only if the last answer is older than the interval; whoever uses the
/// table then waits for the answer. [`Schema::watch`](crate::Schema::watch) asks in the background
/// instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validation {
    /// Nothing. The default.
    #[default]
    None,
    /// Whether any schema of the database was changed, which is the cheapest question that there
    /// is; if so, the tables are looked at.
    Signal {
        /// How old an answer may be.
        every: Duration,
    },
    /// Whether the tables are what they were. It costs more and is never a false alarm.
    Tokens {
        /// How old an answer may be.
        every: Duration,
    },
}

/// The options of a [`Schema`](crate::Schema).
#[derive(Clone)]
pub struct SchemaOptions {
    pub(crate) enabled: bool,
    pub(crate) policy: Policy,
    pub(crate) time_to_live: Option<Ttl>,
    pub(crate) jitter: f64,
    pub(crate) stale_while_verify: Duration,
    pub(crate) validation: Validation,
    pub(crate) back_off: BackOff,
    pub(crate) models: Vec<&'static ModelEntry>,
    pub(crate) second_level: Option<Arc<dyn CacheBackend>>,
    pub(crate) second_level_time_limit: Duration,
    pub(crate) cache: Arc<SchemaCache>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for SchemaOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            policy: Policy::default(),
            time_to_live: None,
            jitter: 0.1,
            stale_while_verify: Duration::ZERO,
            validation: Validation::None,
            back_off: BackOff::default(),
            models: Vec::new(),
            second_level: None,
            second_level_time_limit: Duration::from_millis(100),
            cache: SchemaCache::process(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl SchemaOptions {
    /// Whether anything is remembered. Default: yes. Without, every use asks the database, one
    /// caller beside the other.
    #[must_use]
    pub const fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// What may be done to a table. Default: [`Policy::Additive`].
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The database belongs to somebody else: every table is verified and none is ever changed.
    /// The same as [`Policy::Verify`].
    #[must_use]
    pub const fn with_existing_schema_mode(self) -> Self {
        self.with_policy(Policy::Verify)
    }

    /// How long a table counts as ensured after it was last verified; use does not prolong it.
    /// Expiry is noticed within one tick of the coarse clock. Default: until it is cleared.
    ///
    /// With it, a hit also reads the coarse clock.
    #[must_use]
    pub const fn with_time_to_live(mut self, time_to_live: Ttl) -> Self {
        self.time_to_live = Some(time_to_live);
        self
    }

    /// The share by which a time-to-live may be cut, from 0 to 1. Default: 0.1.
    ///
    /// The cut is drawn once for each [`Schema`](crate::Schema), so that processes that started
    /// together do not verify together for ever, while the tables of one process still expire
    /// together and are verified in one pass.
    #[must_use]
    pub const fn with_jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// For how long after its expiry a table still counts as ensured while it is verified in the
    /// background. Default: zero, so that the first use after the expiry waits.
    ///
    /// Never after a failure, after a doubt or after a clear.
    #[must_use]
    pub const fn with_stale_while_verify(mut self, time: Duration) -> Self {
        self.stale_while_verify = time;
        self
    }

    /// What is asked of the database at times. Default: [`Validation::None`].
    #[must_use]
    pub const fn with_validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// How long a table is left alone after a failure. Default: see [`BackOff::default`].
    #[must_use]
    pub const fn with_back_off(mut self, back_off: BackOff) -> Self {
        self.back_off = back_off;
        self
    }

    /// Registers a model from the start, so that it is checked together with the first that is
    /// used.
    #[must_use]
    pub fn with_model<M: Model>(self) -> Self {
        self.with_models([M::entry()])
    }

    /// Registers models from the start, for instance those that are known at run time only.
    #[must_use]
    pub fn with_models(mut self, models: impl IntoIterator<Item = &'static ModelEntry>) -> Self {
        self.models.extend(models);
        self
    }

    /// Shares what was verified with other processes, by way of any cache backend. Default: no.
    ///
    /// A process that starts then asks the cache once, and trusts its answer only if the
    /// database's signal is still the one that goes with it. It needs the database's identity:
    /// use [`Schema::open`](crate::Schema::open) or [`Schema::shared`](crate::Schema::shared).
    #[must_use]
    pub fn with_second_level(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        self.second_level = Some(backend);
        self
    }

    /// How long the second level may take; what takes longer is a miss. Default: 100 ms.
    #[must_use]
    pub const fn with_second_level_time_limit(mut self, limit: Duration) -> Self {
        self.second_level_time_limit = limit;
        self
    }

    /// How many tables are remembered at most, of this database alone. Default: it shares the
    /// 10,000 of [`SchemaCache::process`] with all databases of the process.
    ///
    /// The same as [`with_cache`](Self::with_cache) with a cache of its own.
    #[must_use]
    pub fn with_max_size(self, tables: usize) -> Self {
        self.with_cache(SchemaCache::new(tables))
    }

    /// The cache that bounds how many tables are remembered, and in which handles of one database
    /// find each other. Default: [`SchemaCache::process`].
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<SchemaCache>) -> Self {
        self.cache = cache;
        self
    }

    /// Where the time comes from. Default: the operating system. Where handles share a database,
    /// the clock of the first one counts.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What may be done to a table.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// Whether a pass needs to know the database's signal.
    pub(crate) const fn wants_signal(&self) -> bool {
        matches!(self.validation, Validation::Signal { .. }) || self.second_level.is_some()
    }
}

impl fmt::Debug for SchemaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaOptions")
            .field("enabled", &self.enabled)
            .field("policy", &self.policy)
            .field("time_to_live", &self.time_to_live)
            .field("jitter", &self.jitter)
            .field("stale_while_verify", &self.stale_while_verify)
            .field("validation", &self.validation)
            .field("back_off", &self.back_off)
            .field("second_level", &self.second_level)
            .finish_non_exhaustive()
    }
}
