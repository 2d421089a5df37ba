//! The limits of the configuration hold, and reaching one costs misses and nothing else.

use std::{sync::Arc, time::Duration};

use larder_core::{
    CacheBackend, ErrorKind, FillOutcome, Key, LeaseOutcome, LeaseRequest, SystemClock, Tag, Ttl,
};
use larder_moka::{MokaBackend, MokaConfig};
use larder_testkit::ManualClock;

fn ttl() -> Ttl {
    Ttl::new(Duration::from_secs(60)).unwrap()
}

fn key(n: usize) -> Key {
    Key::object(&format!("key {n}"))
}

#[tokio::test]
async fn the_bytes_stored_stay_within_the_capacity() {
    let capacity = 1 << 20;
    let cache = MokaBackend::new(MokaConfig::default().with_capacity_bytes(capacity));
    for n in 0..2_000 {
        cache.put(&key(n), vec![0; 10_000].into(), ttl()).await.unwrap();
    }
    let stats = cache.stats();
    assert!(stats.bytes.unwrap() <= capacity, "{stats:?}");
    let entries = stats.entries.unwrap();
    assert!((50..=105).contains(&entries), "{stats:?}");
    assert_eq!(stats.evicted + entries, 2_000, "{stats:?}");
}

#[tokio::test]
async fn small_values_weigh_what_they_cost_the_store() {
    let capacity = 1 << 20;
    let cache = MokaBackend::new(MokaConfig::default().with_capacity_bytes(capacity));
    for n in 0..20_000 {
        cache.put(&key(n), "x".into(), ttl()).await.unwrap();
    }
    let entries = cache.stats().entries.unwrap();
    assert!((500..=4_000).contains(&entries), "{entries} entries of one byte in a mebibyte");
}

#[tokio::test]
async fn one_value_takes_an_eighth_of_the_capacity_at_most() {
    let cache = MokaBackend::new(MokaConfig::default().with_capacity_bytes(8_000));
    assert_eq!(cache.capability().value_bytes_max, Some(1_000));
    cache.put(&key(0), vec![0; 1_000].into(), ttl()).await.unwrap();
    let error = cache.put(&key(0), vec![0; 1_001].into(), ttl()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(cache.read(&key(0), &[]).await.unwrap().value.is_some());
    assert_eq!(cache.stats().errors, 1);
}

#[tokio::test]
async fn a_forgotten_generation_is_missing_and_never_returns() {
    let cache = MokaBackend::new(MokaConfig::default().with_tags_max(10));
    let first = [Tag::named("first")];
    let stamps = cache.generations(&first).await.unwrap();
    for n in 0..5_000 {
        cache.bump(&[Tag::named(&format!("tag {n}"))]).await.unwrap();
    }
    let snapshot = cache.read(&key(0), &first).await.unwrap();
    assert_eq!(snapshot.stamps, [None]);
    assert_ne!(cache.generations(&first).await.unwrap(), stamps);
}

#[tokio::test]
async fn the_latest_generation_is_never_turned_away() {
    let cache = MokaBackend::new(MokaConfig::default().with_tags_max(10));
    for n in 0..5_000 {
        let tag = [Tag::named(&format!("tag {n}"))];
        let created = cache.generations(&tag).await.unwrap();
        let seen = cache.read(&key(0), &tag).await.unwrap().stamps;
        assert_eq!(seen, [Some(created[0])], "tag {n}");
    }
}

#[tokio::test]
async fn more_leases_than_the_limit_are_granted_and_the_oldest_lost() {
    let cache = MokaBackend::new(MokaConfig::default().with_leases_max(64));
    let mut leases = Vec::new();
    for n in 0..1_000 {
        let request = LeaseRequest::new(Duration::from_secs(n as u64 + 60));
        let LeaseOutcome::Won(lease) = cache.lease(&key(n), request).await.unwrap() else {
            panic!("nobody else loads key {n}");
        };
        leases.push(lease);
    }
    let mut stored = 0;
    for (n, lease) in leases.iter().enumerate() {
        let outcome = cache.fill(&key(n), lease, "x".into(), ttl()).await.unwrap();
        stored += usize::from(outcome == FillOutcome::Stored);
    }
    assert!((1..=64).contains(&stored), "{stored} of 64 leases");
}

#[tokio::test]
async fn cleared_entries_give_their_memory_back_and_are_not_evicted() {
    let clock = ManualClock::new();
    let config = MokaConfig::default().with_clock(Arc::<ManualClock>::clone(&clock));
    let cache = MokaBackend::new(config);
    for n in 0..1_000 {
        cache.put(&key(n), vec![0; 100].into(), ttl()).await.unwrap();
    }
    assert_eq!(cache.stats().entries, Some(1_000));
    cache.clear().await.unwrap();
    let stats = cache.stats();
    assert!(stats.entries < Some(1_000), "{stats:?}");
    assert_eq!((stats.evicted, stats.removed), (0, 0), "cleared is not evicted");
}

#[tokio::test]
async fn the_default_clock_is_the_systems() {
    let config = MokaConfig::default().with_clock(Arc::new(SystemClock::new()));
    let cache = MokaBackend::new(config);
    cache.put(&key(0), "x".into(), ttl()).await.unwrap();
    assert!(cache.read(&key(0), &[]).await.unwrap().value.is_some());
    assert!(cache.health().await.unwrap().server.contains("1 entries"));
}

/// A loader that a remove overtakes leaves nothing, on threads that really run at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_removed_before_the_fill_is_never_read_after_it() {
    let cache = Arc::new(MokaBackend::new(MokaConfig::default()));
    for round in 0..500 {
        let k = key(round);
        let LeaseOutcome::Won(lease) =
            cache.lease(&k, LeaseRequest::new(Duration::from_secs(9))).await.unwrap()
        else {
            panic!("nobody else loads");
        };
        let filler = {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.fill(&k, &lease, "old".into(), ttl()).await })
        };
        let remover = {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.remove(&k).await })
        };
        let outcome = filler.await.unwrap().unwrap();
        let removed = remover.await.unwrap().unwrap();
        assert_eq!(outcome == FillOutcome::Stored, removed, "round {round}");
        assert_eq!(cache.read(&k, &[]).await.unwrap().value, None, "round {round}");
    }
}
