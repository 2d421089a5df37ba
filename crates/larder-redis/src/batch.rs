//! Reads that come at the same time share a command.
//!
//! Guards the latency of a read that comes alone: it is sent at once, by its own caller. Only
//! while another read is on its way does one wait, and no longer than it takes the tasks that are
//! ready to run to say what they want to read, too.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use larder_core::{Key, Snapshot, Tag};
use tokio::sync::oneshot;

use crate::{error::Trouble, reads::OwnedRequest, store::Store};

/// The reads that are under way, and those that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    under_way: AtomicUsize,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    request: OwnedRequest,
    answer: oneshot::Sender<Result<Snapshot, Trouble>>,
}

/// A read under way, for as long as its caller waits.
struct Passage<'a>(&'a AtomicUsize);

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Reads {
    /// Reads one entry, alone or with others.
    ///
    /// # Cancel safety
    /// Safe; the others are not disturbed.
    pub(crate) async fn read(
        &self,
        store: &Arc<Store>,
        key: &Key,
        tags: &[Tag],
    ) -> Result<Snapshot, Trouble> {
        let others = self.under_way.fetch_add(1, Relaxed);
        let _passage = Passage(&self.under_way);
        if others == 0 {
            return store.read_one(key, tags).await;
        }
        let (answer, answered) = oneshot::channel();
        let is_first = self.wait(Waiting { request: OwnedRequest::new(key, tags), answer });
        if is_first {
            let store = Arc::clone(store);
            // In a task of its own, because others depend on it when this caller gives up.
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                store.reads.send(&store).await;
            });
        }
        answered.await.unwrap_or(Err(Trouble::Closed))
    }

    /// Joins those who wait; whether nobody did.
    fn wait(&self, waiting: Waiting) -> bool {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(waiting);
        queue.len() == 1
    }

    /// Sends everything that waits.
    async fn send(&self, store: &Arc<Store>) {
        let waiting = {
            let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *queue)
        };
        let max = store.settings.config.read_batch_max;
        let mut rest = waiting.into_iter();
        loop {
            let batch: Vec<_> = rest.by_ref().take(max).collect();
            if batch.is_empty() {
                return;
            }
            let store = Arc::clone(store);
            if rest.len() == 0 {
                return exchange(&store, batch).await;
            }
            tokio::spawn(async move { exchange(&store, batch).await });
        }
    }
}

async fn exchange(store: &Store, batch: Vec<Waiting>) {
    let requests: Vec<_> = batch.iter().map(|waiting| waiting.request.borrow()).collect();
    let snapshots = store.read_batch(&requests).await;
    // Who no longer listens is no concern.
    match snapshots {
        Ok(snapshots) => {
            for (waiting, snapshot) in batch.into_iter().zip(snapshots) {
                let _ = waiting.answer.send(Ok(snapshot));
            }
        }
        Err(trouble) => {
            for waiting in batch {
                let _ = waiting.answer.send(Err(trouble.clone()));
            }
        }
    }
}
