//! What the engine promises, with the reference backend as far tier.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use larder_cache::{Args, BuildError, Cache, LoadError, Near, Source, Tier, TtlPolicy};
use larder_core::{
    CacheBackend, Clock, FillOutcome, LeaseOutcome, LeaseRequest, MemoryBackend, MemoryConfig, Tag,
    Ttl,
};
use larder_testkit::ManualClock;

use crate::support::{self, Bench, Counted, failing, load, value};

const NEAR: Source = Source::Hit(Tier::Near);
const FAR: Source = Source::Hit(Tier::Far);

#[tokio::test]
async fn a_miss_is_followed_by_near_hits() {
    for bench in [Bench::near(), Bench::both()] {
        let family = bench.family();
        let counted = Counted::new();
        assert_eq!(family.get_or_load("k", counted.load(1)).await.unwrap().source(), Source::Miss);
        let hit = family.get_or_load("k", counted.load(2)).await.unwrap();
        assert_eq!((*hit, hit.source()), (1, NEAR));
        assert_eq!(counted.loads(), 1);
    }
}

#[tokio::test]
async fn without_a_near_tier_the_far_tier_answers() {
    let bench = Bench::far();
    let family = bench.family();
    let counted = Counted::new();
    family.get_or_load("k", counted.load(1)).await.unwrap();
    let hit = family.get_or_load("k", counted.load(2)).await.unwrap();
    assert_eq!((*hit, hit.source(), counted.loads()), (1, FAR, 1));
}

#[tokio::test]
async fn another_process_finds_what_one_has_stored() {
    let bench = Bench::both();
    let other = bench.another_process();
    bench.family().get_or_load("k", load(1)).await.unwrap();
    let hit = other.family().get_or_load("k", load(2)).await.unwrap();
    assert_eq!((*hit, hit.source()), (1, FAR));
    let again = other.family().get_or_load("k", load(2)).await.unwrap();
    assert_eq!(again.source(), NEAR);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_tasks_that_miss_one_key_load_once() {
    for bench in [Bench::near(), Bench::both(), Bench::far()] {
        let counted = Arc::new(Counted::new());
        let tasks: Vec<_> = (0..10_000)
            .map(|_| {
                let (family, counted) = (bench.family(), Arc::clone(&counted));
                tokio::spawn(
                    async move { *family.get_or_load("k", counted.slow(7)).await.unwrap() },
                )
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 7);
        }
        assert_eq!(counted.loads(), 1, "{bench:?}");
    }
}

#[tokio::test]
async fn entries_expire_at_their_absolute_time_to_live_however_often_they_are_read() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        let policy = TtlPolicy::new(Ttl::new(Duration::from_secs(10)).unwrap());
        let family = bench.family().with_ttl(policy.with_jitter(0.0).unwrap());
        family.get_or_load("k", load(1)).await.unwrap();
        for _ in 0..9 {
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(value(&family, "k", 2).await, 1, "{bench:?}");
        }
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(value(&family, "k", 2).await, 2, "{bench:?}");
    }
}

#[tokio::test]
async fn absences_are_cached_with_their_own_time_to_live() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        let policy = TtlPolicy::new(Ttl::new(Duration::from_secs(60)).unwrap())
            .with_negative_ttl(Some(Ttl::new(Duration::from_secs(5)).unwrap()));
        let family = bench.family().with_ttl(policy);
        let absent = || async { Ok::<Option<u32>, std::io::Error>(None) };
        let present = || async { Ok::<Option<u32>, std::io::Error>(Some(1)) };
        let miss = family.get_or_load_optional("k", absent).await.unwrap();
        assert_eq!((miss.value(), miss.source()), (None, Source::Miss));
        let hit = family.get_or_load_optional("k", present).await.unwrap();
        assert!(hit.value().is_none() && hit.source().is_hit(), "{bench:?}");
        bench.clock.advance(Duration::from_secs(5));
        let found = family.get_or_load_optional("k", present).await.unwrap();
        assert_eq!((found.value(), found.source()), (Some(&1), Source::Miss));
    }
}

