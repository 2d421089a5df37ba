//! Processes tell each other what they verified.

use std::{sync::Arc, time::Duration};

use larder_core::{CacheBackend, ErrorKind, MemoryBackend, MemoryConfig, Operation, Ttl};
use larder_schema::{Ensured, Schema, SchemaOptions, StatementFailure};
use larder_testkit::{Fault, FaultBackend, ManualClock};

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, model, options, wait_until};

/// A handle as another process would have it: with a cache of its own.
fn process(store: &Arc<FakeStore>, backend: &Arc<dyn CacheBackend>) -> Schema {
    process_with(store, options().with_second_level(Arc::clone(backend)))
}

fn process_with(store: &Arc<FakeStore>, options: SchemaOptions) -> Schema {
    let options = options.with_max_size(100).with_model::<Airport>();
    Schema::shared("fake", Arc::<FakeStore>::clone(store), options)
}

fn backend() -> Arc<dyn CacheBackend> {
    Arc::new(MemoryBackend::new(MemoryConfig::default()))
}

/// Two tables that a first process has verified and told about.
async fn told() -> (Arc<FakeStore>, Arc<dyn CacheBackend>, Schema) {
    let (store, backend) = (FakeStore::new(), backend());
    for table in ["airline", "airport"] {
        store.database.set(table, Some(Shape::Right));
    }
    let first = process(&store, &backend);
    first.ensure::<Airline>().await.unwrap();
    wait_until(|| backend.stats().puts == 2).await;
    (store, backend, first)
}

#[test]
fn a_fresh_process_starts_warm_with_one_read_and_one_signal() {
    block_on(async {
        let (store, backend, _first) = told().await;
        let (passes, signals) = (store.passes(), store.signals());
        let fresh = process(&store, &backend);
        assert_eq!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Warm);
        assert_eq!(fresh.ensure::<Airport>().await.unwrap(), Ensured::Known);
        assert_eq!((store.passes(), store.signals()), (passes, signals + 1));
        assert_eq!((fresh.metrics().warmed, fresh.metrics().checks), (2, 0));
    });
}

#[test]
fn what_others_say_counts_only_while_the_signal_is_the_same() {
    block_on(async {
        let (store, backend, _first) = told().await;
        store.database.set("airline", None);
        let fresh = process(&store, &backend);
        assert!(matches!(fresh.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        store.fail_signal(true);
        let blind = process(&store, &backend);
        assert_eq!(blind.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn another_model_of_a_table_is_not_taken_for_this_one() {
    model!(
        /// It wants one column less.
        LaterAirline, "airline", "iata"
    );
    block_on(async {
        let (store, backend, _first) = told().await;
        let fresh = process(&store, &backend);
        assert_eq!(fresh.ensure::<LaterAirline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn what_one_process_forgets_all_forget() {
    block_on(async {
        let (store, backend, first) = told().await;
        let second = process(&store, &backend);
        second.ensure::<Airline>().await.unwrap();
        second.look_around().await;
        assert_eq!(store.passes(), 1);
        for forget in 0..3 {
            let passes = store.passes();
            match forget {
                0 => first.clear(),
                1 => assert!(first.clear_table("airline")),
                _ => assert!(
                    first.statement_failed(StatementFailure::UndefinedTable, Some("airline"))
                ),
            }
            let bumps = forget + 1;
            wait_until(|| backend.stats().bumps >= bumps).await;
            let fresh = process(&store, &backend);
            assert_ne!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Warm, "{forget}");
            second.look_around().await;
            assert_eq!(store.passes(), passes + 2, "both have looked: {forget}");
            assert!(second.is_table_ensured::<Airline>());
            first.ensure::<Airline>().await.unwrap();
        }
    });
}

#[test]
fn what_is_forgotten_without_a_runtime_is_told_before_anything_is_asked() {
    let (store, backend, first) = block_on(told());
    first.clear();
    assert_eq!(backend.stats().bumps, 0);
    block_on(async {
        assert_eq!(first.ensure::<Airline>().await.unwrap(), Ensured::Verified);
        assert_eq!(backend.stats().bumps, 1);
        assert_eq!(store.passes(), 2);
    });
}

#[test]
fn a_verification_that_was_overtaken_by_an_invalidation_is_dead_on_arrival() {
    block_on(async {
        let (store, backend) = (FakeStore::new(), backend());
        for table in ["airline", "airport"] {
            store.database.set(table, Some(Shape::Right));
        }
        let slow = process(&store, &backend);
        store.hold();
        let slow_use = tokio::spawn({
            let slow = slow.clone();
            async move { slow.ensure::<Airline>().await }
        });
        store.wait_for_passes(1).await;
        let other = process(&store, &backend);
        other.clear();
        wait_until(|| backend.stats().bumps == 1).await;
        store.let_through(2);
        slow_use.await.unwrap().unwrap();
        wait_until(|| backend.stats().puts == 2).await;
        let fresh = process(&store, &backend);
        assert_eq!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_migration_is_told_to_all() {
    block_on(async {
        let (store, backend, _first) = told().await;
        let second = process(&store, &backend);
        second.ensure::<Airline>().await.unwrap();
        second.look_around().await;
        store.database.set("airline", None);
        let third = process(&store, &backend);
        assert!(matches!(third.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        wait_until(|| backend.stats().bumps == 1).await;
        let passes = store.passes();
        second.look_around().await;
        assert_eq!(store.passes(), passes + 1);
    });
}

#[test]
fn a_time_to_live_counts_from_the_other_s_verification() {
    block_on(async {
        let clock = ManualClock::new();
        let config = MemoryConfig::default().with_clock(Arc::<ManualClock>::clone(&clock));
        let backend: Arc<dyn CacheBackend> = Arc::new(MemoryBackend::new(config));
        let store = FakeStore::new();
        for table in ["airline", "airport"] {
            store.database.set(table, Some(Shape::Right));
        }
        let minute = Duration::from_secs(60);
        let open = || {
            let options = options()
                .with_second_level(Arc::clone(&backend))
                .with_clock(Arc::<ManualClock>::clone(&clock))
                .with_time_to_live(Ttl::new(minute).unwrap())
                .with_jitter(0.0);
            process_with(&store, options)
        };
        open().ensure::<Airline>().await.unwrap();
        wait_until(|| backend.stats().puts == 2).await;
        clock.advance(minute / 2);
        let fresh = open();
        assert_eq!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Warm);
        clock.advance(minute / 2);
        assert_eq!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_cache_that_does_not_answer_is_a_miss() {
    block_on(async {
        let (store, backend, _first) = told().await;
        let hanging = FaultBackend::new(backend);
        hanging.faults().set(Operation::ReadMany, Fault::Hang);
        let options = options()
            .with_second_level(Arc::new(hanging))
            .with_second_level_time_limit(Duration::from_millis(1));
        let fresh = process_with(&store, options);
        assert_eq!(fresh.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_cache_that_fails_is_a_miss() {
    block_on(async {
        let store = FakeStore::new();
        let faulty = FaultBackend::new(backend());
        for operation in [Operation::Bump, Operation::Generations, Operation::ReadMany] {
            faulty.faults().set(operation, Fault::Error(ErrorKind::Unavailable));
        }
        let backend: Arc<dyn CacheBackend> = Arc::new(faulty);
        let schema = process(&store, &backend);
        assert!(schema.ensure::<Airline>().await.is_ok());
        schema.clear();
        assert!(schema.ensure::<Airline>().await.is_ok());
        schema.look_around().await;
        assert!(schema.is_table_ensured::<Airline>());
    });
}
