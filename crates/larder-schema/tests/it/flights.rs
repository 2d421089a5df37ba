//! Many callers, one check.

use std::{error::Error as _, sync::Arc};

use futures_util::FutureExt as _;
use larder_schema::{Ensured, Schema, SchemaError};
use tokio::task::JoinSet;

use crate::support::{Airline, FakeStore, OnFire, Shape, block_on, wait_until};

const CALLERS: usize = 8;

/// Callers that have all found the table not ensured, behind one check that is held.
async fn held(store: &Arc<FakeStore>) -> (Schema, JoinSet<Result<Ensured, SchemaError>>) {
    store.hold();
    let schema = store.schema();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let schema = schema.clone();
        callers.spawn(async move { schema.ensure::<Airline>().await });
    }
    wait_until(|| schema.metrics().misses == CALLERS as u64).await;
    store.wait_for_passes(1).await;
    (schema, callers)
}

#[test]
fn callers_at_once_share_one_check() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, callers) = held(&store).await;
        assert_eq!(schema.metrics().checks, 1);
        store.let_through(1);
        for outcome in callers.join_all().await {
            assert!(matches!(outcome, Ok(Ensured::Migrated { .. })));
        }
        assert_eq!((store.passes(), schema.metrics().checks), (1, 1));
    });
}

#[test]
fn eight_threads_make_one_pass() {
    for _ in 0..20 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(CALLERS)
            .enable_time()
            .build()
            .unwrap();
        let store = FakeStore::new();
        let schema = store.schema();
        let barrier = Arc::new(tokio::sync::Barrier::new(CALLERS));
        runtime.block_on(async {
            let mut callers = JoinSet::new();
            for _ in 0..CALLERS {
                let (schema, barrier) = (schema.clone(), Arc::clone(&barrier));
                callers.spawn(async move {
                    barrier.wait().await;
                    schema.ensure::<Airline>().await
                });
            }
            assert!(callers.join_all().await.into_iter().all(|outcome| outcome.is_ok()));
        });
        assert_eq!((store.passes(), schema.metrics().checks), (1, 1));
    }
}

#[test]
fn a_failure_reaches_all_who_wait_and_the_next_call_checks_again() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, callers) = held(&store).await;
        store.fail(true);
        store.let_through(1);
        for outcome in callers.join_all().await {
            let error = outcome.unwrap_err();
            assert!(matches!(error, SchemaError::Store { .. }));
            assert!(error.source().unwrap().is::<OnFire>(), "the database's own error");
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
        let store = FakeStore::new();
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
        let store = FakeStore::new();
        store.hold();
        let schema = store.schema();
        let mut early = Box::pin(schema.ensure::<Airline>());
        assert!((&mut early).now_or_never().is_none());
        assert!(!schema.clear_table("airline"));
        let mut late = Box::pin(schema.ensure::<Airline>());
        assert!((&mut late).now_or_never().is_none());

        store.let_through(1);
        assert!(early.await.is_ok(), "its own answer is right all the same");
        assert!(!schema.is_table_ensured::<Airline>());
        store.let_through(1);
        assert_eq!(late.await.unwrap(), Ensured::Verified);
        assert!(schema.is_table_ensured::<Airline>());
        assert_eq!(schema.metrics().checks, 2, "the late one did not join");
    });
}

#[test]
fn a_check_that_fails_outweighs_a_caller_s_word() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, callers) = held(&store).await;
        schema.mark_table_ensured::<Airline>();
        assert!(schema.is_table_ensured::<Airline>());
        store.fail(true);
        store.let_through(1);
        assert!(callers.join_all().await.iter().all(Result::is_err));
        assert!(!schema.is_table_ensured::<Airline>());
    });
}

#[test]
fn a_check_that_everybody_left_is_begun_anew() {
    block_on(async {
        let store = FakeStore::new();
        let (schema, mut callers) = held(&store).await;
        callers.abort_all();
        while callers.join_next().await.is_some() {}
        store.database.set("airline", Some(Shape::Right));
        store.let_through(1);
        assert_eq!(schema.ensure::<Airline>().await.unwrap(), Ensured::Verified);
    });
}
