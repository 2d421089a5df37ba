//! What a failing, hanging or lying far tier can do to a caller: nothing.

use std::{sync::Arc, time::Duration};

use larder_cache::{Cache, Near, Source, Tier};
use larder_core::{CacheBackend, ErrorKind, MemoryBackend, MemoryConfig, Operation};
use larder_testkit::{Fault, FaultBackend, Faults, ManualClock};

use crate::support::{Bench, Counted, load, tag, value};

/// Every operation that a read can come to.
const OPERATIONS: [Operation; 8] = [
    Operation::Fill,
    Operation::Generations,
    Operation::Lease,
    Operation::Read,
    Operation::Release,
    Operation::Remove,
    Operation::Renew,
    Operation::Watch,
];

fn faulty(has_near: bool) -> (Bench, Faults) {
    let clock = ManualClock::new();
    let memory = MemoryConfig::default().with_clock(Arc::clone(&clock) as _);
    let backend = FaultBackend::new(Arc::new(MemoryBackend::new(memory)));
    let faults = backend.faults();
    (Bench::of(has_near, Some(Arc::new(backend)), clock), faults)
}

#[tokio::test(start_paused = true)]
async fn whatever_operation_fails_or_hangs_the_loader_answers() {
    let faults_of = |operation| {
        [
            (operation, Fault::Error(ErrorKind::Unavailable)),
            (operation, Fault::Error(ErrorKind::Timeout)),
            (operation, Fault::Hang),
            (operation, Fault::HangAfter),
            (operation, Fault::Lost(ErrorKind::Timeout)),
        ]
    };
    for has_near in [true, false] {
        for (operation, fault) in OPERATIONS.into_iter().flat_map(faults_of) {
            let (bench, faults) = faulty(has_near);
            faults.set(operation, fault);
            let family = bench.family();
            for number in 1..=3 {
                let before = bench.cache.stats().far.unwrap().errors;
                let answer = value(&family, &format!("{number}"), number).await;
                assert_eq!(answer, number, "{operation} {before}");
            }
            faults.clear();
        }
    }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "time limits go by tokio's clock, here paused")]
async fn a_hanging_far_tier_costs_its_time_limit_and_then_nothing() {
    let (bench, faults) = faulty(false);
    for operation in OPERATIONS {
        faults.set(operation, Fault::Hang);
    }
    let family = bench.family();
    let before = tokio::time::Instant::now();
    for key in 0..3_u32 {
        family.get_or_load(&key.to_be_bytes(), load(1)).await.unwrap();
    }
    let limit = Duration::from_secs(5); // As the bench configures it.
    assert_eq!(before.elapsed().as_secs(), 3 * limit.as_secs(), "one limit per read");

    let before = tokio::time::Instant::now();
    for key in 100..200_u32 {
        family.get_or_load(&key.to_be_bytes(), load(1)).await.unwrap();
    }
    assert_eq!(before.elapsed(), Duration::ZERO, "the breaker is open");
    let far = bench.cache.stats().far.unwrap();
    assert!(far.is_open && far.skipped == 100, "{far:?}");
}

#[tokio::test(start_paused = true)]
async fn a_far_tier_that_recovers_is_used_again() {
    let (bench, faults) = faulty(false);
    let family = bench.family();
    faults.set(Operation::Read, Fault::Error(ErrorKind::Unavailable));
    for _ in 0..5 {
        assert_eq!(value(&family, "k", 1).await, 1);
    }
    faults.clear();
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(value(&family, "k", 2).await, 2, "the probe is a miss that fills");
    let hit = family.get_or_load("k", load(3)).await.unwrap();
    assert_eq!((*hit, hit.source()), (2, Source::Hit(Tier::Far)));
}

