//! How many tables are remembered, and which handles are of one database.
//!
//! Invariants: there are never more tables than the limit once a check has ended; handles of one
//! identity share what they know for as long as one of them lives; nothing here is on the path of
//! a hit.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use larder_core::Clock;

use crate::database::{Database, Held};

/// Bounds how many tables are remembered, over all databases that belong to it.
///
/// A table is one model in one database. When there are too many, those go first that nobody has
/// used since it was last looked, and among them those that were verified longest ago. Forgetting
/// a table costs its next use a check, nothing else.
///
/// Handles of one database share what they know, whatever URLs led to it: they find each other
/// here, by the identity of the database, for as long as one of them lives.
#[derive(Debug)]
pub struct SchemaCache {
    max_size: usize,
    held: AtomicUsize,
    /// Raised by every verification: what was verified earlier has a smaller number.
    order: AtomicU64,
    databases: Mutex<Databases>,
    /// One eviction at a time.
    evicting: Mutex<()>,
}

#[derive(Debug, Default)]
struct Databases {
    by_identity: HashMap<Arc<str>, Weak<Database>>,
    all: Vec<Weak<Database>>,
    /// Looked for those that are gone when there are this many.
    prune_at: usize,
}

/// How many tables the process remembers unless told otherwise.
const MAX_SIZE: usize = 10_000;

/// One place in so many is made free beyond what is needed, if it is idle: then the next
/// evictions need no look at every table.
const SPARE_SHARE: usize = 16;

impl SchemaCache {
    /// A cache of at most so many tables; 0 remembers nothing.
    #[must_use]
    pub fn new(max_size: usize) -> Arc<Self> {
        Arc::new(Self {
            max_size,
            held: AtomicUsize::new(0),
            order: AtomicU64::new(0),
            databases: Mutex::default(),
            evicting: Mutex::new(()),
        })
    }

    /// The cache that all databases of the process share unless told otherwise: 10,000 tables.
    #[must_use]
    pub fn process() -> Arc<Self> {
        static PROCESS: OnceLock<Arc<SchemaCache>> = OnceLock::new();
        Arc::clone(PROCESS.get_or_init(|| Self::new(MAX_SIZE)))
    }

    /// How many tables it remembers at most.
    #[must_use]
    pub const fn max_size(&self) -> usize {
        self.max_size
    }

    /// How many tables it remembers now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The database of this identity; without one, a database that nobody else finds.
    pub(crate) fn database(
        self: &Arc<Self>,
        identity: Option<&str>,
        clock: &Arc<dyn Clock>,
    ) -> Arc<Database> {
        let mut databases = self.lock();
        let known = identity.and_then(|identity| databases.by_identity.get(identity));
        if let Some(database) = known.and_then(Weak::upgrade) {
            return database;
        }
        let identity: Option<Arc<str>> = identity.map(Arc::from);
        let database = Database::new(Arc::clone(self), identity.clone(), Arc::clone(clock));
        let database = Arc::new(database);
        databases.prune();
        databases.all.push(Arc::downgrade(&database));
        if let Some(identity) = identity {
            databases.by_identity.insert(identity, Arc::downgrade(&database));
        }
        database
    }

    /// The number of a verification.
    pub(crate) fn next_order(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn added(&self, tables: usize) {
        self.held.fetch_add(tables, Ordering::Relaxed);
    }

    pub(crate) fn removed(&self, tables: usize) {
        self.held.fetch_sub(tables, Ordering::Relaxed);
    }

    /// Forgets tables until there are not too many. Not to be called with a database's lock.
    pub(crate) fn enforce(&self) {
        if self.len() <= self.max_size {
            return;
        }
        // Every critical section leaves nothing half done.
        let _turn = self.evicting.lock().unwrap_or_else(PoisonError::into_inner);
        let databases: Vec<_> = self.lock().all.iter().filter_map(Weak::upgrade).collect();
        let held = databases.iter().enumerate();
        let mut held: Vec<(usize, Held)> = held
            .flat_map(|(at, database)| database.held().into_iter().map(move |held| (at, held)))
            .collect();
        let needed = held.len().saturating_sub(self.max_size);
        held.sort_unstable_by_key(|(_, held)| (!held.is_idle, held.order));
        let spare = self.max_size / SPARE_SHARE;
        let is_out = |(place, (_, held)): &(usize, &(usize, Held))| {
            *place < needed || (held.is_idle && *place < needed + spare)
        };
        let out = held.iter().enumerate().take_while(is_out).count();
        let (out, kept) = held.split_at(out);
        for (at, held) in out {
            databases[*at].evict(held);
        }
        for (at, held) in kept {
            databases[*at].set_idle(held);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Databases> {
        // Every critical section leaves the lists whole.
        self.databases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Databases {
    /// Drops what is left of databases without a handle, now and then.
    fn prune(&mut self) {
        if self.all.len() < self.prune_at {
            return;
        }
        self.all.retain(|database| database.strong_count() > 0);
        self.by_identity.retain(|_, database| database.strong_count() > 0);
        self.prune_at = (2 * self.all.len()).max(64);
    }
}
