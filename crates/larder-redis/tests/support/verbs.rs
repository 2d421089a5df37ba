//! The verbs as the tests use them: they answer, or the test fails.

use std::time::Duration;

use larder_core::{
    CacheBackend as _, Key, Lease, LeaseOutcome, LeaseRequest, Stamp, Tag, WatchEvent, WatchStream,
};
use larder_redis::RedisBackend;

use super::{PATIENCE, eventually, hour};

pub(crate) async fn value(cache: &RedisBackend, key: &Key) -> Option<String> {
    let value = cache.read(key, &[]).await.unwrap().value;
    value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

pub(crate) async fn stamp(cache: &RedisBackend, tag: Tag) -> Option<Stamp> {
    cache.read(&Key::object("only the stamp counts"), &[tag]).await.unwrap().stamps[0]
}

pub(crate) async fn win(cache: &RedisBackend, key: &Key) -> Lease {
    match cache.lease(key, LeaseRequest::new(Duration::from_secs(60))).await.unwrap() {
        LeaseOutcome::Won(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Listens until the feed says that it is alive; whether it said that all is to be forgotten.
pub(crate) async fn hear(feed: &mut WatchStream) -> (bool, Vec<Tag>) {
    let (mut reset, mut tags) = (false, Vec::new());
    loop {
        let next = std::future::poll_fn(|context| feed.as_mut().poll_next(context));
        match tokio::time::timeout(PATIENCE, next).await.expect("the feed speaks") {
            Some(WatchEvent::Alive(_)) => return (reset, tags),
            Some(WatchEvent::Bumped(bumped)) => tags.extend(bumped),
            Some(WatchEvent::Reset) => reset = true,
            None => panic!("the feed ended"),
        }
    }
}

pub(crate) async fn recovered(cache: &RedisBackend) {
    let k = Key::object("after the outage");
    eventually("it works again", async || {
        cache.put(&k, "v".into(), hour()).await.ok()?;
        (cache.read(&k, &[]).await.ok()?.value?.as_ref() == b"v").then_some(())
    })
    .await;
}
