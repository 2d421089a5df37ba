//! The feed of bumped tags: a connection of its own that asks what came after the last bump it
//! saw.
//!
//! Invariant: the tick of an `Alive` event is taken before the file is asked, and the event comes
//! after everything that the answer held. A round that fails is not alive.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{StreamExt as _, stream};
use larder_core::{Clock, Epoch, Tag, WatchEvent, WatchStream};
use larder_sqlite_file::rusqlite::{Connection, Result};

use crate::{
    ReadMode, batch::Meta, error::Trouble, shared::Shared, slot::TagSlot, store::reading_options,
};

/// The most tags that one round reports; beyond that it is cheaper to forget everything.
const ROUND_TAGS_MAX: usize = 1_024;

/// The last number is one more than [`ROUND_TAGS_MAX`].
const BUMPED: &str = "\
SELECT sequence, id, rest FROM generation
WHERE sequence > ?1 AND bumped = 1 ORDER BY sequence LIMIT 1025";

/// Subscribes to what is bumped from now on.
pub(crate) fn watch(
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
) -> std::result::Result<WatchStream, Trouble> {
    let (connection, file) = connect(&shared)?;
    let seen = Seen::from(&Meta::load(&connection)?);
    let watcher =
        Watcher { shared, clock, link: Some(Link { connection, file }), seen: Some(seen) };
    let state = (Some(watcher), VecDeque::new(), false);
    Ok(stream::unfold(state, |(mut watcher, mut events, mut waits)| async move {
        loop {
            if let Some(event) = events.pop_front() {
                return Some((event, (watcher, events, waits)));
            }
            // Without a watcher the backend is gone, and so is everything that could be said.
            let shared = Arc::clone(&watcher.as_ref()?.shared);
            if waits {
                tokio::time::sleep(shared.config.watch_interval).await;
            }
            waits = true;
            watcher = round(watcher?, &mut events).await;
        }
    })
    .boxed())
}

/// One round, where reads are allowed to block.
async fn round(mut watcher: Watcher, events: &mut VecDeque<WatchEvent>) -> Option<Watcher> {
    let (watcher, found) = if watcher.shared.config.reads == ReadMode::Offload {
        let task = tokio::task::spawn_blocking(move || {
            let found = watcher.poll();
            (watcher, found)
        });
        task.await.ok()?
    } else {
        let found = watcher.poll();
        (watcher, found)
    };
    events.extend(found);
    (!watcher.shared.presence.is_closed()).then_some(watcher)
}

struct Watcher {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    link: Option<Link>,
    /// `None` while nothing is known, so that the next answer is a reset.
    seen: Option<Seen>,
}

struct Link {
    connection: Connection,
    /// The number of the file, see [`Presence`](crate::shared::Presence).
    file: u64,
}

/// Where the feed stands.
#[derive(Clone, Copy)]
struct Seen {
    epoch: Epoch,
    namespace: i64,
    sequence: i64,
}

impl From<&Meta> for Seen {
    fn from(meta: &Meta) -> Self {
        Self { epoch: meta.epoch, namespace: meta.namespace, sequence: meta.sequence }
    }
}

impl Watcher {
    fn poll(&mut self) -> Vec<WatchEvent> {
        let tick = self.clock.now();
        match self.ask() {
            Ok(News::Nothing) => vec![WatchEvent::Alive(tick)],
            Ok(News::Bumped(tags)) => vec![WatchEvent::Bumped(tags), WatchEvent::Alive(tick)],
            Ok(News::TooMuch) => vec![WatchEvent::Reset, WatchEvent::Alive(tick)],
            Err(trouble) => {
                tracing::debug!(?trouble, "the feed of bumped tags is interrupted");
                self.link = None;
                // Said once; until the file answers again there is nothing to add.
                let known = self.seen.take().is_some();
                known.then_some(WatchEvent::Reset).into_iter().collect()
            }
        }
    }

    fn ask(&mut self) -> std::result::Result<News, Trouble> {
        let current = self.shared.presence.current();
        if self.link.as_ref().is_some_and(|link| Some(link.file) != current) {
            self.link = None;
        }
        let link = match self.link.take() {
            Some(link) => link,
            None => {
                let (connection, file) = connect(&self.shared)?;
                Link { connection, file }
            }
        };
        let link = self.link.insert(link);
        let (news, seen) = news(&link.connection, self.seen)?;
        self.seen = Some(seen);
        Ok(news)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    Nothing,
    Bumped(Vec<Tag>),
    /// Everything was cleared, or what happened can not be told any more.
    TooMuch,
}

/// What happened since then, and where the feed stands now; both from one read transaction.
fn news(connection: &Connection, last: Option<Seen>) -> Result<(News, Seen)> {
    let transaction = connection.unchecked_transaction()?;
    let meta = Meta::load(&transaction)?;
    let seen = Seen::from(&meta);
    let Some(last) = last.filter(|last| {
        last.epoch == seen.epoch
            && last.namespace == seen.namespace
            && last.sequence >= meta.forgotten
    }) else {
        return Ok((News::TooMuch, seen));
    };
    if last.sequence == seen.sequence {
        return Ok((News::Nothing, seen));
    }
    let mut statement = transaction.prepare_cached(BUMPED)?;
    let rows = statement.query_map([last.sequence], |row| {
        let (id, rest) = (row.get(1)?, row.get(2)?);
        Ok(TagSlot { id, rest }.tag())
    })?;
    let tags = rows.collect::<Result<Vec<_>>>()?;
    let news = match tags.len() {
        0 => News::Nothing,
        1..=ROUND_TAGS_MAX => News::Bumped(tags),
        _ => News::TooMuch,
    };
    Ok((news, seen))
}

fn connect(shared: &Shared) -> std::result::Result<(Connection, u64), Trouble> {
    let file = shared.presence.current().ok_or(Trouble::Gone)?;
    let connection = reading_options(&shared.config).open()?;
    Ok((connection, file))
}
