//! What a backend says about itself: epoch, health, counts, and nothing about anybody's data.

use larder_core::{ErrorKind, FillOutcome, ReadRequest, Tag};

use crate::{
    Fixture,
    bench::{Bench, LONG, answered, key, ttl},
};

/// An open handle has one epoch, and every answer carries it.
pub async fn the_epoch_does_not_change_while_open(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k, tags) = (&bench.cache, key("k"), [Tag::named("t")]);
    let (whole, node) = (cache.epoch().await, cache.snapshot(&k, &tags).await.epoch);
    let stamp = cache.generations(&tags).await[0];
    cache.put(&k, "value").await;
    // One key, because another one may be on another node.
    let other = key("other");
    let lease = cache.win(&other).await;
    cache.remove(&other).await;
    assert_eq!(cache.win(&other).await.epoch, lease.epoch);
    cache.bump(&tags).await;
    cache.remove(&k).await;

    assert_eq!(cache.epoch().await, whole);
    assert_eq!(cache.snapshot(&k, &tags).await.epoch, node);
    assert_eq!(cache.generations(&tags).await[0].epoch, stamp.epoch);
}

/// Health is a real round trip that names what answered.
pub async fn health_says_what_answered(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let health = answered(bench.cache.0.health().await);
    assert!(!health.server.trim().is_empty(), "nothing is named");
    assert!(health.latency < LONG, "{:?}", health.latency);
}

/// The counts are those of what was done through this handle.
pub async fn stats_count_what_was_done(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k, absent) = (&bench.cache, key("k"), key("absent"));
    let before = cache.0.stats();
    assert_eq!((before.reads, before.puts, before.bumps), (0, 0, 0));

    cache.put(&k, "value").await;
    cache.read(&k).await;
    cache.read(&absent).await;
    let requests = [&k, &absent].map(|key| ReadRequest { key, tags: &[] });
    cache.read_many(&requests).await;
    cache.remove(&k).await;
    cache.remove(&k).await;
    let lease = cache.win(&k).await;
    assert_eq!(cache.fill(&k, &lease, "v").await, FillOutcome::Stored);
    assert_eq!(cache.fill(&k, &lease, "v").await, FillOutcome::Refused);
    cache.remove_many(&[k, absent]).await;
    cache.bump(&[Tag::named("a"), Tag::named("b")]).await;

    let stats = cache.0.stats();
    assert_eq!((stats.reads, stats.found), (4, 2), "reads, found");
    assert_eq!((stats.fills, stats.refused), (1, 1), "fills, refused");
    assert_eq!((stats.puts, stats.removed), (1, 2), "puts, removed");
    assert_eq!((stats.bumps, stats.errors), (2, 0), "bumps, errors");
}

/// What the backend can do does not change while it is open.
pub async fn the_capability_is_constant(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.put(&key("k"), "value").await;
    assert_eq!(bench.cache.0.capability(), bench.capability);
}

/// Neither the backend nor its errors show a key, a tag, a name or a value.
pub async fn nothing_printed_shows_a_key_or_a_value(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k, leased) = (&bench.cache, key("canary-name"), key("canary-leased"));
    let tag = Tag::named("canary-tag");
    cache.put(&k, "canary-value").await;
    cache.bump(&[tag]).await;
    cache.win(&leased).await;

    let mut printed = format!("{:?}\n{0:#?}\n{0}\n", cache.0);
    let health = answered(cache.0.health().await);
    printed += &format!("{health:?}\n");
    if let Some(too_large) = super::sizes::too_large(&bench) {
        let Err(error) = cache.0.put(&k, too_large, ttl(LONG)).await else {
            panic!("a value beyond the limit was stored");
        };
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        printed += &format!("{error}\n{error:?}\n");
    }
    let digests = [k, leased].map(|key| {
        let visible = key.visible().to_string();
        visible.rsplit(':').next().unwrap_or_default().to_owned()
    });
    let [digest, other_digest] = digests;
    for secret in ["canary", &digest, &other_digest, &tag.to_string()] {
        assert!(!printed.contains(secret), "{secret} shows in: {printed}");
    }
    assert!(!cache.0.to_string().trim().is_empty(), "Display is empty");
}
