//! The feed of bumped tags: what it reports, and that it says so when it can not.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use larder_core::{CacheBackend, Clock, SystemClock, Tag, WatchEvent, WatchStream};
use larder_sqlite::{ReadMode, SqliteBackend, SqliteConfig};
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("cache.db")
    }

    fn config(&self) -> SqliteConfig {
        SqliteConfig::new(self.path())
            .with_watch_interval(Duration::from_millis(5))
            .with_sweep_interval(Duration::from_millis(5))
    }
}

fn tags(numbers: std::ops::Range<usize>) -> Vec<Tag> {
    numbers.map(|number| Tag::named(&number.to_string())).collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    tags: HashSet<Tag>,
    resets: usize,
}

/// Everything that the feed says up to the first proof of life from now on.
async fn hear(feed: &mut WatchStream, clock: &dyn Clock) -> Heard {
    let now = clock.now();
    let mut heard = Heard::default();
    let listen = async {
        while let Some(event) = feed.next().await {
            match event {
                WatchEvent::Alive(tick) if tick >= now => return,
                WatchEvent::Alive(_) => {}
                WatchEvent::Bumped(tags) => heard.tags.extend(tags),
                WatchEvent::Reset => heard.resets += 1,
            }
        }
        panic!("the feed ended");
    };
    tokio::time::timeout(Duration::from_secs(60), listen).await.expect("the feed is silent");
    heard
}

async fn subscribe(backend: &SqliteBackend) -> (WatchStream, Arc<dyn Clock>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    (backend.watch(Arc::clone(&clock)).await.unwrap(), clock)
}

#[tokio::test]
async fn bumps_of_every_handle_are_heard_and_creations_are_not() {
    for reads in [ReadMode::Inline, ReadMode::Offload] {
        let place = Place::new();
        let here = SqliteBackend::open(place.config().with_reads(reads)).await.unwrap();
        let there = SqliteBackend::open(place.config()).await.unwrap();
        let tags = tags(0..4);
        here.bump(&tags[..1]).await.unwrap();
        let (mut feed, clock) = subscribe(&here).await;
        here.generations(&tags).await.unwrap();
        assert_eq!(hear(&mut feed, &*clock).await, Heard::default());
        here.bump(&tags[1..2]).await.unwrap();
        there.bump(&tags[2..3]).await.unwrap();
        let expected = tags[1..3].iter().copied().collect();
        assert_eq!(hear(&mut feed, &*clock).await, Heard { tags: expected, resets: 0 });
    }
}

#[tokio::test]
async fn more_bumps_than_a_round_holds_are_a_reset() {
    let place = Place::new();
    let backend = SqliteBackend::open(place.config()).await.unwrap();
    let (mut feed, clock) = subscribe(&backend).await;
    backend.bump(&tags(0..1_024)).await.unwrap();
    let heard = hear(&mut feed, &*clock).await;
    assert_eq!((heard.tags.len(), heard.resets), (1_024, 0));
    backend.bump(&tags(0..1_025)).await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await.resets, 1);
    backend.bump(&tags(7..8)).await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await.tags.len(), 1);
}

#[tokio::test]
async fn a_bump_that_was_forgotten_before_it_was_heard_is_a_reset() {
    let place = Place::new();
    let config = place.config().with_tags_max(4);
    let backend = SqliteBackend::open(config).await.unwrap();
    let (mut feed, clock) = subscribe(&backend).await;
    backend.bump(&tags(0..1)).await.unwrap();
    backend.generations(&tags(10..14)).await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await.resets, 1);
    // A creation that is forgotten was never to be heard.
    backend.generations(&tags(20..30)).await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await, Heard::default());
}

#[tokio::test]
async fn a_clear_is_a_reset() {
    let place = Place::new();
    let backend = SqliteBackend::open(place.config()).await.unwrap();
    let (mut feed, clock) = subscribe(&backend).await;
    backend.clear().await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await, Heard { resets: 1, ..Heard::default() });
    assert_eq!(hear(&mut feed, &*clock).await, Heard::default());
}

#[cfg(unix)]
#[tokio::test]
async fn a_replaced_file_is_a_reset_and_is_followed() {
    let place = Place::new();
    let backend = SqliteBackend::open(place.config()).await.unwrap();
    let epoch = backend.epoch().await.unwrap();
    let (mut feed, clock) = subscribe(&backend).await;
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{}{suffix}", place.path().display())).unwrap();
    }
    let mut resets = 0;
    while !backend.epoch().await.is_ok_and(|now| now != epoch) {
        resets += hear(&mut feed, &*clock).await.resets;
    }
    resets += hear(&mut feed, &*clock).await.resets;
    assert!(resets > 0, "nobody said that the file is another one");
    backend.bump(&tags(0..1)).await.unwrap();
    assert_eq!(hear(&mut feed, &*clock).await.tags.len(), 1);
}

#[tokio::test]
async fn the_feed_ends_with_its_backend() {
    let place = Place::new();
    let backend = SqliteBackend::open(place.config()).await.unwrap();
    let (mut feed, clock) = subscribe(&backend).await;
    hear(&mut feed, &*clock).await;
    drop(backend);
    let end = async { while feed.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(60), end).await.expect("the feed goes on");
}
