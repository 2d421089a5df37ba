//! What is remembered, for how long, and what is counted.

use std::{sync::Arc, time::Duration};

use larder_core::Ttl;
use larder_model::Model;
use larder_schema::{Ensured, SchemaOptions};
use larder_testkit::ManualClock;

use crate::support::{Airline, SqliteStore, block_on};

#[derive(Model)]
#[expect(dead_code, reason = "only its declaration counts")]
struct Airport {
    #[model(key)]
    iata: String,
}

#[test]
fn a_hit_asks_nobody() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        store.fail(true);
        for _ in 0..100 {
            assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        }
        assert!(schema.ensure::<Airport>().await.is_err(), "models do not share a slot");
    });
}

#[test]
fn a_table_that_was_dropped_is_created_again_once_it_is_cleared() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        store.run("DROP TABLE airline").await;
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        assert!(schema.clear_table("AIRLINE"));
        assert!(!schema.clear_table("airline"), "it is cleared already");
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert_eq!(store.ask("SELECT count(*) FROM airline").await, "0");
    });
}

#[test]
fn clearing_forgets_every_table_of_this_cache_and_no_other() {
    block_on(async {
        let (store, other) = (SqliteStore::in_memory().schema(), SqliteStore::in_memory().schema());
        for schema in [&store, &other] {
            schema.ensure::<Airline>().await.unwrap();
            schema.ensure::<Airport>().await.unwrap();
        }
        assert_eq!(store.cached_tables().len(), 2);
        store.clear();
        assert_eq!(store.cached_tables(), []);
        assert!(!store.is_table_ensured::<Airport>());
        assert!(other.is_table_ensured::<Airport>());
        let cached = other.cached_tables();
        let airport = cached.iter().find(|cached| cached.model == "Airport").unwrap();
        assert_eq!(airport.table.as_str(), "airport");
    });
}

#[test]
fn a_caller_s_word_is_taken() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema();
        schema.mark_table_ensured::<Airline>();
        assert!(schema.is_table_ensured::<Airline>());
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        assert_eq!(store.changes(), 0);
    });
}

#[test]
fn a_table_expires_a_fixed_time_after_its_check() {
    block_on(async {
        let clock = ManualClock::new();
        let minute = Ttl::new(Duration::from_secs(60)).unwrap();
        let options =
            SchemaOptions::default()
                .with_time_to_live(minute)
                .with_clock(Arc::<ManualClock>::clone(&clock));
        let store = SqliteStore::in_memory();
        let schema = store.schema_with(options);
        schema.ensure::<Airline>().await.unwrap();
        for _ in 0..59 {
            clock.advance(Duration::from_secs(1));
            assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);
        }
        clock.advance(Duration::from_secs(1));
        assert!(!schema.is_table_ensured::<Airline>());
        assert_eq!(schema.metrics().cached_tables, 0);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Known);

        clock.advance(Duration::from_secs(60));
        store.fail(true);
        assert!(schema.ensure::<Airline>().await.is_err());
        store.fail(false);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}

#[test]
fn a_failure_is_never_a_hit() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema_with(SchemaOptions::default().with_hit_count(true));
        store.fail(true);
        for _ in 0..3 {
            assert!(schema.ensure::<Airline>().await.is_err());
        }
        let metrics = schema.metrics();
        assert_eq!((metrics.hits, metrics.misses), (Some(0), 3));
        assert_eq!((metrics.checks, metrics.failures, metrics.cached_tables), (3, 3, 0));
        store.fail(false);
        assert!(schema.ensure::<Airline>().await.is_ok());
    });
}

#[test]
fn what_happens_is_counted() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let schema = store.schema_with(SchemaOptions::default().with_hit_count(true));
        for _ in 0..4 {
            schema.ensure::<Airline>().await.unwrap();
        }
        let metrics = schema.metrics();
        assert_eq!((metrics.hits, metrics.misses), (Some(3), 1));
        assert_eq!(metrics.hit_rate(), Some(0.75));
        assert_eq!((metrics.checks, metrics.migrations, metrics.failures), (1, 1, 0));
        assert_eq!(metrics.cached_tables, 1);
        assert_eq!(store.schema().metrics().hits, None, "hits are not counted by default");
    });
}
