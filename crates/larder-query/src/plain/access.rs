//! The way to the store: time limits, a pause after failures, and the order of stores and
//! invalidations.
//!
//! Guards that a load that began before an invalidation of its key never stores after it, as far
//! as this process goes, and that a store that hangs costs each reader one short wait at most.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use larder_core::{Clock, Error, ErrorKind, Key, Operation, PlainStore, Result, Ttl};
use tokio::{sync::Mutex, time::timeout};

use super::{payload, stats::Counters};
use crate::RowSet;

/// How long an invalidation may take, which is worth waiting for.
const REMOVE_TIME_LIMIT: Duration = Duration::from_secs(5);
/// How long a store is left alone after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// Keys that share a slot wait for each other's stores and forget each other's loads; neither is
/// wrong, only slower.
const SLOTS: usize = 64;

pub(super) struct Access {
    pub(super) store: Arc<dyn PlainStore>,
    pub(super) counters: Counters,
    clock: Arc<dyn Clock>,
    /// The tick until which the store is left alone; 0 while it works.
    paused_until: AtomicU64,
    slots: [Slot; SLOTS],
}

/// What the keys of one slot share.
#[derive(Default)]
struct Slot {
    /// Held while something is stored or removed. An async lock, because that is a round trip.
    order: Mutex<()>,
    /// Changes with every invalidation.
    generation: AtomicU64,
    /// Changes with everything that is stored.
    fills: AtomicU64,
}

/// What a look into the store found.
#[derive(Debug)]
pub(super) enum Look {
    Failed,
    Found(RowSet),
    Nothing,
}

/// What is to be stored, and how long that may take.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) payload: Bytes,
    pub(super) ttl: Ttl,
    pub(super) limit: Duration,
}

impl Access {
    pub(super) fn new(store: Arc<dyn PlainStore>, clock: Arc<dyn Clock>) -> Self {
        let slots = std::array::from_fn(|_| Slot::default());
        let paused_until = AtomicU64::new(0);
        Self { store, counters: Counters::default(), clock, paused_until, slots }
    }

    /// How often invalidations came to this key's slot.
    pub(super) fn generation(&self, key: &Key) -> u64 {
        self.slot(key).generation.load(Ordering::SeqCst)
    }

    /// How often something was stored in this key's slot.
    pub(super) fn fills(&self, key: &Key) -> u64 {
        self.slot(key).fills.load(Ordering::SeqCst)
    }

    pub(super) async fn read(&self, key: &Key, limit: Duration) -> Look {
        if !self.admits() {
            self.counters.skipped.increment();
            return Look::Failed;
        }
        match limited(limit, Operation::Read, self.store.plain_get(key)).await {
            Ok(found) => {
                self.succeeded();
                let Some(stored) = found else { return Look::Nothing };
                payload::decode(&stored).map_or_else(|| self.malformed(), Look::Found)
            }
            Err(error) => {
                self.counters.read_errors.increment();
                self.failed(&error);
                Look::Failed
            }
        }
    }

    fn malformed(&self) -> Look {
        self.counters.malformed.increment();
        tracing::debug!(store = %self.store, "a plain entry is no list of objects");
        Look::Nothing
    }

    /// Stores a payload, unless an invalidation came after the generation was looked at.
    pub(super) async fn store(&self, key: &Key, generation: u64, entry: Entry) {
        if !self.admits() {
            self.counters.skipped.increment();
            return;
        }
        let slot = self.slot(key);
        let stored = {
            let _order = slot.order.lock().await;
            if slot.generation.load(Ordering::SeqCst) != generation {
                self.counters.superseded.increment();
                return;
            }
            let Entry { payload, ttl, limit } = entry;
            limited(limit, Operation::Put, self.store.plain_set(key, payload, ttl)).await
        };
        match stored {
            Ok(()) => {
                slot.fills.fetch_add(1, Ordering::SeqCst);
                self.counters.stored.increment();
                self.succeeded();
            }
            Err(error) => {
                self.counters.store_errors.increment();
                self.failed(&error);
            }
        }
    }

    pub(super) async fn remove(&self, key: &Key) -> Result<bool> {
        let slot = self.slot(key);
        // Before the wait: what is loaded meanwhile need not be stored any more.
        slot.generation.fetch_add(1, Ordering::SeqCst);
        let _order = slot.order.lock().await;
        // Tried also while the store is left alone: an invalidation is never left out.
        limited(REMOVE_TIME_LIMIT, Operation::Remove, self.store.plain_delete(key)).await
    }

    fn slot(&self, key: &Key) -> &Slot {
        let [first, ..] = *key.digest();
        &self.slots[usize::from(first) % SLOTS]
    }

    /// Whether a call may go out now. After a pause one caller tries, and the others wait for
    /// what becomes of it.
    fn admits(&self) -> bool {
        let until = self.paused_until.load(Ordering::Acquire);
        let now = self.clock.now();
        until == 0
            || (now.as_nanos() >= until
                && self
                    .paused_until
                    .compare_exchange(until, self.pause(), Ordering::AcqRel, Ordering::Acquire)
                    .is_ok())
    }

    fn pause(&self) -> u64 {
        self.clock.now().after(PAUSE).as_nanos().max(1)
    }

    fn succeeded(&self) {
        if self.paused_until.swap(0, Ordering::AcqRel) != 0 {
            tracing::info!(store = %self.store, "the plain store answers again");
        }
    }

    fn failed(&self, error: &Error) {
        if !speaks_of_the_store(error.kind()) {
            tracing::warn!(store = %self.store, %error, "a plain entry was not stored");
            return;
        }
        if self.paused_until.swap(self.pause(), Ordering::AcqRel) == 0 {
            tracing::warn!(store = %self.store, %error, "the plain store fails; answers are loaded");
        }
    }
}

/// Whether other calls would fail too: a value that is too large says nothing about others.
const fn speaks_of_the_store(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::InvalidInput | ErrorKind::TooLarge)
}

async fn limited<T>(
    limit: Duration,
    operation: Operation,
    call: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    match timeout(limit, call).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Error::new(ErrorKind::Timeout, "plain", operation)),
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("store", &self.store).finish_non_exhaustive()
    }
}
