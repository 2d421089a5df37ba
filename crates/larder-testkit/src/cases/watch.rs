//! The feed delivers every bump before it claims to be alive, or says that it lost something.

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt as _;
use larder_core::{Tag, Tick, WatchEvent, WatchStream};

use crate::{
    Fixture,
    bench::{Bench, Handle, key},
};

/// How long a feed may keep silent. Far beyond any interval of [`WatchEvent::Alive`].
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// What a feed delivered until it said that it was alive at some tick.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    tags: BTreeSet<Tag>,
    reset: bool,
}

impl Heard {
    /// Whether a near tier that listened has dropped what depends on these tags.
    pub(crate) fn covers(&self, tags: &[Tag]) -> bool {
        self.reset || tags.iter().all(|tag| self.tags.contains(tag))
    }
}

async fn next(feed: &mut WatchStream) -> WatchEvent {
    match tokio::time::timeout(SILENCE_MAX, feed.next()).await {
        Ok(Some(event)) => event,
        Ok(None) => panic!("the feed ended"),
        Err(_elapsed) => panic!("the feed kept silent for {SILENCE_MAX:?}"),
    }
}

/// Listens until the feed claims to have delivered everything that was acknowledged by `tick`.
pub(crate) async fn listen_until(feed: &mut WatchStream, tick: Tick) -> Heard {
    let mut heard = Heard::default();
    loop {
        match next(feed).await {
            WatchEvent::Alive(alive) if alive >= tick => return heard,
            WatchEvent::Alive(_) => {}
            WatchEvent::Bumped(tags) => heard.tags.extend(tags),
            WatchEvent::Reset => heard.reset = true,
        }
    }
}

/// A tick after everything that was acknowledged so far.
pub(crate) async fn after_now(bench: &Bench<'_>) -> Tick {
    bench.time.pass(Duration::from_millis(1)).await;
    bench.now()
}

/// Subscribes and waits until the feed is alive, so that nothing bumped later can precede it.
pub(crate) async fn subscribe(bench: &Bench<'_>, cache: &Handle) -> WatchStream {
    let mut feed = cache.watch(bench.clock()).await;
    let tick = after_now(bench).await;
    listen_until(&mut feed, tick).await;
    feed
}

/// A bump is heard before the feed claims to be alive at a later tick.
pub async fn a_bump_is_heard_before_the_feed_is_alive(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a"), Tag::named("b"), Tag::named("c")];
    let mut feed = subscribe(&bench, &bench.cache).await;
    for round in 0..3 {
        bench.cache.bump(&tags[..2]).await;
        bench.cache.bump(&tags[2..]).await;
        let tick = after_now(&bench).await;
        let heard = listen_until(&mut feed, tick).await;
        assert!(heard.covers(&tags), "round {round}: {heard:?}");
    }
}

/// What is bumped after `watch` returned is heard, however soon.
pub async fn a_feed_hears_from_its_first_moment_on(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a")];
    let mut feed = bench.cache.watch(bench.clock()).await;
    bench.cache.bump(&tags).await;
    let tick = after_now(&bench).await;
    let heard = listen_until(&mut feed, tick).await;
    assert!(heard.covers(&tags), "{heard:?}");
}

/// Everybody who watches hears every bump.
pub async fn all_feeds_hear_all_bumps(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a")];
    let mut one = subscribe(&bench, &bench.cache).await;
    let mut other = subscribe(&bench, &bench.cache).await;
    bench.cache.bump(&tags).await;
    let tick = after_now(&bench).await;
    for feed in [&mut one, &mut other] {
        let heard = listen_until(feed, tick).await;
        assert!(heard.covers(&tags), "{heard:?}");
    }
}

/// A feed that was dropped disturbs neither the backend nor the other feeds.
pub async fn a_dropped_feed_disturbs_nobody(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [Tag::named("a")];
    let mut stays = subscribe(&bench, &bench.cache).await;
    drop(subscribe(&bench, &bench.cache).await);
    bench.cache.bump(&tags).await;
    bench.cache.put(&key("k"), "value").await;
    Handle::expect(bench.cache.read(&key("k")).await, "value", "after the drop");
    let tick = after_now(&bench).await;
    let heard = listen_until(&mut stays, tick).await;
    assert!(heard.covers(&tags), "{heard:?}");
}

/// A listener that fell far behind hears every bump, or that it must forget all it knows.
pub async fn a_slow_listener_misses_nothing_silently(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let mut feed = subscribe(&bench, &bench.cache).await;
    let named = |i: usize| Tag::named(&format!("tag {i}"));
    let tags: Vec<_> = (0..5_000).map(named).collect();
    for chunk in tags.chunks(2) {
        bench.cache.bump(chunk).await;
    }
    let tick = after_now(&bench).await;
    let heard = listen_until(&mut feed, tick).await;
    assert!(heard.covers(&tags), "bumps were lost without a word");
}

/// `clear` makes every listener forget all it knows.
pub async fn clear_resets_every_feed(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    if !bench.capability.clear {
        bench.skipped("clear is not supported");
        return;
    }
    let mut feed = subscribe(&bench, &bench.cache).await;
    bench.cache.clear().await;
    let tick = after_now(&bench).await;
    let heard = listen_until(&mut feed, tick).await;
    assert!(heard.reset, "{heard:?}");
}
