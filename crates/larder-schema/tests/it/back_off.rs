//! After a failure, nobody asks for a while.

use std::{error::Error as _, sync::Arc, time::Duration};

use larder_schema::{BackOff, Ensured, Schema, SchemaError, TableState};
use larder_testkit::ManualClock;

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, options};

const MINUTE: Duration = Duration::from_secs(60);

fn schema(store: &Arc<FakeStore>) -> (Schema, Arc<ManualClock>) {
    let clock = ManualClock::new();
    let options = options().with_clock(Arc::<ManualClock>::clone(&clock));
    (store.schema_with(options.with_back_off(BackOff::new(MINUTE, MINUTE))), clock)
}

/// Fails until the pause that was drawn is not over at once.
async fn fail(schema: &Schema, clock: &ManualClock) -> Duration {
    for _ in 0..100 {
        assert!(schema.ensure::<Airline>().await.is_err());
        let tables = schema.cached_tables();
        let state = tables.iter().find(|of| of.model == "Airline").unwrap().state;
        let TableState::Failed { retry_in } = state else { panic!("{state:?}") };
        if !retry_in.is_zero() {
            return retry_in;
        }
        clock.advance(Duration::from_millis(1));
    }
    panic!("no pause in a hundred");
}

#[test]
fn a_use_in_the_pause_hears_the_last_failure_and_asks_nobody() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, clock) = schema(&store);
        store.fail(true);
        let pause = fail(&schema, &clock).await;
        assert!(pause <= MINUTE);
        store.fail(false);
        let passes = store.passes();

        let error = schema.ensure::<Airline>().await.unwrap_err();
        let SchemaError::BackingOff { table, retry_in, cause } = &error else { panic!("{error}") };
        assert_eq!((table.as_str(), *retry_in), ("airline", pause));
        assert!(matches!(**cause, SchemaError::Store { .. }));
        assert!(error.source().unwrap().source().is_some(), "down to the database's own");
        assert_eq!(store.passes(), passes);
        assert_eq!(schema.metrics().backed_off, 1);
        assert!(!schema.is_table_ensured::<Airline>());

        clock.advance(pause);
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.cached_tables()[0].failures, 0);
    });
}

#[test]
fn others_pass_without_the_one_that_pauses() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, clock) = schema(&store);
        store.database.set("airline", Some(Shape::Wrong));
        fail(&schema, &clock).await;
        schema.ensure::<Airport>().await.unwrap();
        assert_eq!(store.last_pass(), ["airport"]);
    });
}

#[test]
fn a_clear_ends_the_pause() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, clock) = schema(&store);
        store.fail(true);
        fail(&schema, &clock).await;
        store.fail(false);
        assert!(!schema.clear_table("airline"));
        assert!(schema.ensure::<Airline>().await.is_ok());
    });
}

#[test]
fn a_caller_s_word_ends_the_pause() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, clock) = schema(&store);
        store.fail(true);
        fail(&schema, &clock).await;
        schema.mark_table_ensured::<Airline>();
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
    });
}

#[test]
fn it_is_tried_again_however_often_it_failed() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, clock) = schema(&store);
        store.fail(true);
        for _ in 0..200 {
            let _ = schema.ensure::<Airline>().await;
            clock.advance(MINUTE);
        }
        assert_eq!(store.passes(), 200);
        assert_eq!(schema.cached_tables()[0].failures, 200);
        store.fail(false);
        assert!(schema.ensure::<Airline>().await.is_ok());
    });
}