#[tokio::test]
async fn absences_are_not_stored_where_the_policy_says_so() {
    let bench = Bench::both();
    let family = bench.family().with_ttl(TtlPolicy::default().with_negative_ttl(None));
    let absent = || async { Ok::<Option<u32>, std::io::Error>(None) };
    for _ in 0..2 {
        let miss = family.get_or_load_optional("k", absent).await.unwrap();
        assert_eq!(miss.source(), Source::Miss);
    }
}

#[tokio::test]
async fn a_stored_absence_is_a_typed_error_where_a_value_was_asked_for() {
    let bench = Bench::both();
    let family = bench.family();
    let absent = || async { Ok::<Option<u32>, std::io::Error>(None) };
    family.get_or_load_optional("k", absent).await.unwrap();
    let answer = family.get_or_load("k", load(1)).await;
    assert!(matches!(answer, Err(LoadError::Absent)));
}

#[tokio::test]
async fn tags_invalidate_what_carries_them_and_nothing_else() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        let (red, blue) = (Tag::named("red"), Tag::named("blue"));
        let reds = bench.cache.family::<u32>("red").tags([red]).build();
        let blues = bench.cache.family::<u32>("blue").tags([blue]).build();
        reds.get_or_load("k", load(1)).await.unwrap();
        blues.get_or_load("k", load(1)).await.unwrap();
        bench.cache.invalidate_tags(&[red]).await.applied().unwrap();
        assert_eq!(value(&reds, "k", 2).await, 2, "{bench:?}");
        assert_eq!(value(&blues, "k", 2).await, 1, "{bench:?}");
    }
}

#[tokio::test]
async fn a_tag_of_one_call_is_part_of_its_identity() {
    let bench = Bench::both();
    let family = bench.family();
    let tags = [Tag::named("customer")];
    let tagged = Args::from("k").with_tags(&tags);
    family.get_or_load("k", load(1)).await.unwrap();
    assert_eq!(*family.get_or_load(tagged, load(2)).await.unwrap(), 2);
    bench.cache.invalidate_tags(&tags).await.applied().unwrap();
    assert_eq!(*family.get_or_load(tagged, load(3)).await.unwrap(), 3);
    assert_eq!(value(&family, "k", 4).await, 1);
}

#[tokio::test]
async fn one_key_or_everything_can_be_invalidated() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        let family = bench.family();
        family.get_or_load("a", load(1)).await.unwrap();
        family.invalidate("a").await.applied().unwrap();
        assert_eq!(value(&family, "a", 2).await, 2, "{bench:?}");
        bench.cache.invalidate_key(family.key("a".into())).await.applied().unwrap();
        assert_eq!(value(&family, "a", 3).await, 3, "{bench:?}");
        bench.cache.clear().await.applied().unwrap();
        assert_eq!(value(&family, "a", 4).await, 4, "{bench:?}");
    }
}

#[tokio::test]
async fn an_invalidation_during_a_load_wins() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        for by_key in [false, true] {
            let family = bench.family();
            let (entered, resume) =
                (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
            let loader = {
                let (entered, resume) = (Arc::clone(&entered), Arc::clone(&resume));
                move || async move {
                    entered.notify_one();
                    resume.notified().await;
                    Ok::<u32, std::io::Error>(1)
                }
            };
            let slow = tokio::spawn({
                let family = family.clone();
                async move { *family.get_or_load("k", loader).await.unwrap() }
            });
            entered.notified().await;
            if by_key {
                family.invalidate("k").await.applied().unwrap();
            } else {
                bench.cache.invalidate_tags(&[support::tag()]).await.applied().unwrap();
            }
            // Who asks after the invalidation does not get what was loaded before it, neither
            // from the flight under way nor from what that flight stores.
            assert_eq!(value(&family, "k", 2).await, 2, "{bench:?}");
            resume.notify_one();
            assert_eq!(slow.await.unwrap(), 1, "its own caller began before");
            assert_eq!(value(&family, "k", 3).await, 2, "{bench:?}");
            bench.cache.clear().await.applied().unwrap();
        }
    }
}

