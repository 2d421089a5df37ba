//! Somebody else changes tables.

use std::time::Duration;

use larder_schema::{Ensured, Noticed, SchemaEvent, StatementFailure};

use crate::support::{Airline, Airport, FakeStore, Shape, block_on, options, wait_until};

#[test]
fn a_statement_that_fails_has_its_table_checked() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_model::<Airport>());
        schema.ensure::<Airline>().await.unwrap();
        let mut events = schema.events();
        store.database.set("airline", None);

        assert!(schema.statement_failed(StatementFailure::UndefinedTable, Some("Airline")));
        let Ok(SchemaEvent::Drifted { model, table, noticed }) = events.try_recv() else {
            panic!("nothing was told");
        };
        assert_eq!((model, table.as_str(), noticed), ("Airline", "airline", Noticed::Statement));
        assert_eq!(schema.metrics().drifts, 1);
        assert!(schema.is_table_ensured::<Airport>());
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert!(matches!(events.try_recv(), Ok(SchemaEvent::Migrated { .. })));
        assert_eq!(schema.metrics().drifts, 1, "it is one drift");

        assert!(!schema.statement_failed(StatementFailure::UndefinedTable, Some("flight")));
        assert_eq!(schema.metrics().drifts, 1, "of a table that is none of ours");
    });
}

#[test]
fn a_statement_that_fails_without_saying_why_has_all_tables_looked_at() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema_with(options().with_model::<Airport>());
        schema.ensure::<Airline>().await.unwrap();
        for failure in [StatementFailure::UndefinedColumn, StatementFailure::ChangedSchema] {
            assert!(schema.statement_failed(failure, None));
            assert!(!schema.is_table_ensured::<Airport>());
            assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
            assert!(schema.is_table_ensured::<Airport>());
        }
        assert_eq!(schema.metrics().drifts, 0, "it was a false alarm");
        store.database.set("airport", None);
        schema.statement_failed(StatementFailure::ChangedSchema, Some("whatever"));
        schema.ensure::<Airline>().await.unwrap();
        assert_eq!(schema.metrics().drifts, 1);
    });
}

#[test]
fn a_look_around_leaves_what_is_as_it_was_and_changes_nothing() {
    block_on(async {
        let store = FakeStore::new();
        for table in ["airline", "airport"] {
            store.database.set(table, Some(Shape::Right));
        }
        let schema = store.schema_with(options().with_model::<Airport>());
        schema.ensure::<Airline>().await.unwrap();
        schema.look_around().await;
        let passes = store.passes();
        schema.look_around().await;
        assert_eq!(store.passes(), passes, "nothing was changed: nothing is looked at");

        store.database.set("airline", None);
        schema.look_around().await;
        assert_eq!(store.last_pass().len(), 2);
        assert!(schema.is_table_ensured::<Airport>());
        assert!(!schema.is_table_ensured::<Airline>());
        assert_eq!(store.database.shape("airline"), None, "it only looks");
        assert_eq!(schema.metrics().drifts, 1);
        assert_eq!(schema.metrics().failures, 0, "nobody's use has failed");
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.metrics().drifts, 1);
    });
}

#[test]
fn a_database_that_is_away_is_no_alarm() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        schema.look_around().await;
        store.fail_signal(true);
        schema.look_around().await;
        assert!(schema.is_table_ensured::<Airline>());
        store.fail_signal(false);
        store.database.unrelated_change();
        store.fail(true);
        schema.look_around().await;
        assert!(!schema.is_table_ensured::<Airline>(), "an alarm that nobody could look into");
        store.fail(false);
        schema.look_around().await;
        assert!(schema.is_table_ensured::<Airline>(), "the next look settles it");
    });
}

#[test]
fn a_watch_looks_around_until_it_is_dropped() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        let watch = schema.watch(larder_schema::Schema::WATCH_INTERVAL);
        wait_until(|| store.signals() == 1).await;
        store.database.set("airline", Some(Shape::Wrong));
        tokio::time::advance(Duration::from_secs(1)).await;
        wait_until(|| schema.metrics().drifts == 1).await;
        assert!(!schema.is_table_ensured::<Airline>());
        drop(watch);
        tokio::task::yield_now().await;
        let signals = store.signals();
        tokio::time::advance(Duration::from_secs(60)).await;
        tokio::task::yield_now().await;
        assert_eq!(store.signals(), signals);
    });
}

#[test]
fn a_use_during_a_look_waits_for_it_and_mends_what_it_found() {
    block_on(async {
        let store = FakeStore::new();
        let schema = store.schema();
        schema.ensure::<Airline>().await.unwrap();
        store.database.set("airline", None);
        store.hold();
        let looking = tokio::spawn({
            let schema = schema.clone();
            async move { schema.look_around().await }
        });
        store.wait_for_passes(2).await;
        let using = tokio::spawn({
            let schema = schema.clone();
            async move { schema.ensure::<Airline>().await }
        });
        wait_until(|| schema.metrics().misses == 2).await;
        store.let_through(2);
        looking.await.unwrap();
        assert!(matches!(using.await.unwrap(), Ok(Ensured::Migrated { .. })));
    });
}

#[test]
fn an_alarm_during_a_check_keeps_it_from_being_remembered() {
    for alarm in 0..2 {
        block_on(async {
            let store = FakeStore::new();
            store.database.set("airline", Some(Shape::Right));
            let schema = store.schema();
            schema.look_around().await;
            store.hold_after_the_look();
            let checking = tokio::spawn({
                let schema = schema.clone();
                async move { schema.ensure::<Airline>().await }
            });
            store.wait_for_passes(1).await;
            // It has been looked at, and nobody has heard of that.
            store.database.set("airline", None);
            match alarm {
                0 => schema.look_around().await,
                _ => assert!(!schema.statement_failed(StatementFailure::ChangedSchema, None)),
            }
            store.let_through(2);
            assert_eq!(checking.await.unwrap().unwrap(), Ensured::Verified);
            assert!(!schema.is_table_ensured::<Airline>(), "it was so, and may be no more");
            assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
            assert!(schema.is_table_ensured::<Airline>());
        });
    }
}
