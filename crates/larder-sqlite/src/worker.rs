//! The writing thread: drains the queue into transactions, sweeps, and sees that the file is
//! still there.
//!
//! Invariants: writes are done in the order in which they were queued; one write that fails by
//! itself does not take the others of its transaction with it.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use larder_core::Tick;
use larder_sqlite_file::{
    FileIdentity, Retry, immediate, is_busy,
    rusqlite::{self, Connection},
};

use crate::{
    SqliteConfig,
    batch::Batch,
    counters::Tally,
    error::Trouble,
    job::Job,
    shared::Shared,
    store::open_for_writing,
    sweep::{self, Litter},
    writer::Task,
};

/// The bytes of values at which a transaction is closed although more writes wait.
const BATCH_BYTES: usize = 4 << 20;

/// How long a write may still wait for the lock once the backend is being dropped.
const CLOSING_WAIT: Duration = Duration::from_secs(1);

/// How often a wait for the lock looks up whether the backend is being dropped.
const WAIT_SLICE: Duration = Duration::from_millis(250);

/// The pause between two sweeps as long as there is more to sweep.
const SWEEP_PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// `None` while the file is gone.
    file: Option<OpenFile>,
    /// How often the file was opened.
    opened: u64,
    swept: Tick,
    /// Whether the last sweep left something.
    littered: bool,
    lease_cursor: i64,
}

#[derive(Debug)]
struct OpenFile {
    connection: Connection,
    identity: Option<FileIdentity>,
}

impl Worker {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, Trouble> {
        let mut worker = Self {
            swept: shared.config.clock.now(),
            shared,
            file: None,
            opened: 0,
            littered: true,
            lease_cursor: i64::MIN,
        };
        worker.connection()?;
        // The counts of a file that is not new.
        worker.transact(&mut [])?;
        Ok(worker)
    }

    /// Works until every sender is gone and the queue is empty.
    pub(crate) fn run(mut self, queue: &Receiver<Task>) {
        loop {
            match queue.recv_timeout(self.pause()) {
                Ok(task) => self.serve(task, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.sweep_if_due();
        }
    }

    /// The connection, opened anew if the file was removed or replaced.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        let config = &self.shared.config;
        let identity = FileIdentity::of(&config.path);
        if self.file.as_ref().is_some_and(|file| file.identity != identity) {
            tracing::warn!(path = %config.path.display(), "the cache file was replaced");
            self.shared.presence.set(None);
            self.file = None;
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let connection = open_for_writing(config)?;
                let identity = FileIdentity::of(&config.path);
                self.opened += 1;
                self.shared.presence.set(Some(self.opened));
                OpenFile { connection, identity }
            }
        };
        Ok(&mut self.file.insert(file).connection)
    }

    fn pause(&self) -> Duration {
        let interval = self.shared.config.sweep_interval;
        if self.littered { interval.min(SWEEP_PAUSE) } else { interval }
    }

    /// Does one task, and with it whatever waits behind it.
    fn serve(&mut self, task: Task, queue: &Receiver<Task>) {
        let mut jobs = Vec::new();
        let mut weight = 0;
        let mut next = Some(task);
        let mut upkeep = None;
        while let Some(task) = next.take() {
            match task {
                Task::Write(job) => {
                    weight += job.weight();
                    jobs.push(job);
                }
                Task::Upkeep(work) => upkeep = Some(work),
            }
            let full = jobs.len() >= self.shared.config.batch_max || weight >= BATCH_BYTES;
            if upkeep.is_none() && !full {
                next = queue.try_recv().ok();
            }
        }
        if !jobs.is_empty() {
            self.write(jobs);
        }
        if let Some(work) = upkeep {
            work(self);
        }
    }

    fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let outcome = self.transact(&mut jobs);
        match outcome {
            Err(trouble) if trouble.may_be_one_writes_fault() => self.write_singly(jobs),
            outcome => {
                for job in jobs {
                    job.settle(outcome.clone());
                }
            }
        }
    }

    /// Each write in a transaction of its own, so that only those fail which have to.
    fn write_singly(&mut self, jobs: Vec<Box<dyn Job>>) {
        if let Some(file) = &self.file {
            // On a full disk a log that starts over has room again. If it can not, the writes
            // will say so.
            let pragma = "PRAGMA wal_checkpoint(RESTART)";
            let _ = file.connection.query_row(pragma, [], |_| Ok(()));
        }
        for mut job in jobs {
            let outcome = self.transact(std::slice::from_mut(&mut job));
            job.settle(outcome);
        }
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        let shared = Arc::clone(&self.shared);
        let config = &shared.config;
        let connection = self.connection()?;
        let limit = || {
            let closing = shared.presence.is_closed();
            if closing { config.busy_timeout.min(CLOSING_WAIT) } else { config.busy_timeout }
        };
        let tally = locked(connection, config, limit, |batch| {
            jobs.iter_mut().try_for_each(|job| job.run(batch))
        })?;
        shared.counters.add(&tally);
        Ok(())
    }

    fn sweep_if_due(&mut self) {
        let now = self.shared.config.clock.now();
        let interval = self.shared.config.sweep_interval;
        // A clock that stands still sweeps too, because an idle thread asks again and again.
        if !self.littered && now.since(self.swept) < interval && now != self.swept {
            return;
        }
        self.swept = now;
        match self.sweep() {
            Ok(more) => self.littered = more,
            Err(trouble) => {
                self.littered = false;
                tracing::debug!(?trouble, "the sweep is put off");
            }
        }
    }

    fn sweep(&mut self) -> Result<bool, Trouble> {
        let shared = Arc::clone(&self.shared);
        let mut cursor = self.lease_cursor;
        let connection = self.connection()?;
        let litter: Litter = sweep::look(connection, &shared.config, &mut cursor)?;
        let mut more = false;
        if !litter.is_empty() {
            // Sweeping can wait: if the lock is taken, so be it.
            let tally = locked(
                connection,
                &shared.config,
                || Duration::ZERO,
                |batch| {
                    more = batch.sweep(&litter)?;
                    Ok(())
                },
            )?;
            shared.counters.add(&tally);
        }
        self.lease_cursor = cursor;
        Ok(more)
    }
}

/// Runs the work in a transaction, waiting for the lock in slices up to a limit that may change
/// meanwhile.
fn locked(
    connection: &mut Connection,
    config: &SqliteConfig,
    limit: impl Fn() -> Duration,
    mut work: impl FnMut(&mut Batch<'_>) -> rusqlite::Result<()>,
) -> Result<Tally, Trouble> {
    let mut waited = Duration::ZERO;
    loop {
        let slice = WAIT_SLICE.min(limit().saturating_sub(waited));
        let outcome = immediate(connection, &Retry::within(slice), |transaction| {
            let mut batch = Batch::begin(transaction, config)?;
            work(&mut batch)?;
            batch.finish()
        });
        waited += slice;
        match outcome {
            Err(error) if is_busy(&error) && waited < limit() => {}
            outcome => return outcome.map_err(Trouble::from),
        }
    }
}
