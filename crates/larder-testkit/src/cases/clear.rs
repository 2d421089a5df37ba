//! `clear` invalidates every entry and ends every lease of the namespace.

use larder_core::{FillOutcome, LeaseOutcome, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, LONG, key},
    race::both,
};

use super::core::{begin, judge};

/// After `clear` every entry is gone for every verb, and the namespace works on.
pub async fn a_cleared_namespace_is_empty_and_works_on(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let keys: Vec<_> = (0..100).map(|i| key(&format!("key {i}"))).collect();
    for round in ["first", "second"] {
        for k in &keys {
            cache.put(k, round).await;
        }
        cache.clear().await;
        for k in &keys {
            assert_eq!(cache.read(k).await, None, "{round} round");
        }
        assert!(!cache.remove(&keys[0]).await, "cleared");
        assert_eq!(cache.remove_many(&keys).await, 0, "cleared");
    }
    cache.put(&keys[0], "after").await;
    Handle::expect(cache.read(&keys[0]).await, "after", "after clear");
}

/// A cleared entry is absent for the optional verbs, too.
pub async fn a_cleared_entry_is_absent_for_optional_verbs(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    cache.put(&k, "before").await;
    cache.clear().await;
    if bench.capability.touch {
        assert!(!cache.touch(&k, LONG).await, "cleared");
        assert_eq!(cache.read(&k).await, None, "touch revived it");
    }
    if bench.capability.add {
        assert!(cache.add(&k, "added").await, "cleared");
        Handle::expect(cache.read(&k).await, "added", "after add");
    }
}

/// `clear` ends every lease: late fills are refused and the next loader wins.
pub async fn a_fill_after_clear_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k) = (&bench.cache, key("k"));
    let late = cache.win(&k).await;
    cache.clear().await;
    assert!(!cache.renew(&k, &late, LONG).await, "cleared");
    assert_eq!(cache.fill(&k, &late, "old").await, FillOutcome::Refused);
    assert_eq!(cache.read(&k).await, None);
    let next = cache.win(&k).await;
    assert_eq!(cache.fill(&k, &late, "old").await, FillOutcome::Refused);
    assert_eq!(cache.fill(&k, &next, "new").await, FillOutcome::Stored);
    Handle::expect(cache.read(&k).await, "new", "after the next load");
}

/// A cleared entry is not found by a loader, and a cleared empty namespace is no error.
pub async fn a_cleared_entry_is_leased_not_found(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    bench.cache.clear().await;
    bench.cache.put(&key("k"), "before").await;
    bench.cache.clear().await;
    bench.cache.clear().await;
    let outcome = bench.cache.lease(&key("k")).await;
    assert!(matches!(outcome, LeaseOutcome::Won(_)), "{outcome:?}");
}

/// The protocol runs on after `clear`: load, hit, bump.
pub async fn tags_work_after_clear(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, k, tags) = (&bench.cache, key("k"), [Tag::named("t")]);
    let before = begin(cache, &k, &tags).await;
    before.finish(cache, "before").await;
    cache.clear().await;
    let load = begin(cache, &k, &tags).await;
    assert_eq!(load.finish(cache, "after").await, FillOutcome::Stored);
    assert!(judge(cache, &k, &tags).await.is_ok());
    cache.bump(&tags).await;
    assert!(judge(cache, &k, &tags).await.is_err());
}

/// Whichever of a fill and a clear comes first, nothing is left behind.
pub async fn a_fill_that_races_with_a_clear_leaves_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    for round in 0..64_usize {
        let k = key(&format!("round {round}"));
        let lease = bench.cache.win(&k).await;
        let (filler, clearer) = (bench.cache.clone(), bench.cache.clone());
        let fill = async move { filler.fill(&k, &lease, "old").await };
        let clear = async move { clearer.clear().await };
        both(round, fill, clear).await;
        assert_eq!(bench.cache.read(&k).await, None, "round {round}");
    }
}
