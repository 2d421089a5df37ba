//! The feed of bumped tags within this process.
//!
//! Invariant: a bump is in every open feed before it is acknowledged, and a feed says that it is
//! alive at a tick only after it delivered, or admitted to have lost, all that came before.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use larder_core::{Clock, Tag, WatchEvent, WatchStream};
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

/// How many announcements a listener may lag behind before it has to forget all it knows.
const BACKLOG: usize = 1_024;

/// How often a silent feed says that it is alive.
const ALIVE_INTERVAL: Duration = Duration::from_millis(250);

/// The sending side. No tags at all stand for "everything" on the channel.
#[derive(Debug)]
pub(crate) struct Feed {
    sender: broadcast::Sender<Arc<[Tag]>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self { sender }
    }

    pub(crate) fn announce(&self, tags: &[Tag]) {
        if !tags.is_empty() {
            self.send(tags);
        }
    }

    pub(crate) fn announce_everything(&self) {
        self.send(&[]);
    }

    pub(crate) fn subscribe(&self, clock: Arc<dyn Clock>) -> WatchStream {
        let receiver = self.sender.subscribe();
        stream::unfold((receiver, clock), |(mut receiver, clock)| async {
            let event = next(&mut receiver, &*clock).await?;
            Some((event, (receiver, clock)))
        })
        .boxed()
    }

    fn send(&self, tags: &[Tag]) {
        // Nobody listening is no error.
        let _ = self.sender.send(tags.into());
    }
}

async fn next(
    receiver: &mut broadcast::Receiver<Arc<[Tag]>>,
    clock: &dyn Clock,
) -> Option<WatchEvent> {
    let received = match tokio::time::timeout(ALIVE_INTERVAL, receiver.recv()).await {
        Ok(received) => received,
        Err(_silence) => {
            // The tick comes first: what was announced before it is in the channel by now.
            let tick = clock.now();
            match receiver.try_recv() {
                Err(TryRecvError::Empty) => return Some(WatchEvent::Alive(tick)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Ok(tags) => Ok(tags),
            }
        }
    };
    match received {
        Ok(tags) if tags.is_empty() => Some(WatchEvent::Reset),
        Ok(tags) => Some(WatchEvent::Bumped(tags.to_vec())),
        Err(RecvError::Lagged(_)) => Some(WatchEvent::Reset),
        Err(RecvError::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    use larder_core::Tick;

    use super::*;

    /// A clock that is asked for the time at the very moment at which somebody bumps a tag.
    #[derive(Debug)]
    struct Untimely(Arc<Feed>);

    impl Clock for Untimely {
        fn now(&self) -> Tick {
            self.0.announce(&[Tag::named("late")]);
            Tick::from_nanos(1)
        }

        fn coarse(&self) -> Tick {
            self.now()
        }

        fn coarse_lag(&self) -> Duration {
            Duration::ZERO
        }

        fn unix_millis(&self) -> u64 {
            0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_announced_before_the_tick_comes_before_it() {
        let feed = Arc::new(Feed::new());
        let mut events = feed.subscribe(Arc::new(Untimely(Arc::clone(&feed))));
        let event = events.next().await;
        assert_eq!(event, Some(WatchEvent::Bumped(vec![Tag::named("late")])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_feed_says_that_it_is_alive_and_a_dropped_one_ends() {
        let feed = Feed::new();
        let mut events = feed.subscribe(Arc::new(larder_core::SystemClock::new()));
        assert!(matches!(events.next().await, Some(WatchEvent::Alive(_))));
        drop(feed);
        assert_eq!(events.next().await, None);
    }
}