#[tokio::test(start_paused = true)]
async fn without_the_far_tier_the_near_tier_serves_for_the_staleness_bound_only() {
    let (bench, faults) = faulty(true);
    faults.set(Operation::Read, Fault::Error(ErrorKind::Unavailable));
    let family = bench.family();
    let counted = Counted::new();
    for _ in 0..10 {
        family.get_or_load("k", counted.load(1)).await.unwrap();
    }
    assert_eq!(counted.loads(), 1, "the near tier shields the loader");
    bench.clock.advance(Duration::from_secs(1));
    family.get_or_load("k", counted.load(1)).await.unwrap();
    assert_eq!(counted.loads(), 2, "nobody vouches for it any longer");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_fails_is_pending_here_at_once_and_delivered_later() {
    for has_near in [true, false] {
        let (bench, faults) = faulty(has_near);
        let other = bench.another_process();
        let (mine, theirs) = (bench.family(), other.family());
        assert_eq!(value(&mine, "k", 1).await, 1);
        faults.set(Operation::Bump, Fault::Error(ErrorKind::Unavailable));
        let outcome = bench.cache.invalidate_tags(&[tag()]).await;
        assert!(!outcome.is_applied());
        assert_eq!(bench.cache.stats().far.unwrap().pending_invalidations, 1);
        assert_eq!(value(&mine, "k", 2).await, 2, "this process reads its own writes");
        assert_eq!(value(&theirs, "k", 3).await, 1, "others do not know yet");

        faults.clear();
        while bench.cache.stats().far.unwrap().pending_invalidations > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bench.clock.advance(Duration::from_secs(2));
        assert!(value(&theirs, "k", 4).await != 1, "delivered");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_of_a_key_or_of_everything_is_retried_too() {
    let (bench, faults) = faulty(true);
    let family = bench.family();
    value(&family, "k", 1).await;
    faults.set(Operation::RemoveMany, Fault::Error(ErrorKind::Unavailable));
    faults.set(Operation::Clear, Fault::Error(ErrorKind::Unavailable));
    assert!(family.invalidate("k").await.applied().is_err());
    assert_eq!(value(&family, "k", 2).await, 2);
    assert!(bench.cache.clear().await.applied().is_err());
    assert_eq!(value(&family, "k", 3).await, 3);
    faults.clear();
    while bench.cache.stats().far.unwrap().pending_invalidations > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stored = bench.far.unwrap().read(&family.key("k".into()), &[]).await.unwrap();
    assert_eq!(stored.value, None, "cleared at last");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_whose_answer_is_lost_is_applied_and_reported_as_pending() {
    let (bench, faults) = faulty(true);
    let family = bench.family();
    value(&family, "k", 1).await;
    faults.set_next(Operation::Bump, Fault::Lost(ErrorKind::Timeout), 1);
    assert!(!bench.cache.invalidate_tags(&[tag()]).await.is_applied());
    let other = bench.another_process().family();
    assert_eq!(value(&other, "k", 2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_invalidation_still_reaches_the_far_tier() {
    let (bench, faults) = faulty(false);
    let family = bench.family();
    value(&family, "k", 1).await;
    faults.set(Operation::Bump, Fault::Hang);
    let cache = bench.cache.clone();
    let dropped = tokio::time::timeout(Duration::from_millis(1), async move {
        drop(cache.invalidate_tags(&[tag()]).await);
    });
    assert!(dropped.await.is_err());
    faults.clear();
    let other = bench.another_process().family();
    while value(&other, "k", 2).await == 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_fill_is_counted_and_its_value_not_kept() {
    let (bench, faults) = faulty(true);
    faults.set(Operation::Fill, Fault::Refuse);
    let family = bench.family();
    assert_eq!(value(&family, "k", 1).await, 1);
    faults.clear();
    assert_eq!(value(&family, "k", 2).await, 2);
    assert_eq!(bench.cache.stats().keyspaces["number"].refused, 1);
}

#[tokio::test]
async fn a_value_that_is_too_large_for_the_far_tier_is_served_from_the_near_tier() {
    let mut config = MemoryConfig::default();
    config.value_bytes_max = 1_000;
    let far: Arc<dyn CacheBackend> = Arc::new(MemoryBackend::new(config));
    let cache = Cache::builder().near(Near::mebibytes(4)).far(far).build().unwrap();
    let family = cache.family::<String>("text").build();
    for expected in [Source::Miss, Source::Hit(Tier::Near)] {
        let load = || async { Ok::<_, std::io::Error>("x".repeat(2_000)) };
        let answer = family.get_or_load("k", load).await.unwrap();
        assert_eq!((answer.len(), answer.source()), (2_000, expected));
    }
    assert!(!cache.stats().far.unwrap().is_open, "the far tier is well");
}

#[tokio::test(start_paused = true)]
async fn what_a_replaced_node_acknowledged_is_sent_to_its_successor() {
    let clock = ManualClock::new();
    let node = || {
        let config = MemoryConfig::default().with_clock(Arc::clone(&clock) as _);
        Arc::new(MemoryBackend::new(config)) as Arc<dyn CacheBackend>
    };
    let (old, new) = (node(), node());
    let to_writer = FaultBackend::new(old);
    let writer = Bench::of(false, Some(Arc::new(to_writer.clone())), Arc::clone(&clock));
    let reader = Bench::of(false, Some(Arc::clone(&new)), Arc::clone(&clock));
    let (writers, readers) = (writer.family(), reader.family());

    // The reader knows the successor already; the writer's invalidation goes to the old node.
    assert_eq!(value(&readers, "k", 1).await, 1);
    assert!(writers.invalidate("k").await.is_applied());
    assert!(writer.cache.invalidate_tags(&[tag()]).await.is_applied());
    assert_eq!(value(&readers, "k", 2).await, 1, "nobody told the successor");

    to_writer.fail_over(new);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(value(&readers, "k", 2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_too_large_for_the_far_tier_is_served_and_counted() {
    let (bench, faults) = faulty(false);
    faults.set(Operation::Fill, Fault::Error(ErrorKind::TooLarge));
    let family = bench.family();
    for number in 1..=5 {
        assert_eq!(value(&family, "k", number).await, number);
    }
    let far = bench.cache.stats().far.unwrap();
    assert_eq!((far.too_large, far.errors, far.is_open), (5, 0, false), "{far:?}");
}
