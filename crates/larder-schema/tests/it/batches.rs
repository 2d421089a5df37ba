//! One pass for all models that need one.

use futures_util::FutureExt as _;
use larder_schema::{Ensured, SchemaError};

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, entries, options};

#[test]
fn the_first_use_checks_every_registered_model() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_model::<Airport>());
        schema.register::<Airline>();
        assert_eq!(schema.models().len(), 2);
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.ensure::<Airport>().await.unwrap(), Ensured::Known);
        assert_eq!(store.passes(), 1);
        assert_eq!(schema.metrics().migrations, 2);
    });
}

#[test]
fn a_pass_leaves_out_what_is_ensured() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        schema.ensure::<Airport>().await.unwrap();
        assert_eq!(store.last_pass(), ["airport"]);
    });
}

#[test]
fn a_model_that_fails_does_not_fail_the_others() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_model::<Airport>());
        store.database.break_table("airport", true);
        assert!(schema.ensure::<Airline>().await.is_ok());
        assert!(schema.ensure::<Airport>().await.is_err());
        assert!(schema.is_table_ensured::<Airline>());
        let outcomes = schema.ensure_all().await;
        let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err());
        assert_eq!(failed.map(|(entry, _)| entry.name()).collect::<Vec<_>>(), ["Airport"]);
        assert_eq!(store.passes(), 3);
    });
}

#[test]
fn all_models_are_ensured_in_one_pass_however_many_fail() {
    block_on(async {
        let models = entries("all", 20);
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_models(models.iter().copied()));
        for number in 0..10 {
            store.database.break_table(&format!("all{number}"), true);
        }
        let outcomes = schema.ensure_all().await;
        let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
        assert_eq!((store.passes(), outcomes.len(), failed), (1, 20, 10));
    });
}

#[test]
fn who_waits_for_one_model_hears_what_became_of_that_one() {
    block_on(async {
        let store = FakeStore::new();
        store.database.set("airline", Some(Shape::Right));
        store.database.set("airport", Some(Shape::Wrong));
        store.hold();
        let schema = store.schema_with(options().with_model::<Airport>());
        let mut airline = Box::pin(schema.ensure::<Airline>());
        assert!((&mut airline).now_or_never().is_none());
        let mut airport = Box::pin(schema.ensure::<Airport>());
        assert!((&mut airport).now_or_never().is_none());
        store.let_through(1);
        assert_eq!(airline.await.unwrap(), Ensured::Verified);
        assert!(matches!(airport.await, Err(SchemaError::Refused { .. })));
        assert_eq!(store.passes(), 1);
    });
}

#[test]
fn who_comes_too_late_for_a_pass_makes_the_next_one() {
    block_on(async {
        let store = FakeStore::new();
        store.hold();
        let schema = store.schema();
        let mut early = Box::pin(schema.ensure::<Airline>());
        assert!((&mut early).now_or_never().is_none());
        let mut late = Box::pin(schema.ensure::<Airport>());
        assert!((&mut late).now_or_never().is_none());
        assert_eq!(store.passes(), 1, "one at a time");
        store.let_through(2);
        early.await.unwrap();
        late.await.unwrap();
        assert_eq!(store.last_pass(), ["airport"]);
    });
}

#[test]
fn tables_are_found_by_the_name_of_the_model_and_of_the_table() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        let Err(SchemaError::UnknownTable { name }) = schema.ensure_table_exists("airline").await
        else {
            panic!("nothing is registered");
        };
        assert_eq!(name, "airline");
        schema.register::<Airline>();
        schema.register::<Airport>();
        let ensured = schema.ensure_table_exists("AIRLINE").await;
        assert!(matches!(ensured, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.ensure_table_exists("Airport").await.unwrap(), Ensured::Known);
        assert!(schema.ensure_table_exists("flight").await.is_err());
    });
}

#[test]
fn a_thousand_models_are_checked_in_one_pass() {
    block_on(async {
        let models = entries("batch", 1_000);
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_models(models.iter().copied()));
        schema.ensure_entry(models[999]).await.unwrap();
        assert_eq!((store.passes(), store.last_pass().len()), (1, 1_000));
        assert!(models.iter().all(|entry| schema.is_entry_ensured(entry)));
    });
}
