//! What is remembered, and what is counted.

use std::sync::Arc;

use larder_schema::{Ensured, Policy, SchemaError, TableState};
use larder_testkit::ManualClock;

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, options};

#[test]
fn a_hit_asks_nobody() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        store.fail(true);
        for _ in 0..100 {
            assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        }
        assert_eq!((store.passes(), store.signals()), (1, 0));
        assert!(schema.ensure::<Airport>().await.is_err(), "models do not share a slot");
    });
}

#[test]
fn a_table_that_was_dropped_is_created_again_once_it_is_cleared() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        store.database.set("airline", None);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        assert!(schema.clear_table("AIRLINE"));
        assert!(!schema.clear_table("airline"), "it is cleared already");
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    });
}

#[test]
fn clearing_forgets_every_table_of_this_database_and_no_other() {
    block_on(async {
        let (one, other) = (FakeStore::new().schema(), FakeStore::new().schema());
        for schema in [&one, &other] {
            schema.ensure::<Airline>().await.unwrap();
            schema.ensure::<Airport>().await.unwrap();
        }
        assert_eq!(one.metrics().cached_tables, 2);
        one.clear();
        assert_eq!(one.metrics().cached_tables, 0);
        assert!(!one.is_table_ensured::<Airport>());
        assert!(other.is_table_ensured::<Airport>());
    });
}

#[test]
fn a_caller_s_word_is_taken() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.mark_table_ensured::<Airline>();
        assert!(schema.is_table_ensured::<Airline>());
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        assert_eq!(store.passes(), 0);
    });
}

#[test]
fn a_failure_is_never_a_hit() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options());
        store.fail(true);
        for _ in 0..3 {
            assert!(schema.ensure::<Airline>().await.is_err());
        }
        let metrics = schema.metrics();
        assert_eq!((metrics.hits, metrics.misses), (0, 3));
        assert_eq!((metrics.checks, metrics.failures, metrics.cached_tables), (3, 3, 0));
        store.fail(false);
        assert!(schema.ensure::<Airline>().await.is_ok());
    });
}

#[test]
fn what_happens_is_counted() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options());
        for _ in 0..4 {
            schema.ensure::<Airline>().await.unwrap();
        }
        let metrics = schema.metrics();
        assert_eq!((metrics.hits, metrics.misses), (3, 1));
        assert_eq!(metrics.hit_rate(), Some(0.75));
        assert_eq!((metrics.checks, metrics.migrations, metrics.failures), (1, 1, 0));
        assert_eq!((metrics.cached_tables, metrics.max_size), (1, 1_000));
    });
}

#[test]
fn cached_tables_are_told_about_with_their_history() {
    block_on(async {
        let store = FakeStore::new();
        let clock = ManualClock::new();
        let schema = store.schema_with(options().with_clock(Arc::<ManualClock>::clone(&clock)));
        schema.register::<Airport>();
        store.database.break_table("airport", true);
        schema.ensure::<Airline>().await.unwrap();
        clock.advance(std::time::Duration::from_secs(1));
        schema.clear_table("airline");
        schema.ensure::<Airline>().await.unwrap();

        let tables = schema.cached_tables();
        let [airline, airport] =
            ["airline", "airport"].map(|name| tables.iter().find(|of| of.table.as_str() == name));
        let (airline, airport) = (airline.unwrap(), airport.unwrap());
        assert_eq!((airline.model, airline.state), ("Airline", TableState::Ensured));
        assert_eq!(airline.first_ensured_at_ms, Some(ManualClock::START_UNIX_MILLIS));
        assert_eq!(airline.verified_at_ms, Some(ManualClock::START_UNIX_MILLIS + 1_000));
        assert_eq!((airline.verifications, airline.failures), (2, 0));
        assert!(matches!(airport.state, TableState::Failed { .. }));
        assert_eq!((airport.first_ensured_at_ms, airport.verifications), (None, 0));
        assert_eq!(airport.failures, 2, "each pass tries it");
        let failure = airport.last_failure.as_ref().unwrap();
        assert_eq!(failure, "the database failed while table \"airport\" was checked");

        store.hold();
        schema.clear();
        let mut checking = Box::pin(schema.ensure::<Airline>());
        assert!(futures_util::FutureExt::now_or_never(&mut checking).is_none());
        assert_eq!(schema.cached_tables()[0].state, TableState::Verifying);
        drop(checking);
        assert_eq!(schema.cached_tables()[0].state, TableState::Absent);
    });
}

#[test]
fn who_wants_nothing_remembered_asks_each_time() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_enabled(false));
        schema.mark_table_ensured::<Airline>();
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
        assert_eq!((store.passes(), schema.metrics().misses), (3, 3));
        assert!(!schema.is_table_ensured::<Airline>());
    });
}

#[test]
fn an_existing_schema_is_verified_and_never_changed() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_existing_schema_mode());
        assert_eq!(schema.policy(), Policy::Verify);
        let Err(SchemaError::Refused { policy, plan, refused, .. }) =
            schema.ensure::<Airline>().await
        else {
            panic!("not refused");
        };
        assert_eq!((policy, plan.steps.len(), refused.len()), (Policy::Verify, 1, 1));
        assert_eq!(store.database.shape("airline"), None);
        store.database.set("airline", Some(Shape::Right));
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_refusal_says_what_was_refused() {
    block_on(async {
        let store = FakeStore::new();
        store.database.set("airline", Some(Shape::Wrong));
        let error = store.schema().ensure::<Airline>().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "table \"airline\" is not as its model wants it, and the policy additive does not \
             admit: create table"
        );
        assert_eq!(error.table().unwrap().as_str(), "airline");
        assert_eq!(error.plan().unwrap().steps.len(), 1);
        let full = store.schema_with(options().with_policy(Policy::Full));
        assert!(matches!(full.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    });
}
