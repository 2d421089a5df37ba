//! Families: entries of one type under one label, and the calls that users make.

use std::{fmt, future::Future, marker::PhantomData, sync::Arc};

use larder_core::{Key, KeyBuilder, Tag, Tick};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::{
    Args, Cached, Invalidation, LoadError, Loaded, Lookup, PayloadCodec, Source, Tier, TtlPolicy,
    cache::Engine,
    entry::Entry,
    invalidation::invalidate,
    pending::What,
    request::{self, Mode},
    stats::Keyspace,
};

/// Near hits are timed once in this many.
const SAMPLE_EVERY: u64 = 1_024;

/// Entries of one type: where they are counted, how long they live, what they depend on.
///
/// Cloning is cheap and shares everything.
pub struct Family<T> {
    pub(crate) inner: Arc<Inner<T>>,
    pub(crate) policy: TtlPolicy,
}

pub(crate) struct Inner<T> {
    pub(crate) engine: Arc<Engine>,
    pub(crate) label: Box<str>,
    /// The identity that near entries are compared with.
    pub(crate) id: u64,
    /// The seed of near hashes; like the identity, a digest that nobody outside can predict.
    seed: u64,
    key: KeyBuilder,
    pub(crate) tags: Box<[Tag]>,
    pub(crate) codec: PayloadCodec<T>,
    pub(crate) keyspace: Arc<Keyspace>,
}

/// Describes a [`Family`]. Made by [`Cache::family`](crate::Cache::family).
#[must_use]
pub struct FamilyBuilder<T> {
    engine: Arc<Engine>,
    label: Box<str>,
    codec: PayloadCodec<T>,
    key: KeyBuilder,
    tags: Vec<Tag>,
    policy: TtlPolicy,
    value: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> FamilyBuilder<T> {
    pub(crate) fn new(engine: Arc<Engine>, label: &str, codec: PayloadCodec<T>) -> Self {
        let key = engine
            .key_prefix(label)
            .text(std::any::type_name::<T>())
            .number(u64::from(codec.codec.0))
            .number(codec.schema);
        Self {
            engine,
            label: label.into(),
            codec,
            key,
            tags: Vec::new(),
            policy: TtlPolicy::default(),
            value: PhantomData,
        }
    }

    /// Adds a part to the identity: entries of families with different parts never meet, even
    /// under one label. The label then only says where they are counted together.
    pub fn part(mut self, part: &str) -> Self {
        self.key = self.key.text(part);
        self
    }

    /// Adds tags that every entry of the family carries. Their order counts.
    pub fn tags(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// Sets how long entries live. Default: [`TtlPolicy::default`].
    pub const fn ttl(mut self, policy: TtlPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The finished family.
    #[must_use]
    pub fn build(self) -> Family<T> {
        let mut key = self.key.number(self.tags.len() as u64);
        for tag in &self.tags {
            key = key.bytes(tag.as_bytes());
        }
        let digest = *key.clone().finish().digest();
        let mixed = xxh3_128_with_seed(&digest, self.engine.secret).to_be_bytes();
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = mixed;
        let id = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let seed = u64::from_be_bytes([i, j, k, l, m, n, o, p]);
        let keyspace = self.engine.registry.keyspace(&self.label);
        Family {
            inner: Arc::new(Inner {
                engine: self.engine,
                label: self.label,
                id,
                seed,
                key,
                tags: self.tags.into(),
                codec: self.codec,
                keyspace,
            }),
            policy: self.policy,
        }
    }
}

impl<T: Send + Sync + 'static> Family<T> {
    /// The same family with another lifetime for what is loaded from now on.
    #[must_use]
    pub fn with_ttl(&self, policy: TtlPolicy) -> Self {
        Self { inner: Arc::clone(&self.inner), policy }
    }

    /// The label under which the family is counted.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.inner.label
    }

    /// The key under which the far tier stores an entry.
    #[must_use]
    pub fn key(&self, args: Args<'_>) -> Key {
        self.inner.key(args)
    }

    /// Returns the entry if the near tier holds it and may serve it now. Asks nobody, waits for
    /// nothing, allocates nothing.
    #[inline(always)]
    #[must_use]
    pub fn peek<'a>(&self, args: impl Into<Args<'a>>) -> Option<Lookup<T>> {
        let inner = &*self.inner;
        let args = args.into();
        let entry = inner.near_hit(args)?;
        let keyspace = &*inner.keyspace;
        if keyspace.near_hits.increment().is_multiple_of(SAMPLE_EVERY) {
            inner.sample(args);
        }
        let latency = keyspace.near_latency();
        Some(Lookup { entry, source: Source::Hit(Tier::Near), latency })
    }

