//! The feed of invalidations from the far tier into the local view.
//!
//! Invariant: while the feed is alive, a near entry is stale for no longer than the staleness
//! bound; when it is not, near entries are verified one by one instead.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::StreamExt as _;
use larder_core::{Operation, Tick, WatchEvent, WatchStream};
use tokio::task::JoinHandle;

use crate::cache::Engine;

/// The task that follows the feed; ends when dropped.
pub(crate) struct FeedTask(JoinHandle<()>);

const RECONNECT_FIRST: Duration = Duration::from_millis(100);
const RECONNECT_LAST: Duration = Duration::from_secs(10);

impl FeedTask {
    /// Follows the far tier's feed, if it has one and there is a near tier to feed.
    pub(crate) fn spawn(engine: &Arc<Engine>) -> Option<Self> {
        let watches = engine.far.as_ref().is_some_and(|far| far.watches);
        (watches && engine.near.is_some())
            .then(|| Self(tokio::spawn(follow(Arc::downgrade(engine)))))
    }
}

impl Drop for FeedTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(engine: Weak<Engine>) {
    let mut pause = RECONNECT_FIRST;
    loop {
        let Some(stream) = subscribe(&engine).await else {
            return;
        };
        match stream {
            Ok(stream) => {
                pause = RECONNECT_FIRST;
                consume(&engine, stream).await;
            }
            Err(error) => {
                tracing::debug!(%error, "no feed of invalidations");
                pause = (pause * 2).min(RECONNECT_LAST);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn subscribe(engine: &Weak<Engine>) -> Option<larder_core::Result<WatchStream>> {
    let engine = engine.upgrade()?;
    let far = engine.far.as_ref()?;
    let watch = far.backend.watch(Arc::clone(&engine.clock));
    Some(far.insist(Operation::Watch, watch).await)
}

/// Applies the feed until it ends.
async fn consume(engine: &Weak<Engine>, mut stream: WatchStream) {
    // What was bumped before the subscription was never heard of.
    apply(engine, &WatchEvent::Reset);
    while let Some(event) = stream.next().await {
        if !apply(engine, &event) {
            return;
        }
    }
    if let Some(engine) = engine.upgrade() {
        engine.view.feed_since(Tick::NEVER);
    }
}

/// `false` if the cache is gone.
fn apply(engine: &Weak<Engine>, event: &WatchEvent) -> bool {
    let Some(engine) = engine.upgrade() else {
        return false;
    };
    match event {
        WatchEvent::Alive(since) => engine.view.feed_until(since.after(engine.limits.staleness)),
        WatchEvent::Bumped(tags) => engine.view.bump(tags),
        WatchEvent::Reset => engine.view.feed_since(engine.clock.now()),
    }
    true
}
