//! The heartbeat: renews the lease on a connection of its own while the holder is at work.
//!
//! Invariant: it ends with its holder, at the latest when the holder is dropped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::{Connector, Session, SessionErrorKind, lock::lease, registry::Names};

/// A heartbeat under way.
#[derive(Debug)]
pub(super) struct Heart {
    task: JoinHandle<()>,
    lost: Arc<AtomicBool>,
}

impl Heart {
    /// Begins to renew a lease. `session` is for this alone; without one it is opened when it is
    /// first needed.
    pub(super) fn begin(
        connector: Arc<dyn Connector>,
        session: Option<Box<dyn Session>>,
        names: Names,
        token: i64,
        lease: Duration,
        every: Duration,
    ) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let beat = Beat { connector, session, names, token, lease };
        let task = tokio::spawn(beat.go_on(every, Arc::clone(&lost)));
        Self { task, lost }
    }

    /// Whether another holder came after.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Beat {
    connector: Arc<dyn Connector>,
    session: Option<Box<dyn Session>>,
    names: Names,
    token: i64,
    lease: Duration,
}

impl Beat {
    async fn go_on(mut self, every: Duration, lost: Arc<AtomicBool>) {
        loop {
            tokio::time::sleep(every).await;
            if self.beat().await == Some(false) {
                lost.store(true, Ordering::Release);
                return;
            }
        }
    }

    /// `None`: the database could not be asked; the next beat tries again.
    async fn beat(&mut self) -> Option<bool> {
        if self.session.is_none() {
            self.session = self.connector.connect().await.ok();
        }
        let session = self.session.as_deref_mut()?;
        match lease::renew(session, &self.names, self.token, self.lease).await {
            Ok(is_ours) => Some(is_ours),
            Err(error) => {
                tracing::debug!(%error, "the lease could not be renewed");
                if error.kind() != SessionErrorKind::Busy {
                    self.session = None;
                }
                None
            }
        }
    }
}
