//! The handle that everything starts from.

use std::{fmt, sync::Arc, time::Duration};

use larder_core::{CacheBackend, Clock, Health, Key, KeySpace, MacKey, Tag};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    CacheBuilder, CacheStats, FamilyBuilder, Invalidation, PayloadCodec,
    far::Far,
    feed::FeedTask,
    flight::Flights,
    invalidation::invalidate,
    near::NearTier,
    pending::{Pending, What},
    recent::Recent,
    stats::Registry,
    view::View,
};

/// A cache of one or two tiers. Cloning is cheap and shares everything.
///
/// ```
/// use larder_cache::{Cache, Near};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let cache = Cache::builder().near(Near::mebibytes(16)).build()?;
/// let airlines = cache.family::<String>("airline").build();
///
/// let load = || async { Ok::<_, std::io::Error>("Lufthansa".to_owned()) };
/// let first = airlines.get_or_load("LH", load).await?;
/// let second = airlines.get_or_load("LH", load).await?;
/// assert_eq!((first.source().as_str(), second.source().as_str()), ("CACHE_MISS", "CACHE_HIT"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Cache {
    pub(crate) engine: Arc<Engine>,
    /// Ends with the last handle.
    _feed: Option<Arc<FeedTask>>,
}

/// What all handles of one cache share.
pub(crate) struct Engine {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) near: Option<NearTier>,
    pub(crate) far: Option<Arc<Far>>,
    pub(crate) view: View,
    pub(crate) flights: Arc<Flights>,
    pub(crate) pending: Pending,
    pub(crate) recent: Recent,
    pub(crate) registry: Registry,
    pub(crate) limits: Limits,
    pub(crate) mac: Option<MacKey>,
    pub(crate) namespace: Box<str>,
    /// Keeps the near tier's hashes unpredictable.
    pub(crate) secret: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) staleness: Duration,
    pub(crate) load: Duration,
    pub(crate) lease: Duration,
    pub(crate) lease_wait: Duration,
}

impl Cache {
    /// Starts building a cache.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    pub(crate) fn new(engine: Engine) -> Self {
        let engine = Arc::new(engine);
        let feed = FeedTask::spawn(&engine).map(Arc::new);
        Self { engine, _feed: feed }
    }

    /// Starts describing a family of entries: values of one type under one label.
    ///
    /// Two families of one label and type share their entries.
    pub fn family<T>(&self, label: &str) -> FamilyBuilder<T>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        self.family_with(label, PayloadCodec::postcard(0))
    }

    /// As [`Cache::family`], with a codec of the caller's own.
    pub fn family_with<T>(&self, label: &str, codec: PayloadCodec<T>) -> FamilyBuilder<T>
    where
        T: Send + Sync + 'static,
    {
        FamilyBuilder::new(Arc::clone(&self.engine), label, codec)
    }

    /// Invalidates every entry that carries one of these tags, in all families, in both tiers.
    ///
    /// # Cancel safety
    /// The invalidation goes on in a task of its own if the future is dropped after the first
    /// poll.
    pub async fn invalidate_tags(&self, tags: &[Tag]) -> Invalidation {
        let what = What { tags: tags.iter().copied().collect(), ..What::default() };
        invalidate(&self.engine, what).await
    }

    /// Invalidates one entry that is known by its key alone, in both tiers.
    ///
    /// # Cancel safety
    /// As [`Cache::invalidate_tags`].
    pub async fn invalidate_key(&self, key: Key) -> Invalidation {
        let what = What { keys: [key].into(), ..What::default() };
        invalidate(&self.engine, what).await
    }

    /// Invalidates everything in both tiers; one small write in the far tier.
    ///
    /// # Cancel safety
    /// As [`Cache::invalidate_tags`].
    pub async fn clear(&self) -> Invalidation {
        invalidate(&self.engine, What { everything: true, ..What::default() }).await
    }

    /// What was counted since the cache was built. Costs no round trip.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let pending = self.engine.pending.len() as u64;
        CacheStats {
            keyspaces: self.engine.registry.snapshot(),
            near: self.engine.near.as_ref().map(NearTier::stats),
            far: self.engine.far.as_ref().map(|far| far.stats(pending)),
        }
    }

    /// Counts an answer that did not go through the cache.
    pub fn count_bypass(&self, label: &str) {
        self.engine.registry.keyspace(label).bypasses.increment();
    }

    /// The far tier's health, by a real round trip within the far tier's time limit; `None`
    /// without a far tier.
    ///
    /// # Errors
    /// As [`CacheBackend::health`].
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn health(&self) -> Option<larder_core::Result<Health>> {
        let far = self.engine.far.as_ref()?;
        Some(far.insist(larder_core::Operation::Health, far.backend.health()).await)
    }

    /// The far tier, if there is one.
    #[must_use]
    pub fn far(&self) -> Option<&Arc<dyn CacheBackend>> {
        self.engine.far.as_ref().map(|far| &far.backend)
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.engine.clock
    }
}

impl Engine {
    pub(crate) fn key_prefix(&self, label: &str) -> larder_core::KeyBuilder {
        Key::builder(KeySpace::Query).text(&self.namespace).text(label)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("near", &self.engine.near.as_ref().map(NearTier::stats))
            .field("far", &self.far())
            .field("limits", &self.engine.limits)
            .finish_non_exhaustive()
    }
}
