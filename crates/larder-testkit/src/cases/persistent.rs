//! What was acknowledged before a store was closed holds after it was opened again.

use bytes::Bytes;
use larder_core::{FillOutcome, LeaseOutcome, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
};

use super::core::{begin, judge, some};

/// Closes the one handle and opens another.
async fn reopen(bench: Bench<'_>) -> Bench<'_> {
    let Bench { fixture, cache, .. } = bench;
    fixture.close(cache.0).await;
    Bench::open(fixture).await
}

/// Entries come back byte for byte, and the history is the same one.
pub async fn entries_and_epoch_survive(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    let every_byte: Bytes = (0..=255).collect();
    bench.cache.put(&key("bytes"), every_byte.clone()).await;
    bench.cache.put(&key("empty"), "").await;
    bench.cache.put(&key("removed"), "x").await;
    bench.cache.remove(&key("removed")).await;
    let epoch = bench.cache.epoch().await;

    for _ in 0..2 {
        bench = reopen(bench).await;
        Handle::expect(bench.cache.read(&key("bytes")).await, every_byte.clone(), "reopened");
        Handle::expect(bench.cache.read(&key("empty")).await, "", "reopened");
        assert_eq!(bench.cache.read(&key("removed")).await, None);
        assert_eq!(bench.cache.epoch().await, epoch, "nothing was lost");
    }
}

/// A filled entry is still a hit; generations are neither lost nor made anew.
pub async fn a_filled_entry_is_still_a_hit(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    let (k, tags) = (key("k"), [Tag::named("a"), Tag::named("b")]);
    begin(&bench.cache, &k, &tags).await.finish(&bench.cache, "v1").await;
    let stamps = bench.cache.generations(&tags).await;
    bench = reopen(bench).await;
    assert_eq!(bench.cache.stamps(&tags).await, some(&stamps));
    assert_eq!(judge(&bench.cache, &k, &tags).await, Ok(Bytes::from("v1")));
}

/// A bump that was acknowledged is not undone by closing.
pub async fn a_bump_is_not_undone(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    let (k, tags) = (key("k"), [Tag::named("t")]);
    begin(&bench.cache, &k, &tags).await.finish(&bench.cache, "v1").await;
    let bumped = bench.cache.bump(&tags).await;
    bench = reopen(bench).await;
    assert_eq!(bench.cache.stamps(&tags).await, some(&bumped));
    assert!(judge(&bench.cache, &k, &tags).await.is_err());
}

/// A fill that was refused before closing is refused after it.
pub async fn a_late_fill_stays_refused(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    let (removed, put) = (key("removed"), key("put"));
    let late_removed = bench.cache.win(&removed).await;
    let late_put = bench.cache.win(&put).await;
    bench.cache.remove(&removed).await;
    bench.cache.put(&put, "new").await;
    bench = reopen(bench).await;
    let cache = &bench.cache;
    assert_eq!(cache.fill(&removed, &late_removed, "old").await, FillOutcome::Refused);
    assert_eq!(cache.fill(&put, &late_put, "old").await, FillOutcome::Refused);
    assert_eq!(cache.read(&removed).await, None);
    Handle::expect(cache.read(&put).await, "new", "after the late fill");
}

/// A lease is held across the closing or lost with it; it never has two holders.
pub async fn a_lease_has_one_holder_at_most(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    let k = key("k");
    let before = bench.cache.win(&k).await;
    bench = reopen(bench).await;
    match bench.cache.lease(&k).await {
        LeaseOutcome::Found(_) => panic!("nothing was filled"),
        LeaseOutcome::Held => {
            let outcome = bench.cache.fill(&k, &before, "loaded").await;
            assert_eq!(outcome, FillOutcome::Stored, "it is held by nobody else");
        }
        LeaseOutcome::Won(next) => {
            let outcome = bench.cache.fill(&k, &before, "old").await;
            assert_eq!(outcome, FillOutcome::Refused, "another one holds it");
            let outcome = bench.cache.fill(&k, &next, "new").await;
            assert_eq!(outcome, FillOutcome::Stored);
        }
    }
}

/// Time counts on while the store is closed.
pub async fn an_entry_expires_while_closed(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    bench.cache.put_for(&key("short"), "x", bench.short()).await;
    bench.cache.put_for(&key("long"), "stays", LONG).await;
    bench.outlast(bench.short()).await;
    bench = reopen(bench).await;
    assert_eq!(bench.cache.read(&key("short")).await, None);
    Handle::expect(bench.cache.read(&key("long")).await, "stays", "reopened");
}

/// What was cleared does not come back.
pub async fn a_cleared_namespace_stays_empty(fixture: &dyn Fixture) {
    let mut bench = Bench::open(fixture).await;
    if !bench.capability.clear {
        bench.skipped("clear is not supported");
        return;
    }
    let late = bench.cache.win(&key("leased")).await;
    bench.cache.put(&key("k"), "before").await;
    bench.cache.clear().await;
    bench = reopen(bench).await;
    assert_eq!(bench.cache.read(&key("k")).await, None);
    let outcome = bench.cache.fill(&key("leased"), &late, "old").await;
    assert_eq!(outcome, FillOutcome::Refused);
}