    /// Returns the entry, or loads and stores it. See [`Family::get_or_load_optional`] for loads
    /// that may find nothing.
    ///
    /// `load` is called only on a miss, and its future runs in a task of its own: at most one
    /// per entry and process at a time, and, with a far tier, at most one per entry across all
    /// processes as long as its lease holds.
    ///
    /// # Errors
    /// [`LoadError`]: the loader's. The cache's own troubles end in a load.
    ///
    /// # Cancel safety
    /// A load that was started goes on and is stored; others who wait for it are not affected.
    pub async fn get_or_load<'a, E, F>(
        &self,
        args: impl Into<Args<'a>>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Cached<T>, LoadError<E>>
    where
        T: Serialize,
        E: Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let load = || async { load().await.map(|value| Loaded::encode(Some(value))) };
        let lookup = self.get_or_load_with(args, load).await?;
        // Only `get_or_load_optional` on the same entry stores an absence.
        lookup.found().ok_or(LoadError::Absent)
    }

    /// Returns the entry, or loads and stores it; a load that finds nothing is stored as an
    /// absence, with a lifetime of its own.
    ///
    /// # Errors
    /// As [`Family::get_or_load`].
    ///
    /// # Cancel safety
    /// As [`Family::get_or_load`].
    pub async fn get_or_load_optional<'a, E, F>(
        &self,
        args: impl Into<Args<'a>>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Lookup<T>, LoadError<E>>
    where
        T: Serialize,
        E: Send + Sync + 'static,
        F: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        self.get_or_load_with(args, || async { load().await.map(Loaded::encode) }).await
    }

    /// As [`Family::get_or_load_optional`], for loaders that encode by themselves.
    ///
    /// # Errors
    /// As [`Family::get_or_load`].
    ///
    /// # Cancel safety
    /// As [`Family::get_or_load`].
    #[inline]
    pub async fn get_or_load_with<'a, E, F>(
        &self,
        args: impl Into<Args<'a>>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Lookup<T>, LoadError<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        let args = args.into();
        if let Some(hit) = self.peek(args) {
            return Ok(hit);
        }
        // Boxed, so that the future of a hit stays small.
        Box::pin(request::get(self, args, Mode::Get, load)).await
    }

    /// Loads whatever is stored, and stores the result. If the load fails, what was stored in
    /// the far tier stays.
    ///
    /// # Errors
    /// As [`Family::get_or_load`].
    ///
    /// # Cancel safety
    /// As [`Family::get_or_load`].
    pub async fn refresh_with<'a, E, F>(
        &self,
        args: impl Into<Args<'a>>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Lookup<T>, LoadError<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        Box::pin(request::get(self, args.into(), Mode::Refresh, load)).await
    }

    /// As [`Family::refresh_with`], encoding the value.
    ///
    /// # Errors
    /// As [`Family::get_or_load`].
    ///
    /// # Cancel safety
    /// As [`Family::get_or_load`].
    pub async fn refresh<'a, E, F>(
        &self,
        args: impl Into<Args<'a>>,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Lookup<T>, LoadError<E>>
    where
        T: Serialize,
        E: Send + Sync + 'static,
        F: Future<Output = Result<Option<T>, E>> + Send + 'static,
    {
        self.refresh_with(args, || async { load().await.map(Loaded::encode) }).await
    }

    /// Invalidates one entry in both tiers.
    ///
    /// # Cancel safety
    /// The invalidation goes on in a task of its own if the future is dropped after the first
    /// poll.
    pub async fn invalidate<'a>(&self, args: impl Into<Args<'a>>) -> Invalidation {
        let args = args.into();
        if let Some(near) = &self.inner.engine.near {
            near.remove(self.inner.hash(args));
        }
        self.inner.keyspace.invalidations.increment();
        let what = What { keys: [self.key(args)].into(), ..What::default() };
        invalidate(&self.inner.engine, what).await
    }
}

impl<T: Send + Sync + 'static> Inner<T> {
    /// What the entry is found by, in the near tier and among the flights.
    #[inline(always)]
    pub(crate) fn hash(&self, args: Args<'_>) -> u128 {
        let hash = xxh3_128_with_seed(args.bytes, self.seed);
        args.tags
            .iter()
            .fold(hash, |hash, tag| hash.rotate_left(1) ^ u128::from_be_bytes(*tag.as_bytes()))
    }

    pub(crate) fn key(&self, args: Args<'_>) -> Key {
        let mut key = self.key.clone().bytes(args.bytes);
        for tag in args.tags {
            key = key.bytes(tag.as_bytes());
        }
        key.finish()
    }

    /// The near entry of this identity, if it may be served now.
    #[inline(never)]
    pub(crate) fn near_entry(&self, args: Args<'_>) -> Option<Arc<Entry<T>>> {
        self.near_hit(args)
    }

    /// As [`Inner::near_entry`], for the one caller whose nanoseconds count.
    #[inline(always)]
    fn near_hit(&self, args: Args<'_>) -> Option<Arc<Entry<T>>> {
        let engine = &*self.engine;
        // Before the look, so that the processor reads the clock while it computes the hash; the
        // map's lock is a barrier to it.
        let now = engine.clock.coarse();
        let entry = self.near_entry_unverified(args)?;
        let is_live = entry.is_current(&engine.view)
            && (entry.is_settled(now) || self.is_covered_by_feed(&entry, now));
        is_live.then_some(entry)
    }

    #[cold]
    fn is_covered_by_feed(&self, entry: &Entry<T>, now: Tick) -> bool {
        !entry.is_expired(now) && self.engine.view.is_fed(entry.confirmed_at(), now)
    }

    /// The near entry of this identity, in whatever state.
    #[inline(always)]
    pub(crate) fn near_entry_unverified(&self, args: Args<'_>) -> Option<Arc<Entry<T>>> {
        let any = self.engine.near.as_ref()?.get(self.hash(args))?;
        any.downcast::<Entry<T>>().ok().filter(|entry| entry.belongs_to(self.id, args))
    }

    /// Times one near lookup, precisely.
    #[cold]
    fn sample(&self, args: Args<'_>) {
        let before = self.engine.clock.now();
        let again = self.near_entry(args);
        let latency = self.engine.clock.now().since(before);
        drop(again);
        self.keyspace.sample_near(latency);
    }
}

impl<T> Clone for Family<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), policy: self.policy }
    }
}

impl<T> fmt::Debug for Family<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family")
            .field("label", &self.inner.label)
            .field("tags", &self.inner.tags)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for FamilyBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyBuilder").field("label", &self.label).finish_non_exhaustive()
    }
}