#[tokio::test]
async fn an_invalidation_elsewhere_is_seen_within_the_staleness_bound() {
    let bench = Bench::both();
    let other = bench.another_process();
    let (mine, theirs) = (bench.family(), other.family());
    mine.get_or_load("k", load(1)).await.unwrap();
    theirs.get_or_load("k", load(2)).await.unwrap();
    other.cache.invalidate_tags(&[support::tag()]).await.applied().unwrap();
    assert_eq!(value(&theirs, "k", 2).await, 2, "at once where it was invalidated");
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(value(&mine, "k", 3).await, 2, "within the bound elsewhere");

    theirs.invalidate("k").await.applied().unwrap();
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(value(&mine, "k", 4).await, 4, "by key too");
}

#[tokio::test]
async fn a_near_entry_is_confirmed_without_being_decoded_again() {
    let bench = Bench::both();
    let family = bench.family();
    let first = family.get_or_load("k", load(1)).await.unwrap();
    bench.clock.advance(Duration::from_secs(2));
    assert!(family.peek("k").is_none(), "due for confirmation");
    let confirmed = family.get_or_load("k", load(2)).await.unwrap();
    assert_eq!(confirmed.source(), NEAR);
    assert!(std::ptr::eq(first.value(), confirmed.value()), "the very same value");
    assert!(family.peek("k").is_some());
}

#[tokio::test]
async fn a_refresh_replaces_what_is_stored_and_a_failed_one_keeps_it() {
    for bench in [Bench::near(), Bench::far(), Bench::both()] {
        let family = bench.family();
        family.get_or_load("k", load(1)).await.unwrap();
        let refreshed = family.refresh("k", || async { Ok::<_, std::io::Error>(Some(2)) }).await;
        let refreshed = refreshed.unwrap();
        assert_eq!((refreshed.value(), refreshed.source()), (Some(&2), Source::Refresh));
        assert_eq!(value(&family, "k", 3).await, 2, "{bench:?}");
        let failed =
            family.refresh("k", || async { Err::<Option<u32>, _>(std::io::Error::other("down")) });
        assert!(failed.await.is_err());
        assert_eq!(value(&family, "k", 3).await, 2, "{bench:?}");
    }
}

#[tokio::test]
async fn a_loaders_error_reaches_everybody_and_is_not_stored() {
    let bench = Bench::both();
    let family = bench.family();
    let waiting = futures_util::future::join_all((0..10).map(|_| family.get_or_load("k", failing)));
    for answer in waiting.await {
        assert!(
            matches!(answer, Err(LoadError::Loader(error)) if error.to_string() == "database down")
        );
    }
    assert_eq!(value(&family, "k", 1).await, 1);
}

