//! Two handles on one store are one cache: what one did, the other sees.

use larder_core::{FillOutcome, LeaseOutcome, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
    race::{both, race},
};

use super::{
    core::{agree, begin, judge, one_won, some},
    watch::{after_now, listen_until, subscribe},
};

/// Both handles speak of one history.
pub async fn both_handles_have_one_epoch(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other) = (&bench.cache, bench.second().await);
    let tags = [Tag::named("t")];
    assert_eq!(one.epoch().await, other.epoch().await);
    assert_eq!(one.0.capability(), other.0.capability());
    let stamps = one.generations(&tags).await;
    assert_eq!(other.generations(&tags).await, stamps);
    let here = one.snapshot(&key("k"), &tags).await;
    assert_eq!(other.snapshot(&key("k"), &tags).await, here);
}

/// What one handle stores or removes, the other sees at once.
pub async fn both_handles_see_the_same_entries(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other, k) = (&bench.cache, bench.second().await, key("k"));
    one.put(&k, "first").await;
    Handle::expect(other.read(&k).await, "first", "put through the other handle");
    other.put(&k, "second").await;
    Handle::expect(one.read(&k).await, "second", "put through the other handle");
    assert!(one.remove(&k).await);
    assert_eq!(other.read(&k).await, None, "removed through the other handle");
    assert!(!other.remove(&k).await);
}

/// A lease is held against everybody, through whichever handle.
pub async fn a_lease_holds_against_the_other_handle(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other, k) = (&bench.cache, bench.second().await, key("k"));
    let lease = one.win(&k).await;
    assert_eq!(other.lease(&k).await, LeaseOutcome::Held);
    assert_eq!(one.fill(&k, &lease, "loaded").await, FillOutcome::Stored);
    Handle::expect(other.read(&k).await, "loaded", "filled through the other");
    let found = LeaseOutcome::Found("loaded".into());
    assert_eq!(other.lease(&k).await, found);
}

/// Of many loaders on both handles exactly one wins.
pub async fn exactly_one_loader_of_both_handles_wins(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let handles = [bench.cache.clone(), bench.second().await];
    for round in 0..8 {
        let k = key(&format!("round {round}"));
        let outcomes = race(&handles, |cache| async move { cache.lease(&k).await }).await;
        one_won(&outcomes);
    }
}

/// An invalidation through one handle refuses the fill through the other.
pub async fn the_other_handles_invalidation_refuses_the_fill(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other) = (&bench.cache, bench.second().await);
    let (removed, put, cleared) = (key("removed"), key("put"), key("cleared"));
    let late = one.win(&removed).await;
    other.remove(&removed).await;
    assert_eq!(one.fill(&removed, &late, "old").await, FillOutcome::Refused);
    assert_eq!(other.read(&removed).await, None);

    let late = one.win(&put).await;
    other.put(&put, "new").await;
    assert_eq!(one.fill(&put, &late, "old").await, FillOutcome::Refused);
    Handle::expect(one.read(&put).await, "new", "put during the load");

    if bench.capability.clear {
        let late = one.win(&cleared).await;
        one.put(&key("other"), "x").await;
        other.clear().await;
        assert_eq!(one.fill(&cleared, &late, "old").await, FillOutcome::Refused);
        assert_eq!(one.read(&key("other")).await, None);
        assert_eq!(other.read(&cleared).await, None);
    }
}

/// Whichever of a fill here and a remove there comes first, nothing is left behind.
pub async fn a_fill_here_that_races_with_a_remove_there_leaves_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let other = bench.second().await;
    for round in 0..64_usize {
        let k = key(&format!("round {round}"));
        let lease = bench.cache.win(&k).await;
        let (filler, remover) = (bench.cache.clone(), other.clone());
        let fill = async move { filler.fill(&k, &lease, "old").await };
        let remove = async move { remover.remove(&k).await };
        both(round, fill, remove).await;
        assert_eq!(bench.cache.read(&k).await, None, "round {round}");
        assert_eq!(other.read(&k).await, None, "round {round}");
    }
}

/// A bump through one handle invalidates what the other filled.
pub async fn the_other_handles_bump_invalidates(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other) = (&bench.cache, bench.second().await);
    let (k, tags) = (key("k"), [Tag::named("t")]);
    let load = begin(one, &k, &tags).await;
    load.finish(one, "v1").await;
    assert!(judge(&other, &k, &tags).await.is_ok());

    let bumped = other.bump(&tags).await;
    assert_eq!(one.stamps(&tags).await, some(&bumped));
    assert!(judge(one, &k, &tags).await.is_err());
    assert!(judge(&other, &k, &tags).await.is_err());
}

/// Of many that find a tag missing, through either handle, all get one generation.
pub async fn creations_through_both_handles_agree(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let handles = [bench.cache.clone(), bench.second().await];
    for round in 0..8 {
        let tags = [Tag::named(&format!("round {round}"))];
        let stamps = race(&handles, |cache| async move { cache.generations(&tags).await }).await;
        agree(&stamps);
    }
}

/// A lease that was renewed through its own handle still holds against the other.
pub async fn a_renewed_lease_holds_against_the_other_handle(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (one, other, k) = (&bench.cache, bench.second().await, key("k"));
    let lease = one.win(&k).await;
    assert!(one.renew(&k, &lease, 2 * LONG).await);
    assert_eq!(other.lease(&k).await, LeaseOutcome::Held);
    assert!(one.release(&k, &lease).await);
    other.win(&k).await;
    assert!(!one.renew(&k, &lease, LONG).await, "it is the other's now");
}

/// A feed hears what was bumped through the other handle.
pub async fn a_feed_hears_the_other_handles_bumps(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    if !bench.capability.watch {
        bench.skipped("watch is not supported");
        return;
    }
    let (other, tags) = (bench.second().await, [Tag::named("a"), Tag::named("b")]);
    let mut feed = subscribe(&bench, &bench.cache).await;
    other.bump(&tags).await;
    let tick = after_now(&bench).await;
    let heard = listen_until(&mut feed, tick).await;
    assert!(heard.covers(&tags), "{heard:?}");
}

/// The other handle's end is not the store's end.
pub async fn closing_one_handle_leaves_the_other_open(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let other = bench.second().await;
    other.put(&key("k"), "value").await;
    drop(other);
    Handle::expect(bench.cache.read(&key("k")).await, "value", "after the drop");
    bench.cache.put(&key("k"), "next").await;
    Handle::expect(bench.cache.read(&key("k")).await, "next", "after the drop");
}
