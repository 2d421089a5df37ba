//! Many callers, one check.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use larder_schema::{Ensured, Schema, SchemaError};
use tokio::task::{JoinSet, yield_now};

use crate::support::{Airline, SqliteStore, block_on};

const CALLERS: usize = 8;

/// Callers that have all found the table not ensured, behind one check that is held.
async fn held(store: &Arc<SqliteStore>) -> (Arc<Schema>, JoinSet<Result<Ensured, SchemaError>>) {
    store.hold();
    let schema = Arc::new(store.schema());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let schema = Arc::clone(&schema);
        callers.spawn(async move { schema.ensure::<Airline>().await });
    }
    let all_came = async {
        while schema.metrics().misses < CALLERS as u64 {
            yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_came).await.unwrap();
    store.wait_for_fetches(1).await;
    (schema, callers)
}

#[test]
fn callers_at_once_share_one_check() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let (schema, callers) = held(&store).await;
        assert_eq!(schema.metrics().checks, 1);
        store.let_through(1);
        for outcome in callers.join_all().await {
            assert!(matches!(outcome, Ok(Ensured::Migrated { .. })));
        }
        assert_eq!((store.changes(), schema.metrics().checks), (1, 1));
    });
}

#[test]
fn eight_threads_change_the_schema_once() {
    for _ in 0..20 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(CALLERS)
            .enable_time()
            .build()
            .unwrap();
        let store = SqliteStore::in_memory();
        let schema = Arc::new(store.schema());
        let barrier = Arc::new(tokio::sync::Barrier::new(CALLERS));
        runtime.block_on(async {
            let mut callers = JoinSet::new();
            for _ in 0..CALLERS {
                let (schema, barrier) = (Arc::clone(&schema), Arc::clone(&barrier));
                callers.spawn(async move {
                    barrier.wait().await;
                    schema.ensure::<Airline>().await
                });
            }
            assert!(callers.join_all().await.into_iter().all(|outcome| outcome.is_ok()));
        });
        assert_eq!((store.changes(), schema.metrics().checks), (1, 1));
    }
}

#[test]
fn a_failure_reaches_all_who_wait_and_the_next_call_checks_again() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let (schema, callers) = held(&store).await;
        store.fail(true);
        store.let_through(1);
        for outcome in callers.join_all().await {
            let Err(SchemaError::Store { source, .. }) = outcome else { panic!("not failed") };
            assert_eq!(source.to_string(), "the database is on fire");
        }
        assert_eq!((schema.metrics().checks, schema.metrics().failures), (1, 1));
        store.fail(false);
        store.let_through(1);
        assert!(matches!(schema.ensure::<Airline>().await, Ok(Ensured::Migrated { .. })));
    });
}

#[test]
fn a_leader_that_goes_away_hangs_nobody() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.hold();
        let schema = store.schema();
        let mut leader = Box::pin(schema.ensure::<Airline>());
        assert!((&mut leader).now_or_never().is_none());
        let mut waiter = Box::pin(schema.ensure::<Airline>());
        assert!((&mut waiter).now_or_never().is_none());
        drop(leader);
        store.let_through(1);
        assert!(matches!(waiter.await, Ok(Ensured::Migrated { .. })));
        assert_eq!(schema.metrics().checks, 2);
    });
}

#[test]
fn a_check_from_before_a_clear_is_not_remembered_and_not_joined() {
    block_on(async {
        let store = SqliteStore::in_memory();
        store.hold();
        let schema = store.schema();
        let mut early = Box::pin(schema.ensure::<Airline>());
        assert!((&mut early).now_or_never().is_none());
        assert!(!schema.clear_table("airline"));
        let mut late = Box::pin(schema.ensure::<Airline>());
        assert!((&mut late).now_or_never().is_none());
        assert_eq!(schema.metrics().checks, 2, "the late one does not join");

        store.let_through(1);
        assert!(early.await.is_ok(), "its own answer is right all the same");
        assert!(!schema.is_table_ensured::<Airline>());
        store.let_through(1);
        assert_eq!(late.await.unwrap(), Ensured::Verified);
        assert!(schema.is_table_ensured::<Airline>());
    });
}

#[test]
fn a_check_that_fails_outweighs_a_caller_s_word() {
    block_on(async {
        let store = SqliteStore::in_memory();
        let (schema, callers) = held(&store).await;
        schema.mark_table_ensured::<Airline>();
        assert!(schema.is_table_ensured::<Airline>());
        store.fail(true);
        store.let_through(1);
        assert!(callers.join_all().await.iter().all(Result::is_err));
        assert!(!schema.is_table_ensured::<Airline>());
    });
}
