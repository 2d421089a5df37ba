//! A lifetime is kept from one millisecond to ten years: never cut short, never for ever.

use std::time::Duration;

use larder_core::{FillOutcome, Key, LeaseOutcome, Ttl};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
};

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

/// Lifetimes at which servers change their mind, in milliseconds: whole seconds, 2³¹ and 2³²
/// milliseconds, and the thirty days beyond which memcached takes a lifetime for a date.
const LIFETIMES_MS: [u64; 22] = [
    Ttl::MIN.as_millis(),
    2,
    10,
    499,
    500,
    999,
    SECOND,
    SECOND + 1,
    1_500,
    2 * SECOND,
    60 * SECOND,
    DAY,
    i32::MAX as u64,
    i32::MAX as u64 + 1,
    30 * DAY - SECOND,
    30 * DAY,
    30 * DAY + 1,
    30 * DAY + SECOND,
    u32::MAX as u64 + 1,
    365 * DAY,
    Ttl::MAX.as_millis() - 1,
    Ttl::MAX.as_millis(),
];

/// `put` keeps every lifetime.
pub async fn a_put_entry_lives_as_long_as_asked(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let store = async |k: Key, lifetime| bench.cache.put_for(&k, "value", lifetime).await;
    every_lifetime_is_kept(&bench, store).await;
}

/// `fill` keeps every lifetime.
pub async fn a_filled_entry_lives_as_long_as_asked(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let store = async |k: Key, lifetime| {
        let lease = bench.cache.win(&k).await;
        let outcome = bench.cache.fill_for(&k, &lease, "value", lifetime).await;
        assert_eq!(outcome, FillOutcome::Stored);
    };
    every_lifetime_is_kept(&bench, store).await;
}

/// Stores under every lifetime in turn, and looks just before and at its end.
pub(crate) async fn every_lifetime_is_kept(bench: &Bench<'_>, store: impl AsyncFn(Key, Duration)) {
    let lifetimes = LIFETIMES_MS.map(Duration::from_millis);
    let check = |lifetime| is_kept(bench, lifetime, &store);
    if bench.time.is_manual() {
        for lifetime in lifetimes {
            check(lifetime).await;
        }
    } else {
        // Waiting for all of them at once takes as long as the longest.
        futures_util::future::join_all(lifetimes.map(check)).await;
    }
}

async fn is_kept(bench: &Bench<'_>, lifetime: Duration, store: &impl AsyncFn(Key, Duration)) {
    let k = key(&format!("{lifetime:?}"));
    let before = bench.now();
    store(k, lifetime).await;
    let stored = bench.now();
    if bench.time.is_manual() {
        let alive = bench.cache.read(&k).await.is_some();
        assert!(alive, "{lifetime:?}: gone at once");
        bench.time.pass(lifetime - Duration::from_millis(1)).await;
        let alive = bench.cache.read(&k).await.is_some();
        assert!(alive, "{lifetime:?}: gone a millisecond early");
        let rest = bench.longest(lifetime) - (lifetime - Duration::from_millis(1));
        bench.time.pass(rest).await;
        let alive = bench.cache.read(&k).await.is_some();
        assert!(!alive, "{lifetime:?}: lives on");
        return;
    }
    if let Some(remaining) = bench.fixture.remaining(&k).await {
        let (least, most) = (
            lifetime.saturating_sub(bench.now().since(before)),
            bench.longest(lifetime) + bench.margin(),
        );
        assert!(
            remaining <= most && remaining >= least.saturating_sub(bench.margin()),
            "{lifetime:?}: the store says {remaining:?}"
        );
    } else if !bench.can_outlast(lifetime) {
        bench.skipped(&format!("the end of a lifetime of {lifetime:?}"));
    }
    let limit = bench.longest(lifetime) + bench.margin();
    loop {
        let asked = bench.now();
        if bench.cache.read(&k).await.is_none() {
            let lived_at_most = bench.now().since(before);
            // A server that counts whole milliseconds may cut the first one.
            let early = lived_at_most + Duration::from_millis(1) < lifetime;
            assert!(!early, "{lifetime:?}: gone after {lived_at_most:?}");
            return;
        }
        let lived_at_least = asked.since(stored);
        assert!(lived_at_least <= limit, "{lifetime:?}: lives on");
        if !bench.can_outlast(lifetime) {
            return;
        }
        bench.time.pass(Duration::from_millis(5)).await;
    }
}

/// The lifetime of the last put counts, be it shorter or longer than the one before.
pub async fn a_put_starts_the_lifetime_anew(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (shorter, longer) = (key("shorter"), key("longer"));
    bench.cache.put_for(&shorter, "first", LONG).await;
    bench.cache.put_for(&longer, "first", bench.short()).await;
    bench.cache.put_for(&shorter, "second", bench.short()).await;
    bench.cache.put_for(&longer, "second", LONG).await;
    bench.outlast(bench.short()).await;
    assert_eq!(bench.cache.read(&shorter).await, None);
    Handle::expect(bench.cache.read(&longer).await, "second", "put for longer");
}

/// Reading, leasing and a refused fill do not prolong a life.
pub async fn looking_at_an_entry_does_not_prolong_its_life(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let late = cache.win(&k).await;
    cache.put_for(&k, "value", bench.short()).await;
    for _ in 0..3 {
        bench.time.pass(bench.short() / 4).await;
        cache.snapshot(&k, &[]).await;
        cache.lease(&k).await;
        cache.fill(&k, &late, "late").await;
    }
    bench.outlast(bench.short()).await;
    assert_eq!(cache.read(&k).await, None);
}

/// An expired entry is gone for every verb, not only for `read`.
pub async fn an_expired_entry_is_gone_for_every_verb(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let keys = ["read", "remove", "remove_many", "lease", "add", "touch"].map(key);
    for k in &keys {
        cache.put_for(k, "value", bench.short()).await;
    }
    bench.outlast(bench.short()).await;
    let [read, remove, remove_many, lease, add, touch] = keys;
    assert_eq!(cache.read(&read).await, None);
    assert!(!cache.remove(&remove).await, "it had expired");
    assert_eq!(cache.remove_many(&[remove_many]).await, 0, "it had expired");
    assert!(matches!(cache.lease(&lease).await, LeaseOutcome::Won(_)));
    if bench.capability.add {
        assert!(cache.add(&add, "added").await, "it had expired");
        Handle::expect(cache.read(&add).await, "added", "after add");
    }
    if bench.capability.touch {
        assert!(!cache.touch(&touch, LONG).await, "it had expired");
        assert_eq!(cache.read(&touch).await, None, "touch revived it");
    }
}

/// A tag's generation outlives the entries that depend on it.
pub async fn a_generation_outlives_short_entries(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let tags = [larder_core::Tag::named("t")];
    let stamps = bench.cache.generations(&tags).await;
    bench.cache.put_for(&key("k"), "value", bench.short()).await;
    bench.outlast(bench.short()).await;
    assert_eq!(bench.cache.generations(&tags).await, stamps);
}
