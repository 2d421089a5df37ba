//! What a caller gets back: the value, where it came from, and how long that took.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use crate::entry::Entry;

/// Which tier answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the engine has two tiers")]
pub enum Tier {
    /// Another process or a file.
    Far,
    /// This process.
    Near,
}

/// Where an answer came from. `Display` prints the names of the cache-aside pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// `BYPASS`: loaded without looking at the cache and without storing.
    Bypass,
    /// `CACHE_HIT`: from the given tier.
    Hit(Tier),
    /// `CACHE_MISS`: loaded, by this caller or by one that it waited for.
    Miss,
    /// `CACHE_REFRESH`: loaded because the caller insisted.
    Refresh,
}

impl Source {
    /// Whether the answer came from the cache.
    #[must_use]
    pub const fn is_hit(self) -> bool {
        matches!(self, Self::Hit(_))
    }

    /// The tier that answered, if one did.
    #[must_use]
    pub const fn tier(self) -> Option<Tier> {
        match self {
            Self::Hit(tier) => Some(tier),
            Self::Bypass | Self::Miss | Self::Refresh => None,
        }
    }

    /// The name in the cache-aside pattern; both tiers are `CACHE_HIT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "BYPASS",
            Self::Hit(_) => "CACHE_HIT",
            Self::Miss => "CACHE_MISS",
            Self::Refresh => "CACHE_REFRESH",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An answer that may be an absence.
///
/// Cloning shares the value.
pub struct Lookup<T> {
    pub(crate) entry: Arc<Entry<T>>,
    pub(crate) source: Source,
    pub(crate) latency: Duration,
}

impl<T> Lookup<T> {
    /// An answer that did not go through the cache.
    #[must_use]
    pub fn bypassed(value: Option<T>, latency: Duration) -> Self {
        Self { entry: Arc::new(Entry::detached(value)), source: Source::Bypass, latency }
    }

    /// The value, or `None` for an absence.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.entry.value.as_ref()
    }

    /// Where the answer came from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// How long the whole call took.
    ///
    /// A near hit costs less than asking for the time twice, so near hits are timed by
    /// sampling: the first of each keyspace and thread stripe, then one in 1,024. Every near
    /// hit reports the latest sample of its keyspace.
    #[must_use]
    pub const fn latency(&self) -> Duration {
        self.latency
    }

    /// The answer as one that is known to have a value.
    #[must_use]
    #[inline(always)]
    pub fn found(self) -> Option<Cached<T>> {
        self.entry.value.is_some().then_some(Cached(self))
    }
}

impl<T> Clone for Lookup<T> {
    fn clone(&self) -> Self {
        Self { entry: Arc::clone(&self.entry), source: self.source, latency: self.latency }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lookup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("value", &self.value())
            .field("source", &self.source)
            .field("latency", &self.latency)
            .finish()
    }
}

/// A value, where it came from, and how long that took. Dereferences to the value.
///
/// Cloning shares the value.
pub struct Cached<T>(Lookup<T>);

impl<T> Cached<T> {
    /// The value.
    #[must_use]
    #[inline]
    pub fn value(&self) -> &T {
        match &self.0.entry.value {
            Some(value) => value,
            // `Lookup::found` makes the only `Cached` there are, from entries with a value, and
            // an entry's value never changes.
            None => unreachable!("a `Cached` is made of an entry with a value"),
        }
    }

    /// Where the value came from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.0.source()
    }

    /// How long the whole call took; see [`Lookup::latency`].
    #[must_use]
    pub const fn latency(&self) -> Duration {
        self.0.latency()
    }
}

impl<T> Deref for Cached<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value()
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("value", self.value())
            .field("source", &self.source())
            .field("latency", &self.latency())
            .finish()
    }
}
