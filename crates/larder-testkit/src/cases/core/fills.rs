//! A fill is stored at most once per lease, and never after the key was invalidated.

use larder_core::{Epoch, FillOutcome, Lease, LeaseOutcome, LeaseToken};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
    race::{CONTENDERS, both, race},
};

use FillOutcome::{Refused, Stored};

/// A fill stores the value and ends the lease, in one step.
pub async fn a_fill_stores_and_ends_the_lease(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let lease = cache.win(&k).await;
    assert_eq!(cache.fill(&k, &lease, "first").await, Stored);
    Handle::expect(cache.read(&k).await, "first", "after the fill");
    assert_eq!(cache.fill(&k, &lease, "second").await, Refused);
    assert!(!cache.renew(&k, &lease, LONG).await, "the lease is over");
    assert!(!cache.release(&k, &lease).await, "the lease is over");
    Handle::expect(cache.read(&k).await, "first", "after the second fill");
    assert!(matches!(cache.lease(&k).await, LeaseOutcome::Found(_)));
}

/// Of many fills with one lease exactly one is stored, and its value stays.
pub async fn exactly_one_of_many_concurrent_fills_is_stored(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..8 {
        let k = key(&format!("round {round}"));
        let lease = bench.cache.win(&k).await;
        let handles = vec![bench.cache.clone()];
        let outcomes =
            race(&handles, |cache| async move { cache.fill(&k, &lease, "loaded").await }).await;
        let stored = outcomes.iter().filter(|outcome| **outcome == Stored);
        assert_eq!((stored.count(), outcomes.len()), (1, CONTENDERS));
    }
}

/// Who holds no lease stores nothing, whatever is there.
pub async fn a_fill_without_a_lease_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let forged = Lease { token: LeaseToken::random(), epoch: cache.epoch().await };
    assert_eq!(cache.fill(&k, &forged, "forged").await, Refused);
    assert_eq!(cache.read(&k).await, None);
    cache.put(&k, "stays").await;
    assert_eq!(cache.fill(&k, &forged, "forged").await, Refused);
    Handle::expect(cache.read(&k).await, "stays", "after the refusal");
}

/// Another token, another key's lease and another epoch's lease are all not this lease.
pub async fn a_fill_with_the_wrong_lease_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let elsewhere = cache.win(&key("elsewhere")).await;
    let lease = cache.win(&k).await;
    let token = LeaseToken::random();
    let epoch = Epoch::random();
    for (what, wrong) in [
        ("another token", Lease { token, ..lease }),
        ("another key's lease", elsewhere),
        ("another epoch", Lease { epoch, ..lease }),
    ] {
        assert_eq!(cache.fill(&k, &wrong, "wrong").await, Refused, "{what}");
        assert_eq!(cache.read(&k).await, None, "{what}");
    }
    let tokens_alike = Lease { token: LeaseToken::from_bytes([0; 16]), ..lease };
    assert_eq!(cache.fill(&k, &tokens_alike, "wrong").await, Refused);
    assert_eq!(cache.fill(&k, &lease, "loaded").await, Stored);
    Handle::expect(cache.read(&k).await, "loaded", "after the true fill");
}

/// An invalidation during the load refuses the fill, though there was nothing to remove.
pub async fn a_fill_after_remove_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let late = cache.win(&k).await;
    assert!(!cache.remove(&k).await, "there was no entry, only a lease");
    assert_eq!(cache.fill(&k, &late, "old").await, Refused);
    assert_eq!(cache.read(&k).await, None);

    let next = cache.win(&k).await;
    assert_eq!(cache.fill(&k, &late, "old").await, Refused);
    assert_eq!(cache.fill(&k, &next, "new").await, Stored);
    Handle::expect(cache.read(&k).await, "new", "after the second load");
}

/// A value that was put during the load is not overwritten by it.
pub async fn a_fill_after_put_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let late = cache.win(&k).await;
    cache.put(&k, "put").await;
    assert_eq!(cache.fill(&k, &late, "old").await, Refused);
    Handle::expect(cache.read(&k).await, "put", "after the late fill");
    assert!(cache.remove(&k).await);
    assert_eq!(cache.fill(&k, &late, "old").await, Refused);
}

/// The invalidation of one key leaves the loaders of all others alone.
pub async fn invalidating_one_key_refuses_no_other_fill(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k, other) = (&bench.cache, key("k"), key("other"));
    let lease = cache.win(&k).await;
    cache.put(&other, "x").await;
    cache.remove(&other).await;
    assert_eq!(cache.fill(&k, &lease, "loaded").await, Stored);
}

/// Whichever of a fill and a remove comes first, nothing is left behind.
pub async fn a_fill_that_races_with_a_remove_leaves_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..64_usize {
        let k = key(&format!("round {round}"));
        let lease = bench.cache.win(&k).await;
        let (filler, remover) = (bench.cache.clone(), bench.cache.clone());
        let fill = async move { filler.fill(&k, &lease, "old").await };
        let remove = async move { remover.remove(&k).await };
        let (filled, removed) = both(round, fill, remove).await;
        assert_eq!(bench.cache.read(&k).await, None, "round {round}");
        assert_eq!(
            filled == Stored,
            removed,
            "round {round}: a stored value was removed, a refused one was not there"
        );
    }
}

/// Whichever of a fill and a put comes first, the put value stays.
pub async fn a_fill_that_races_with_a_put_loses(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..64_usize {
        let k = key(&format!("round {round}"));
        let lease = bench.cache.win(&k).await;
        let (filler, putter) = (bench.cache.clone(), bench.cache.clone());
        let fill = async move { filler.fill(&k, &lease, "old").await };
        let put = async move { putter.put(&k, "put").await };
        both(round, fill, put).await;
        let what = format!("round {round}");
        Handle::expect(bench.cache.read(&k).await, "put", &what);
    }
}