#[tokio::test]
async fn a_loaders_panic_is_an_error_for_everybody_and_frees_the_key() {
    let bench = Bench::both();
    let family = bench.family();
    let panicking = || async { panic!("out of luck") };
    let answer: Result<_, LoadError<std::io::Error>> = family.get_or_load("k", panicking).await;
    assert!(matches!(answer, Err(LoadError::Panicked { message }) if &*message == "out of luck"));
    assert_eq!(value(&family, "k", 1).await, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_neither_stops_the_load_nor_hangs_the_others() {
    let bench = Bench::both();
    let family = bench.family();
    let counted = Counted::new();
    let mut leader = Box::pin(family.get_or_load("k", counted.slow(7)));
    assert!(leader.as_mut().now_or_never().is_none());
    let follower = tokio::spawn({
        let family = family.clone();
        async move { *family.get_or_load("k", load(8)).await.unwrap() }
    });
    drop(leader);
    assert_eq!(follower.await.unwrap(), 7);
    assert_eq!(counted.loads(), 1);
}

#[tokio::test]
async fn a_loader_that_asks_for_its_own_entry_gets_an_error() {
    let bench = Bench::both();
    let family = bench.family();
    let inner = family.clone();
    let load = move || async move {
        match inner.get_or_load("k", load(1)).await {
            Err(LoadError::Reentrant) => Ok::<_, std::io::Error>(99),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(*family.get_or_load("k", load).await.unwrap(), 99);
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_never_ends_is_an_error_at_its_time_limit() {
    let bench = Bench::near();
    let family = bench.family();
    let never = || std::future::pending::<Result<u32, std::io::Error>>();
    let answer = family.get_or_load("k", never).await;
    assert!(matches!(answer, Err(LoadError::TimedOut { .. })));
    assert_eq!(value(&family, "k", 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn two_loaders_that_wait_for_each_other_end_at_the_time_limit() {
    let bench = Bench::near();
    let (a, b) = (bench.family(), bench.family());
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    let cross = |other: larder_cache::Family<u32>,
                 key: &'static str,
                 barrier: Arc<tokio::sync::Barrier>| {
        move || async move {
            barrier.wait().await;
            other.get_or_load(key, load(0)).await.map(|value| *value).map_err(std::io::Error::other)
        }
    };
    let first = a.get_or_load("a", cross(b.clone(), "b", Arc::clone(&barrier)));
    let second = b.get_or_load("b", cross(a.clone(), "a", barrier));
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err() && second.is_err());
}

#[tokio::test]
async fn too_many_tags_are_an_error_that_says_so() {
    let bench = Bench::near();
    let tags: Vec<_> = (0..65).map(|tag| Tag::named(&tag.to_string())).collect();
    let answer = bench.family().get_or_load(Args::from("k").with_tags(&tags), load(1)).await;
    assert!(matches!(answer, Err(LoadError::TooManyTags { tags: 66 })));
}

#[tokio::test]
async fn foreign_bytes_and_other_versions_of_a_type_are_misses() {
    let bench = Bench::far();
    let family = bench.family();
    let far = bench.far.clone().unwrap();
    far.put(&family.key("k".into()), "garbage".into(), Ttl::MAX).await.unwrap();
    assert_eq!(value(&family, "k", 1).await, 1);
    assert_eq!(value(&family, "k", 2).await, 1, "and what was loaded is stored");

    let codec = larder_cache::PayloadCodec::<u32>::postcard(1);
    let newer = bench.cache.family_with("number", codec).tags([support::tag()]).build();
    assert_eq!(value(&newer, "k", 5).await, 5, "another version of the type");
}

#[tokio::test]
async fn a_lease_held_elsewhere_is_waited_for_and_its_entry_served() {
    let bench = Bench::far();
    let other = bench.another_process();
    let (entered, resume) =
        (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let slow = {
        let (entered, resume) = (Arc::clone(&entered), Arc::clone(&resume));
        let family = other.family();
        tokio::spawn(async move {
            let load = move || async move {
                entered.notify_one();
                resume.notified().await;
                Ok::<u32, std::io::Error>(1)
            };
            *family.get_or_load("k", load).await.unwrap()
        })
    };
    entered.notified().await;
    let mine = bench.family();
    let waiting = tokio::spawn(async move { value(&mine, "k", 2).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    resume.notify_one();
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!(waiting.await.unwrap(), 1, "one load across both processes");
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_of_a_lease_delays_others_by_the_wait_limit_only() {
    let bench = Bench::far();
    let family = bench.family();
    let far = bench.far.clone().unwrap();
    let key = family.key("k".into());
    let lease = far.lease(&key, LeaseRequest::new(Duration::from_secs(3_600)));
    let LeaseOutcome::Won(lease) = lease.await.unwrap() else { panic!("nobody else is there") };
    assert_eq!(value(&family, "k", 1).await, 1);
    // It did not fill: that right is still the holder's.
    let outcome = far.fill(&key, &lease, "x".into(), Ttl::MAX).await.unwrap();
    assert_eq!(outcome, FillOutcome::Stored);
}

#[tokio::test]
async fn statistics_tell_hits_misses_loads_and_bytes_apart() {
    let bench = Bench::both();
    let family = bench.family();
    value(&family, "a", 1).await;
    value(&family, "a", 1).await;
    value(&family, "a", 1).await;
    let _ = family.get_or_load("b", failing).await;
    let stats = bench.cache.stats();
    let keyspace = &stats.keyspaces["number"];
    assert_eq!((keyspace.near_hits, keyspace.misses, keyspace.loads), (2, 1, 2));
    assert_eq!((keyspace.load_errors, keyspace.bytes_filled), (1, 1));
    assert_eq!(keyspace.hit_rate(), Some(2.0 / 3.0));
    assert!(keyspace.latency.count() > 0);
    assert_eq!(stats.near.unwrap().entries, 1);
    assert!(stats.far.unwrap().counters.fills == 1);
}

#[tokio::test]
async fn the_near_tier_stays_within_its_weight() {
    let cache = Cache::builder().near(Near::bytes(64 << 10)).build().unwrap();
    let family = cache.family::<String>("text").build();
    for key in 0..2_000_u32 {
        let load = || async { Ok::<_, std::io::Error>("x".repeat(1_000)) };
        family.get_or_load(&key.to_be_bytes(), load).await.unwrap();
    }
    let near = cache.stats().near.unwrap();
    assert!(near.weight_bytes <= near.weight_bytes_max && near.evicted > 0, "{near:?}");
}

#[tokio::test]
async fn a_cache_needs_a_tier() {
    assert_eq!(Cache::builder().build().unwrap_err(), BuildError::NoTier);
    let zero = Cache::builder().near(Near::mebibytes(1)).load_time_limit(Duration::ZERO).build();
    assert!(matches!(zero, Err(BuildError::ZeroLimit { .. })));
}

#[tokio::test]
async fn a_near_hit_reads_the_coarse_clock_once_and_no_other() {
    #[derive(Debug, Default)]
    struct Counting {
        precise: AtomicU32,
        coarse: AtomicU32,
    }
    impl Clock for Counting {
        fn now(&self) -> larder_core::Tick {
            self.precise.fetch_add(1, Ordering::Relaxed);
            larder_core::Tick::from_nanos(1)
        }
        fn coarse(&self) -> larder_core::Tick {
            self.coarse.fetch_add(1, Ordering::Relaxed);
            larder_core::Tick::from_nanos(1)
        }
        fn coarse_lag(&self) -> Duration {
            Duration::ZERO
        }
        fn unix_millis(&self) -> u64 {
            0
        }
    }
    let clock = Arc::new(Counting::default());
    let cache =
        Cache::builder().near(Near::mebibytes(1)).clock(Arc::clone(&clock) as _).build().unwrap();
    let family = cache.family::<u32>("number").build();
    value(&family, "k", 1).await;
    value(&family, "k", 1).await; // The first near hit is a sample.
    clock.precise.store(0, Ordering::Relaxed);
    clock.coarse.store(0, Ordering::Relaxed);
    for _ in 0..1_000 {
        value(&family, "k", 1).await;
    }
    assert_eq!(clock.precise.load(Ordering::Relaxed), 0);
    assert_eq!(clock.coarse.load(Ordering::Relaxed), 1_000);
}

#[tokio::test]
async fn families_of_other_types_labels_and_parts_never_share_entries() {
    let bench = Bench::both();
    let label = bench.cache.family::<u32>("other").tags([support::tag()]).build();
    let part = bench.cache.family::<u32>("number").part("x").tags([support::tag()]).build();
    let kind = bench.cache.family::<u64>("number").tags([support::tag()]).build();
    value(&bench.family(), "k", 1).await;
    assert_eq!(value(&label, "k", 2).await, 2);
    assert_eq!(value(&part, "k", 3).await, 3);
    let other = kind.get_or_load("k", || async { Ok::<_, std::io::Error>(4_u64) }).await.unwrap();
    assert_eq!(*other, 4);
    assert_eq!(value(&bench.family(), "k", 5).await, 1);
}

#[tokio::test]
async fn namespaces_keep_services_on_one_far_tier_apart() {
    let clock = ManualClock::new();
    let far: Arc<dyn CacheBackend> =
        Arc::new(MemoryBackend::new(MemoryConfig::default().with_clock(Arc::clone(&clock) as _)));
    let [one, two] = ["one", "two"].map(|namespace| {
        let cache = Cache::builder()
            .far(Arc::clone(&far))
            .clock(Arc::clone(&clock) as _)
            .namespace(namespace);
        cache.build().unwrap().family::<u32>("number").build()
    });
    assert_eq!(value(&one, "k", 1).await, 1);
    assert_eq!(value(&two, "k", 2).await, 2);
}
