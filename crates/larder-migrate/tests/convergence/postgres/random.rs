//! Random models: what is made of them reads like them, and a plan leads from any to any other.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU32, Ordering},
};

use larder_migrate::{Session, Target, introspect, normalise};
use larder_model::{
    Catalog, Class, ColumnKind, Dialect, Lowered, Plan, Scope, TableModel, testing,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::Runtime;

use super::{RESET, databases::with_databases};
use crate::harness::Scratch;

const ALL: Target = Target::Schema(None);

fn lowered(model: &TableModel) -> Lowered {
    Dialect::Postgres.lower(model, None).unwrap()
}

async fn create(session: &mut dyn Session, model: Lowered) {
    let empty = Catalog::default();
    let desired = Catalog { enums: model.enums, tables: vec![model.table] };
    apply(session, &Plan::between(Dialect::Postgres, &Scope::Exact, &empty, &desired)).await;
}

async fn apply(session: &mut dyn Session, plan: &Plan) {
    for sql in plan.statements() {
        let ran = session.run(sql).await;
        ran.unwrap_or_else(|error| panic!("{error:?}\n{sql}\n{plan:#?}"));
    }
}

/// Runs a property with a session with an empty database.
fn holds_for<S>(
    cases: u32,
    strategy: S,
    property: impl AsyncFn(&mut dyn Session, S::Value) -> Result<(), TestCaseError> + Send + 'static,
) where
    S: Strategy + Send + 'static,
    S::Value: Send,
{
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    Runtime::new().unwrap().block_on(with_databases(move |[url]: [String; 1]| async move {
        let done = tokio::task::spawn_blocking(move || {
            let runtime = Runtime::new().unwrap();
            let scratch = RefCell::new(runtime.block_on(Scratch::open(&url)));
            TestRunner::new(config).run(&strategy, |value| {
                let scratch = &mut *scratch.borrow_mut();
                runtime.block_on(async {
                    // A case that failed may have left a transaction behind.
                    scratch.session.run("ROLLBACK").await.unwrap();
                    scratch.load(RESET).await;
                    property(&mut *scratch.session, value).await
                })
            })
        });
        done.await.unwrap().unwrap_or_else(|failed| panic!("{failed}"));
    }));
}

/// Whether a text for such a column may be printed otherwise than it was written.
const fn is_rewritten(kind: ColumnKind) -> bool {
    use ColumnKind::{Date, Json, Time, Timestamp, TimestampUtc};
    matches!(kind, Date | Json | Time | Timestamp | TimestampUtc)
}

#[test]
#[ignore = "needs a live service"]
fn what_is_made_of_a_model_reads_like_the_model() {
    holds_for(48, testing::table_model(Dialect::Postgres), async |session, table| {
        let model = lowered(&table);
        let normal = normalise(session, vec![model.clone()]).await.unwrap();
        create(session, model.clone()).await;
        let found = introspect(session, &ALL).await.unwrap();
        for scope in [Scope::Exact, Scope::managed()] {
            let left = Plan::between(Dialect::Postgres, &scope, &found, &normal);
            prop_assert!(left.is_empty(), "{:#?}", left);
            prop_assert!(left.unmanaged.is_empty(), "{:#?}", left.unmanaged);
        }
        prop_assert_eq!(found.fingerprint(), normal.fingerprint());
        let again = introspect(session, &ALL).await.unwrap();
        prop_assert_eq!(&again, &found);
        // Types and most constants need no server to be printed.
        let found = &found.tables[0];
        for (declared, column) in table.columns().iter().zip(&model.table.columns) {
            let found = found.column(&column.name).unwrap();
            prop_assert_eq!(&column.ty, &found.ty);
            prop_assert_eq!(&column.collation, &found.collation);
            prop_assert_eq!(&column.comment, &found.comment);
            if !is_rewritten(declared.data_type.kind()) {
                prop_assert_eq!(&column.default, &found.default);
            }
        }
        Ok(())
    });
}

#[test]
#[ignore = "needs a live service"]
fn a_plan_leads_from_any_table_to_any_other_and_back() {
    static APPLIED: AtomicU32 = AtomicU32::new(0);
    const CASES: u32 = 60;
    let pairs = (testing::pair(Dialect::Postgres), any::<bool>());
    holds_for(CASES, pairs, async |session, ((before, after), is_exact)| {
        let scope = if is_exact { Scope::Exact } else { Scope::managed() };
        create(session, lowered(&before)).await;
        let found = introspect(session, &ALL).await.unwrap();
        let mut model = lowered(&after);
        if !is_exact {
            model.admit_types(Dialect::Postgres, &found);
        }
        let wanted = normalise(session, vec![model]).await.unwrap();
        let plan = Plan::between(Dialect::Postgres, &scope, &found, &wanted);
        if plan.steps.iter().any(|step| step.class >= Class::Ambiguous) {
            return Ok(());
        }
        APPLIED.fetch_add(1, Ordering::Relaxed);
        for step in &plan.steps {
            if let Some(probe) = &step.probe {
                let rows = session.fetch(&probe.sql, &[]).await;
                let rows = rows.unwrap_or_else(|error| panic!("{error:?}\n{step:#?}"));
                prop_assert_eq!(rows[0][0].as_integer(), Some(0));
            }
        }
        apply(session, &plan).await;
        let reached = introspect(session, &ALL).await.unwrap();
        let left = Plan::between(Dialect::Postgres, &scope, &reached, &wanted);
        prop_assert!(left.is_empty(), "left: {:#?}\nplan: {:#?}", left, plan);
        if is_exact {
            prop_assert_eq!(reached.fingerprint(), wanted.fingerprint());
        }
        Ok(())
    });
    let applied = APPLIED.load(Ordering::Relaxed);
    assert!(applied > CASES / 4, "only {applied} of {CASES} pairs had a plan");
}
