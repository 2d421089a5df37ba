//! Connections for reading: a bounded number of seats, each used by one thread at a time.
//!
//! Invariants: a seat's lock is held for one statement and never across an await; every
//! connection is owned by the backend and closed with it, whatever became of the threads that
//! used it; a connection to a file that was replaced is never used again.

use std::sync::{
    Mutex, MutexGuard, PoisonError, TryLockError,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use larder_core::{Key, Snapshot, Tag};
use larder_sqlite_file::{
    FileOptions, is_busy,
    rusqlite::{self, Connection},
};

use crate::{
    SqliteConfig, batch::now, error::Trouble, shared::Shared, snapshot, store::reading_options,
};

#[derive(Debug)]
pub(crate) struct Readers {
    options: FileOptions,
    seats: Box<[Seat]>,
}

/// On cache lines of its own, so that threads on different seats do not slow each other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Seat {
    reader: Mutex<Option<Reader>>,
    reads: AtomicU64,
    found: AtomicU64,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// The number of the file that it reads, see [`Presence`](crate::shared::Presence).
    file: u64,
}

/// Threads are numbered as they come; a thread prefers the seat of its number, and so finds a
/// connection whose pages it used before.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = THREADS.fetch_add(1, Relaxed);
}

impl Readers {
    pub(crate) fn new(config: &SqliteConfig) -> Self {
        Self {
            options: reading_options(config),
            seats: (0..config.readers_max).map(|_| Seat::default()).collect(),
        }
    }

    /// Reads one entry with its tags.
    pub(crate) fn read(
        &self,
        shared: &Shared,
        key: &Key,
        tags: &[Tag],
    ) -> Result<Snapshot, Trouble> {
        self.with(shared, |seat, connection| {
            let now = || now(&shared.config);
            let snapshot = snapshot::read(connection, key, tags, now)?;
            seat.count(&snapshot);
            Ok(snapshot)
        })
    }

    /// Reads several entries on one connection, in one read transaction.
    pub(crate) fn read_many(
        &self,
        shared: &Shared,
        requests: &[(Key, Vec<Tag>)],
    ) -> Result<Vec<Snapshot>, Trouble> {
        self.with(shared, |seat, connection| {
            // Dropped, it is rolled back, which is as good an end as any after reading.
            let transaction = connection.unchecked_transaction()?;
            let mut snapshots = Vec::with_capacity(requests.len());
            for (key, tags) in requests {
                let snapshot = snapshot::read(&transaction, key, tags, || now(&shared.config))?;
                seat.count(&snapshot);
                snapshots.push(snapshot);
            }
            Ok(snapshots)
        })
    }

    /// Runs anything else that reads.
    pub(crate) fn query<T>(
        &self,
        shared: &Shared,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        self.with(shared, |_, connection| work(connection))
    }

    /// How many entries were asked for, and how many found.
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.seats.iter().fold((0, 0), |(reads, found), seat| {
            (reads + seat.reads.load(Relaxed), found + seat.found.load(Relaxed))
        })
    }

    /// Closes every connection.
    pub(crate) fn close(&self) {
        for seat in &self.seats {
            *seat.lock() = None;
        }
    }

    fn with<T>(
        &self,
        shared: &Shared,
        work: impl FnOnce(&Seat, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        if shared.presence.is_closed() {
            return Err(Trouble::Closed);
        }
        let Some(file) = shared.presence.current() else {
            return Err(Trouble::Gone);
        };
        let (seat, mut guard) = self.sit_down();
        let reader = match &mut *guard {
            Some(reader) if reader.file == file => reader,
            stale => {
                // The old connection goes first: it may be the last one to the old file.
                *stale = None;
                let connection = self.options.open()?;
                stale.insert(Reader { connection, file })
            }
        };
        let outcome = work(seat, &reader.connection);
        if let Err(error) = &outcome
            && !is_busy(error)
        {
            // Whatever it was, a new connection has the better chance.
            *guard = None;
        }
        Ok(outcome?)
    }

    fn sit_down(&self) -> (&Seat, MutexGuard<'_, Option<Reader>>) {
        let preferred = THREAD.with(|number| number % self.seats.len());
        let (before, after) = self.seats.split_at(preferred);
        for seat in after.iter().chain(before) {
            match seat.reader.try_lock() {
                Ok(guard) => return (seat, guard),
                Err(TryLockError::Poisoned(poison)) => return (seat, poison.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let seat = &self.seats[preferred];
        (seat, seat.lock())
    }
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Option<Reader>> {
        // A connection has no state between statements that a panic could leave half done.
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called with the seat's lock held, so that nobody else adds at the same time.
    fn count(&self, snapshot: &Snapshot) {
        let add = |counter: &AtomicU64, more| counter.store(counter.load(Relaxed) + more, Relaxed);
        add(&self.reads, 1);
        add(&self.found, u64::from(snapshot.value.is_some()));
    }
}
