//! What a backend's author provides: where its stores are, and how their time passes.

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend, Clock, Key, SystemClock, async_trait};

use crate::ManualClock;

/// One store of a backend under test, and the way to open it.
///
/// A fixture is the *store* (a temporary file, a random namespace on a server); the *handles* on
/// it come from [`Fixture::open`]. Every case creates a fixture of its own, so that cases can run
/// at the same time.
///
/// A fixture panics if it can not do its work: a live service that is missing fails the test.
#[async_trait]
pub trait Fixture: Send + Sync + 'static {
    /// Creates an empty store that nobody else uses.
    async fn create() -> Self
    where
        Self: Sized;

    /// Opens a handle on this store.
    ///
    /// It is called once per case, with two exceptions: the group `shared` opens a second handle
    /// while the first is open, the group `persistent` opens another after the first was closed.
    async fn open(&self) -> Arc<dyn CacheBackend>;

    /// How time passes for this store. Constant over the life of the fixture.
    fn time(&self) -> Time;

    /// Closes a handle, the last one on its store. Default: dropping it is enough.
    async fn close(&self, handle: Arc<dyn CacheBackend>) {
        drop(handle);
    }

    /// Whether entries, leases and generations may vanish while a test runs, although there is
    /// room for all of them. Default: `false`. Only the state machine asks.
    fn may_evict(&self) -> bool {
        false
    }

    /// Asks the store itself how long an entry has yet to live, where it can be asked.
    /// Default: `None`.
    ///
    /// It is how a lifetime of ten years is checked on a server whose time can not be moved:
    /// return [`Duration::MAX`] for an entry that never expires.
    async fn remaining(&self, key: &Key) -> Option<Duration> {
        let _ = key;
        None
    }
}

/// How time passes for a store.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "time can be moved or it can not be moved")]
pub enum Time {
    /// The backend asks this clock, and nothing else, what the time is.
    Manual(Arc<ManualClock>),
    /// A server or a library keeps time by itself. Cases use short lifetimes and wait for them.
    Real(SystemClock),
}

impl Time {
    /// Time that a test moves by hand.
    #[must_use]
    pub fn manual() -> Self {
        Self::Manual(ManualClock::new())
    }

    /// Time that passes by itself.
    #[must_use]
    pub fn real() -> Self {
        Self::Real(SystemClock::new())
    }

    /// Whether [`Time::pass`] costs no time.
    #[must_use]
    pub const fn is_manual(&self) -> bool {
        matches!(self, Self::Manual(_))
    }

    /// The clock to give to the backend, and to measure with.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::Manual(clock) => Arc::<ManualClock>::clone(clock),
            Self::Real(clock) => Arc::new(*clock),
        }
    }

    /// Lets time pass: moves the clock, or waits.
    ///
    /// # Cancel safety
    /// A manual clock has then moved, or has not been asked to; waiting can be given up.
    pub async fn pass(&self, time: Duration) {
        match self {
            Self::Manual(clock) => clock.advance(time),
            Self::Real(_) => tokio::time::sleep(time).await,
        }
    }
}
