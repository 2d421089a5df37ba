//! A write on its way to the writing thread and its answer on the way back.
//!
//! Invariant: the answer leaves only after the commit; nobody who stopped listening for it
//! changes what is written.

use larder_sqlite_file::rusqlite::Result;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{batch::Batch, error::Trouble};

/// A write that waits for its transaction.
pub(crate) trait Job: Send {
    /// The bytes that it brings.
    fn weight(&self) -> usize;

    /// Does its part of a transaction. Runs again if the transaction came to nothing.
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<()>;

    /// Says what became of it.
    fn settle(self: Box<Self>, outcome: std::result::Result<(), Trouble>);
}

pub(crate) struct Write<F, T> {
    work: F,
    weight: usize,
    value: Option<T>,
    reply: oneshot::Sender<std::result::Result<T, Trouble>>,
    /// A place in the queue, given back when the write is settled.
    _place: OwnedSemaphorePermit,
}

impl<F, T> Write<F, T>
where
    F: FnMut(&mut Batch<'_>) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    pub(crate) fn boxed(
        work: F,
        weight: usize,
        reply: oneshot::Sender<std::result::Result<T, Trouble>>,
        place: OwnedSemaphorePermit,
    ) -> Box<dyn Job> {
        Box::new(Self { work, weight, value: None, reply, _place: place })
    }
}

impl<F, T> Job for Write<F, T>
where
    F: FnMut(&mut Batch<'_>) -> Result<T> + Send,
    T: Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> Result<()> {
        self.value = Some((self.work)(batch)?);
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: std::result::Result<(), Trouble>) {
        let Self { value, reply, .. } = *self;
        // Nobody listening is no error: the caller's future was dropped.
        let _ = reply.send(outcome.and_then(|()| value.ok_or(Trouble::Closed)));
    }
}
