//! `touch` gives an entry a new lifetime and changes nothing else.

use larder_core::{FillOutcome, Key};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
};

use super::ttl::every_lifetime_is_kept;

/// The new lifetime counts from the touch, be it longer or shorter than the old one.
pub async fn touch_starts_the_lifetime_anew(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, longer, shorter) = (&bench.cache, key("longer"), key("shorter"));
    let before = bench.now();
    cache.put_for(&longer, "value", bench.short()).await;
    cache.put_for(&shorter, "value", LONG).await;
    let touched = cache.touch(&longer, LONG).await;
    if bench.now().since(before) < bench.short() {
        assert!(touched, "the entry was there");
    }
    assert!(cache.touch(&shorter, bench.short()).await);
    bench.outlast(bench.short()).await;
    if touched {
        Handle::expect(cache.read(&longer).await, "value", "touched for longer");
    }
    assert_eq!(cache.read(&shorter).await, None);
}

/// What is absent can not be touched into being.
pub async fn touch_of_an_absent_entry_does_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    assert!(!cache.touch(&k, LONG).await, "never stored");
    assert_eq!(cache.read(&k).await, None);
    cache.put(&k, "value").await;
    cache.remove(&k).await;
    assert!(!cache.touch(&k, LONG).await, "removed");
    assert_eq!(cache.read(&k).await, None);
}

/// A lease is no entry: it can not be touched, and touching does not end it.
pub async fn touch_does_not_see_a_lease(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let lease = cache.win(&k).await;
    assert!(!cache.touch(&k, LONG).await);
    assert_eq!(cache.read(&k).await, None);
    assert_eq!(cache.fill(&k, &lease, "loaded").await, FillOutcome::Stored);
}

/// Values of every kind survive a touch.
pub async fn touch_leaves_the_value_alone(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for value in ["", "x", "\r\nEND\r\n"] {
        bench.cache.put(&key("k"), value).await;
        assert!(bench.cache.touch(&key("k"), LONG).await);
        Handle::expect(bench.cache.read(&key("k")).await, value, "after touch");
    }
}

/// `touch` keeps every lifetime.
pub async fn a_touched_entry_lives_as_long_as_asked(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let store = async |k: Key, lifetime| {
        bench.cache.put(&k, "value").await;
        assert!(bench.cache.touch(&k, lifetime).await);
    };
    every_lifetime_is_kept(&bench, store).await;
}
