//! For how long an answer is trusted.

use std::{sync::Arc, time::Duration};

use larder_core::Ttl;
use larder_schema::{Ensured, Schema, SchemaOptions, Validation};
use larder_testkit::ManualClock;

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, options, wait_until};

const SECOND: Duration = Duration::from_secs(1);

fn minute() -> Ttl {
    Ttl::new(60 * SECOND).unwrap()
}

fn timed(clock: &Arc<ManualClock>) -> SchemaOptions {
    options().with_clock(Arc::<ManualClock>::clone(clock)).with_jitter(0.0)
}

async fn ensure(schema: &Schema) -> Ensured {
    schema.ensure::<Airline>().await.unwrap()
}

#[test]
fn a_table_expires_a_fixed_time_after_its_check_however_often_it_is_used() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let schema = store.schema_with(timed(&clock).with_time_to_live(minute()));
        ensure(&schema).await;
        for _ in 0..59 {
            clock.advance(SECOND);
            assert_eq!(ensure(&schema).await, Ensured::Known);
        }
        clock.advance(SECOND);
        assert!(!schema.is_table_ensured::<Airline>());
        assert_eq!(schema.metrics().cached_tables, 0);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
        assert_eq!(ensure(&schema).await, Ensured::Known);
        assert_eq!(schema.metrics().expired, 1);

        clock.advance(60 * SECOND);
        store.fail(true);
        assert!(schema.ensure::<Airline>().await.is_err());
        store.fail(false);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
    });
}

#[test]
fn time_counts_from_before_the_check() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let schema = store.schema_with(timed(&clock).with_time_to_live(minute()));
        store.hold();
        let mut check = Box::pin(schema.ensure::<Airline>());
        assert!(futures_util::FutureExt::now_or_never(&mut check).is_none());
        clock.advance(60 * SECOND);
        store.let_through(1);
        check.await.unwrap();
        assert!(!schema.is_table_ensured::<Airline>());
    });
}

#[test]
fn jitter_only_shortens() {
    block_on(async {
        let clock = ManualClock::new();
        let schemas: Vec<_> = (0..50)
            .map(|_| {
                let options = timed(&clock).with_time_to_live(minute()).with_jitter(0.5);
                FakeStore::new().schema_with(options)
            })
            .collect();
        for schema in &schemas {
            ensure(schema).await;
        }
        let ensured = || schemas.iter().filter(|of| of.is_table_ensured::<Airline>()).count();
        clock.advance(30 * SECOND - Duration::from_millis(1));
        assert_eq!(ensured(), 50, "never by more than the share");
        clock.advance(15 * SECOND);
        assert!((1..50).contains(&ensured()), "at various times");
        clock.advance(15 * SECOND + Duration::from_millis(1));
        assert_eq!(ensured(), 0, "never later");
    });
}

#[test]
fn a_stale_table_is_used_while_it_is_verified_and_not_after_a_failure() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let options = timed(&clock).with_time_to_live(minute()).with_stale_while_verify(9 * SECOND);
        let schema = store.schema_with(options);
        ensure(&schema).await;
        clock.advance(60 * SECOND);
        store.hold();
        for _ in 0..3 {
            assert_eq!(ensure(&schema).await, Ensured::Known, "nobody waits");
        }
        store.wait_for_passes(2).await;
        store.let_through(1);
        wait_until(|| schema.is_table_ensured::<Airline>()).await;
        assert_eq!(store.passes(), 2, "one verification for all of them");

        clock.advance(60 * SECOND);
        store.fail(true);
        store.let_through(2);
        assert_eq!(ensure(&schema).await, Ensured::Known);
        wait_until(|| schema.metrics().failures == 1).await;
        assert!(schema.ensure::<Airline>().await.is_err(), "after a failure it counts no more");

        store.fail(false);
        store.let_through(1);
        ensure(&schema).await;
        clock.advance(69 * SECOND);
        store.let_through(1);
        assert_eq!(ensure(&schema).await, Ensured::Verified, "too stale: it is waited for");
    });
}

#[test]
fn a_signal_that_is_unchanged_is_all_that_a_validation_costs() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let validation = Validation::Signal { every: 10 * SECOND };
        let schema = store.schema_with(timed(&clock).with_validation(validation));
        store.database.set("airline", Some(Shape::Right));
        ensure(&schema).await;
        let (passes, signals) = (store.passes(), store.signals());
        for _ in 0..9 {
            clock.advance(SECOND);
            assert_eq!(ensure(&schema).await, Ensured::Known);
        }
        assert_eq!(store.signals(), signals, "not before its time");
        clock.advance(SECOND);
        assert_eq!(ensure(&schema).await, Ensured::Known);
        assert_eq!(ensure(&schema).await, Ensured::Known);
        assert_eq!((store.passes(), store.signals()), (passes, signals + 1));
    });
}

#[test]
fn a_signal_that_changed_has_every_table_looked_at() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let validation = Validation::Signal { every: SECOND };
        let schema = store.schema_with(timed(&clock).with_validation(validation));
        for table in ["airline", "airport"] {
            store.database.set(table, Some(Shape::Right));
        }
        ensure(&schema).await;
        schema.ensure::<Airport>().await.unwrap();
        store.database.unrelated_change();
        clock.advance(SECOND);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
        assert_eq!(store.last_pass().len(), 2);
        assert_eq!(schema.ensure::<Airport>().await.unwrap(), Ensured::Known);
        assert_eq!(schema.metrics().drifts, 0, "a false alarm is no drift");

        store.database.set("airport", None);
        clock.advance(SECOND);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
        assert_eq!(schema.metrics().drifts, 1);
        assert_eq!(store.database.shape("airport"), Some(Shape::Right), "made again with it");
    });
}

#[test]
fn without_a_signal_nothing_is_trusted() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let validation = Validation::Signal { every: SECOND };
        let schema = store.schema_with(timed(&clock).with_validation(validation));
        ensure(&schema).await;
        store.fail_signal(true);
        clock.advance(SECOND);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
        store.fail(true);
        clock.advance(SECOND);
        assert!(schema.ensure::<Airline>().await.is_err());
    });
}

#[test]
fn tokens_are_compared_at_every_interval() {
    block_on(async {
        let (store, clock) = (FakeStore::new(), ManualClock::new());
        let validation = Validation::Tokens { every: SECOND };
        let schema = store.schema_with(timed(&clock).with_validation(validation));
        store.database.set("airline", Some(Shape::Right));
        clock.advance(SECOND);
        ensure(&schema).await;
        // The first interval counts from the first validation.
        ensure(&schema).await;
        let passes = store.passes();
        assert_eq!(ensure(&schema).await, Ensured::Known);
        clock.advance(SECOND);
        assert_eq!(ensure(&schema).await, Ensured::Verified);
        assert_eq!((store.passes(), store.signals()), (passes + 1, 0));
    });
}
