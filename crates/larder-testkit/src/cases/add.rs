//! `add` stores only what is absent, and of many at once exactly one does.

use larder_core::{EntryId, ErrorKind, FillOutcome, Key, LeaseOutcome, LeaseRequest};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key, refused, ttl},
    race::{CONTENDERS, race},
    samples,
};

use super::{core::too_large, ttl::every_lifetime_is_kept};

/// What is absent is stored, what is there stays.
pub async fn add_stores_only_what_is_absent(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    assert!(cache.add(&k, "first").await);
    assert!(!cache.add(&k, "second").await);
    Handle::expect(cache.read(&k).await, "first", "after two adds");
    cache.put(&k, "put").await;
    assert!(!cache.add(&k, "third").await);
    Handle::expect(cache.read(&k).await, "put", "after put and add");
    cache.remove(&k).await;
    assert!(cache.add(&k, "fourth").await);
    Handle::expect(cache.read(&k).await, "fourth", "after remove and add");
}

/// An empty value is there, so nothing is added beside it.
pub async fn add_takes_an_empty_value_for_one(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    assert!(bench.cache.add(&key("k"), "").await);
    assert!(!bench.cache.add(&key("k"), "second").await);
    Handle::expect(bench.cache.read(&key("k")).await, "", "after two adds");
}

/// Of many adds at once exactly one stores, and its value is read.
pub async fn exactly_one_of_many_concurrent_adds_stores(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..8 {
        let k = key(&format!("round {round}"));
        let handles = vec![bench.cache.clone()];
        let results = race(&handles, |cache| async move {
            // The value is drawn at random, so that the winner's can be told from the others'.
            let mine = EntryId::random().as_bytes().to_vec();
            (cache.add(&k, mine.clone()).await, mine)
        })
        .await;
        let winners: Vec<_> = results.iter().filter(|(added, _)| *added).collect();
        assert_eq!((winners.len(), results.len()), (1, CONTENDERS));
        let value = winners[0].1.clone();
        Handle::expect(bench.cache.read(&k).await, value, "the winner's value");
    }
}

/// A value that was added during a load is not overwritten by it.
pub async fn a_fill_after_add_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let late = cache.win(&k).await;
    assert!(cache.add(&k, "added").await, "a lease is no entry");
    assert_eq!(cache.fill(&k, &late, "old").await, FillOutcome::Refused);
    Handle::expect(cache.read(&k).await, "added", "after the late fill");
}

/// An add that stores nothing leaves the lease on a dead entry alone.
pub async fn an_add_that_stores_nothing_ends_no_lease(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let dead = samples::envelope(cache.epoch().await, &[], &[], "dead");
    cache.put(&k, dead.encode(&k, None)).await;
    let request = LeaseRequest::new(LONG).with_dead(Some(dead.header.id));
    let LeaseOutcome::Won(lease) = cache.ask(&k, request).await else {
        panic!("the entry was named dead and nobody held the lease");
    };
    assert!(!cache.add(&k, "added").await, "the dead entry is there");
    assert_eq!(cache.fill(&k, &lease, "new").await, FillOutcome::Stored);
}

/// One byte beyond the limit is refused, and nothing is stored.
pub async fn an_add_beyond_the_limit_stores_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let Some(too_large) = too_large(&bench) else {
        return;
    };
    let result = bench.cache.0.add(&key("k"), too_large, ttl(LONG)).await;
    refused(result, ErrorKind::TooLarge, "add beyond the limit");
    assert_eq!(bench.cache.read(&key("k")).await, None);
    assert!(bench.cache.add(&key("k"), "smaller").await);
}

/// `add` keeps every lifetime.
pub async fn an_added_entry_lives_as_long_as_asked(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let store = async |k: Key, lifetime| {
        assert!(bench.cache.add_for(&k, "value", lifetime).await);
    };
    every_lifetime_is_kept(&bench, store).await;
}

/// An add that stores nothing does not prolong what is there.
pub async fn an_add_that_stores_nothing_prolongs_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let before = bench.now();
    cache.put_for(&k, "first", bench.short()).await;
    let added = cache.add(&k, "second").await;
    if bench.now().since(before) < bench.short() {
        assert!(!added, "the first value was there");
        bench.outlast(bench.short()).await;
        assert_eq!(cache.read(&k).await, None);
    }
}
