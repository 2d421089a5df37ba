//! The handle of the writing thread: a bounded queue, and the end of it.

use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use larder_core::{LeaseOutcome, LeaseRequest, LeaseToken};
use larder_sqlite_file::rusqlite::{self, Connection};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    batch::Batch,
    error::Trouble,
    job::{Job, Write},
    shared::Shared,
    slot::KeySlot,
    worker::Worker,
};

/// What the writing thread is given to do.
pub(crate) enum Task {
    /// A write, to be done in a transaction together with others.
    Write(Box<dyn Job>),
    /// Upkeep that needs the connection for itself.
    Upkeep(Box<dyn FnOnce(&mut Worker) + Send>),
}

#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` only while the writer is being dropped.
    tasks: Option<mpsc::Sender<Task>>,
    /// The places in the queue: what bounds the channel.
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Starts the thread, which opens the file.
    pub(crate) async fn start(shared: Arc<Shared>) -> Result<Self, Trouble> {
        let places = Arc::new(Semaphore::new(shared.config.queue_max));
        let (tasks, queue) = mpsc::channel();
        let (ready, opened) = oneshot::channel();
        let of_thread = Arc::clone(&shared);
        let run = move || match Worker::open(of_thread) {
            Ok(worker) => {
                // If nobody waits for the file any more, the queue is closed as well.
                let _ = ready.send(Ok(()));
                worker.run(&queue);
            }
            Err(trouble) => {
                let _ = ready.send(Err(trouble));
            }
        };
        let thread = thread::Builder::new()
            .name("larder-sqlite".into())
            .spawn(run)
            .map_err(|_no_thread| Trouble::Closed)?;
        let writer = Self { tasks: Some(tasks), places, thread: Some(thread), shared };
        opened.await.unwrap_or(Err(Trouble::Closed))?;
        Ok(writer)
    }

    /// Hands a write over and waits for its commit.
    ///
    /// # Cancel safety
    /// Dropped before there is a place in the queue, nothing was written. Dropped later, the
    /// write takes place as a whole.
    pub(crate) async fn write<T, F>(&self, weight: usize, work: F) -> Result<T, Trouble>
    where
        F: FnMut(&mut Batch<'_>) -> rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(|_closed| Trouble::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.send(Task::Write(Write::boxed(work, weight, reply, place)))?;
        answer.await.unwrap_or(Err(Trouble::Closed))
    }

    /// Asks for a lease; one that is won when the caller no longer listens is given back.
    pub(crate) async fn lease(
        &self,
        slot: KeySlot,
        request: LeaseRequest,
    ) -> Result<LeaseOutcome, Trouble> {
        let token = LeaseToken::random();
        let mut abandoned = Abandoned { writer: self, slot, token: Some(token) };
        let outcome = self.write(0, move |batch| batch.lease(&slot, &request, token)).await;
        abandoned.token = None;
        outcome
    }

    /// Hands a write over without waiting for anything; it is left undone if the queue is full.
    pub(crate) fn write_if_idle<F>(&self, work: F)
    where
        F: FnMut(&mut Batch<'_>) -> rusqlite::Result<()> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let (reply, _nobody) = oneshot::channel();
        // If the thread is gone, so is what this was to clean up after.
        let _ = self.send(Task::Write(Write::boxed(work, 0, reply, place)));
    }

    /// Runs upkeep on the writing thread, between two transactions.
    pub(crate) async fn upkeep<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (reply, answer) = oneshot::channel();
        self.send(Task::Upkeep(Box::new(move |worker| {
            let _ = reply.send(worker.connection().and_then(work));
        })))?;
        answer.await.unwrap_or(Err(Trouble::Closed))
    }

    fn send(&self, task: Task) -> Result<(), Trouble> {
        let tasks = self.tasks.as_ref().ok_or(Trouble::Closed)?;
        tasks.send(task).map_err(|_gone| Trouble::Closed)
    }
}

/// Gives a lease back that may have been won for a caller who no longer listens.
struct Abandoned<'a> {
    writer: &'a Writer,
    slot: KeySlot,
    /// `None` once the caller has the answer.
    token: Option<LeaseToken>,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            let slot = self.slot;
            // Queued behind the request itself. If the queue is full, the lease runs out instead.
            self.writer.write_if_idle(move |batch| batch.release_token(&slot, token).map(drop));
        }
    }
}

impl Drop for Writer {
    /// Lets the thread finish what is queued, and waits for it. From here on it waits for other
    /// processes only briefly.
    fn drop(&mut self) {
        self.shared.presence.close();
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}
