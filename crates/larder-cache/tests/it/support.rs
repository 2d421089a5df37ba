//! What the engine's tests share: caches over a manual clock, loaders that count.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use larder_cache::{Cache, Family, Near};
use larder_core::{CacheBackend, MemoryBackend, MemoryConfig, Tag};
use larder_testkit::ManualClock;

/// A cache, its clock, and its far tier.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) cache: Cache,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) far: Option<Arc<dyn CacheBackend>>,
    has_near: bool,
}

impl Bench {
    pub(crate) fn near() -> Self {
        Self::of(true, None, ManualClock::new())
    }

    pub(crate) fn far() -> Self {
        let clock = ManualClock::new();
        Self::of(false, Some(memory(&clock)), clock)
    }

    pub(crate) fn both() -> Self {
        let clock = ManualClock::new();
        Self::of(true, Some(memory(&clock)), clock)
    }

    /// Another cache over the same far tier.
    pub(crate) fn another_process(&self) -> Self {
        Self::of(self.has_near, self.far.clone(), Arc::clone(&self.clock))
    }

    pub(crate) fn of(
        has_near: bool,
        far: Option<Arc<dyn CacheBackend>>,
        clock: Arc<ManualClock>,
    ) -> Self {
        let mut builder =
            Cache::builder().clock(Arc::clone(&clock) as _).far_time_limit(Duration::from_secs(5));
        if has_near {
            builder = builder.near(Near::mebibytes(4));
        }
        if let Some(far) = &far {
            builder = builder.far(Arc::clone(far));
        }
        Self { cache: builder.build().unwrap(), clock, far, has_near }
    }

    /// A family of numbers with one tag.
    pub(crate) fn family(&self) -> Family<u32> {
        self.cache.family("number").tags([tag()]).build()
    }
}

fn memory(clock: &Arc<ManualClock>) -> Arc<dyn CacheBackend> {
    Arc::new(MemoryBackend::new(MemoryConfig::default().with_clock(Arc::clone(clock) as _)))
}

pub(crate) fn tag() -> Tag {
    Tag::named("numbers")
}

type Loading = Pin<Box<dyn Future<Output = io::Result<u32>> + Send>>;

/// A loader that returns a number.
pub(crate) fn load(number: u32) -> impl FnOnce() -> Loading + Send + 'static {
    move || Box::pin(async move { Ok(number) })
}

/// A loader that fails, after letting others join.
pub(crate) async fn failing() -> io::Result<u32> {
    tokio::task::yield_now().await;
    Err(io::Error::other("database down"))
}

/// The cached number, or what the loader would bring.
pub(crate) async fn value(family: &Family<u32>, key: &str, loaded: u32) -> u32 {
    *family.get_or_load(key, load(loaded)).await.unwrap()
}

/// Loaders that are counted.
#[derive(Debug, Default)]
pub(crate) struct Counted(Arc<AtomicU32>);

impl Counted {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn loads(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn load(&self, number: u32) -> impl FnOnce() -> Loading + Send + 'static {
        let loads = Arc::clone(&self.0);
        move || {
            loads.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { Ok(number) })
        }
    }

    /// A loader that takes its time.
    pub(crate) fn slow(&self, number: u32) -> impl FnOnce() -> Loading + Send + 'static {
        let loads = Arc::clone(&self.0);
        move || {
            loads.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(number)
            })
        }
    }
}
