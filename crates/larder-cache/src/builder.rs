//! Building a cache: tiers, time limits, identity.

use std::{fmt, sync::Arc, time::Duration};

use larder_core::{CacheBackend, Clock, MacKey, SystemClock};

use crate::{
    Cache, Near,
    cache::{Engine, Limits},
    far::Far,
    flight::Flights,
    near::NearTier,
    pending::Pending,
    recent::Recent,
    stats::Registry,
    view::View,
};

/// Why a cache could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A far tier, whose upkeep runs in tasks, outside of a tokio runtime.
    #[error("a cache with a far tier has to be built within a tokio runtime")]
    NoRuntime,
    /// Neither a near nor a far tier.
    #[error("a cache needs a near tier, a far tier, or both")]
    NoTier,
    /// A time limit of zero.
    #[error("{name} must be longer than zero")]
    ZeroLimit {
        /// The setting.
        name: &'static str,
    },
}

/// Builds a [`Cache`].
#[must_use]
pub struct CacheBuilder {
    near: Option<Near>,
    far: Option<Arc<dyn CacheBackend>>,
    clock: Arc<dyn Clock>,
    namespace: Box<str>,
    mac: Option<MacKey>,
    far_time_limit: Duration,
    far_cooldown: Duration,
    limits: Limits,
}

impl Default for CacheBuilder {
    fn default() -> Self {
        Self {
            near: None,
            far: None,
            clock: Arc::new(SystemClock::new()),
            namespace: "larder".into(),
            mac: None,
            far_time_limit: Duration::from_millis(100),
            far_cooldown: Duration::from_secs(1),
            limits: Limits {
                staleness: Duration::from_secs(1),
                load: Duration::from_secs(30),
                lease: Duration::from_secs(5),
                lease_wait: Duration::from_secs(2),
            },
        }
    }
}

impl CacheBuilder {
    /// Adds a near tier: typed values in this process. Default: none.
    pub const fn near(mut self, near: Near) -> Self {
        self.near = Some(near);
        self
    }

    /// Adds a far tier: any backend, usually shared with other processes. Default: none.
    pub fn far(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        self.far = Some(backend);
        self
    }

    /// Sets the clock. Default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the namespace, which is part of every key. Default: `larder`.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Authenticates what is stored in the far tier. Default: not authenticated.
    pub fn mac_key(mut self, key: MacKey) -> Self {
        self.mac = Some(key);
        self
    }

    /// Sets the time limit of a read's calls to the far tier, all together. Default: 100 ms.
    pub const fn far_time_limit(mut self, limit: Duration) -> Self {
        self.far_time_limit = limit;
        self
    }

    /// Sets how long a far tier that failed three times in a row is left alone before one call
    /// tries again. Default: 1 s.
    pub const fn far_cooldown(mut self, cooldown: Duration) -> Self {
        self.far_cooldown = cooldown;
        self
    }

    /// Sets the staleness bound: for how long a near entry may be served without asking the far
    /// tier whether another process invalidated it. Default: 1 s.
    pub const fn staleness_bound(mut self, bound: Duration) -> Self {
        self.limits.staleness = bound;
        self
    }

    /// Sets the time limit of a loader. Default: 30 s.
    pub const fn load_time_limit(mut self, limit: Duration) -> Self {
        self.limits.load = limit;
        self
    }

    /// Sets how long a lease holds without renewal, that is, how long the death of a loading
    /// process delays others at most. A living loader renews it. Default: 5 s.
    pub const fn lease_time(mut self, time: Duration) -> Self {
        self.limits.lease = time;
        self
    }

    /// Sets how long to wait for another process that loads the same entry, before loading
    /// without filling. Default: 2 s.
    pub const fn lease_wait(mut self, wait: Duration) -> Self {
        self.limits.lease_wait = wait;
        self
    }

    /// Builds the cache.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Cache, BuildError> {
        if self.near.is_none() && self.far.is_none() {
            return Err(BuildError::NoTier);
        }
        if self.far.is_some() && tokio::runtime::Handle::try_current().is_err() {
            return Err(BuildError::NoRuntime);
        }
        let named = [
            ("the far time limit", self.far_time_limit),
            ("the load time limit", self.limits.load),
            ("the lease time", self.limits.lease),
        ];
        if let Some((name, _)) = named.into_iter().find(|(_, limit)| limit.is_zero()) {
            return Err(BuildError::ZeroLimit { name });
        }
        let far = self.far.map(|backend| {
            let clock = Arc::clone(&self.clock);
            Arc::new(Far::new(backend, clock, self.far_time_limit, self.far_cooldown))
        });
        Ok(Cache::new(Engine {
            clock: self.clock,
            near: self.near.map(NearTier::new),
            far,
            view: View::new(),
            flights: Arc::new(Flights::default()),
            pending: Pending::default(),
            recent: Recent::default(),
            registry: Registry::default(),
            limits: self.limits,
            mac: self.mac,
            namespace: self.namespace,
            secret: rand::random(),
        }))
    }
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("near", &self.near)
            .field("far", &self.far)
            .field("namespace", &self.namespace)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
