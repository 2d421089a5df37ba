//! The verbs for many keys say what the verbs for one key would have said.

use larder_core::{FillOutcome, Key, ReadRequest, Tag};

use crate::{
    Fixture,
    bench::{Bench, Handle, key},
};

use super::core::some;

/// The snapshots come in the order of the requests, each with its own tags.
pub async fn read_many_answers_in_order(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let tags = ["a", "b", "c"].map(Tag::named);
    let stamps = cache.generations(&tags).await;
    let (one, two, absent) = (key("one"), key("two"), key("absent"));
    cache.put(&one, "1").await;
    cache.put(&two, "2").await;

    let missing = [Tag::named("missing"), tags[0]];
    let requests =
        [(&two, &tags[..]), (&absent, &tags[1..2]), (&one, &[][..]), (&two, &missing[..])]
            .map(|(key, tags)| ReadRequest { key, tags });
    let snapshots = cache.read_many(&requests).await;
    let values: Vec<_> = snapshots.iter().map(|s| s.value.as_deref()).collect();
    assert_eq!(values, [Some(&b"2"[..]), None, Some(b"1"), Some(b"2")]);
    assert_eq!(snapshots[0].stamps, some(&stamps));
    assert_eq!(snapshots[1].stamps, some(&stamps[1..2]));
    assert_eq!(snapshots[2].stamps, []);
    assert_eq!(snapshots[3].stamps, [None, Some(stamps[0])]);
    for (request, snapshot) in requests.iter().zip(&snapshots) {
        let alone = cache.snapshot(request.key, request.tags).await;
        assert_eq!(*snapshot, alone);
    }
}

/// No requests have no snapshots.
pub async fn read_many_of_nothing_is_nothing(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    assert_eq!(bench.cache.read_many(&[]).await, []);
    assert_eq!(bench.cache.remove_many(&[]).await, 0);
}

/// A key that is asked for twice is answered twice.
pub async fn read_many_answers_duplicates(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (there, absent, tags) = (key("there"), key("absent"), [Tag::named("t")]);
    let stamps = some(&bench.cache.generations(&tags).await);
    bench.cache.put(&there, "value").await;
    let requests =
        [&there, &absent, &there, &there, &absent].map(|key| ReadRequest { key, tags: &tags });
    let snapshots = bench.cache.read_many(&requests).await;
    let found: Vec<_> = snapshots.iter().map(|s| s.value.is_some()).collect();
    assert_eq!(found, [true, false, true, true, false]);
    assert!(snapshots.iter().all(|snapshot| snapshot.stamps == stamps));
}

/// A thousand keys are read, every other one of them there.
pub async fn read_many_takes_a_thousand_keys(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let keys = thousand(&bench).await;
    let tags = [Tag::named("common")];
    let stamps = some(&bench.cache.generations(&tags).await);
    let requests: Vec<_> = keys.iter().map(|key| ReadRequest { key, tags: &tags }).collect();
    let snapshots = bench.cache.read_many(&requests).await;
    assert_eq!(snapshots.len(), keys.len());
    for (i, snapshot) in snapshots.into_iter().enumerate() {
        assert_eq!(snapshot.stamps, stamps, "key {i}");
        if i % 2 == 0 {
            Handle::expect(snapshot.value, format!("value {i}"), &format!("key {i}"));
        } else {
            assert_eq!(snapshot.value, None, "key {i}");
        }
    }
}

/// Removing many counts the live ones, each once.
pub async fn remove_many_counts_what_was_there(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let cache = &bench.cache;
    let (one, two, stays, absent) = (key("one"), key("two"), key("stays"), key("absent"));
    for k in [&one, &two, &stays] {
        cache.put(k, "value").await;
    }
    assert_eq!(cache.remove_many(&[one, absent, two, one]).await, 2);
    assert_eq!(cache.read(&one).await, None);
    assert_eq!(cache.read(&two).await, None);
    Handle::expect(cache.read(&stays).await, "value", "not among the removed");
    assert_eq!(cache.remove_many(&[one, absent, two]).await, 0);
}

/// A thousand keys are removed and counted.
pub async fn remove_many_takes_a_thousand_keys(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let keys = thousand(&bench).await;
    assert_eq!(bench.cache.remove_many(&keys).await, 500);
    for k in keys.iter().step_by(100) {
        assert_eq!(bench.cache.read(k).await, None);
    }
}

/// Removing many ends the leases, as removing one does.
pub async fn a_fill_after_remove_many_is_refused(fixture: &dyn Fixture) {
    let bench = Bench::open(fixture).await;
    let (cache, one, two) = (&bench.cache, key("one"), key("two"));
    let late = cache.win(&one).await;
    let other = cache.win(&two).await;
    assert_eq!(cache.remove_many(&[one, key("absent")]).await, 0);
    assert_eq!(cache.fill(&one, &late, "old").await, FillOutcome::Refused);
    assert_eq!(cache.read(&one).await, None);
    assert_eq!(cache.fill(&two, &other, "new").await, FillOutcome::Stored);
}

/// A thousand keys of which every other one, starting with the first, has an entry.
async fn thousand(bench: &Bench<'_>) -> Vec<Key> {
    let keys: Vec<_> = (0..1_000).map(|i| key(&format!("key {i}"))).collect();
    for (i, k) in keys.iter().enumerate().step_by(2) {
        bench.cache.put(k, format!("value {i}")).await;
    }
    keys
}
