//! References that go for a while: what happens to them when a run does not come to its end, or
//! must not go on.
//!
//! What runs that are killed leave behind is in `kept`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use larder_migrate::{MigrateError, Migrator, ModelRef, Standing};
use larder_model::{Class, ColumnKind, Dialect, Policy, TableModel};

use crate::{
    kept::{child, make_family, parent, refers, refs},
    support::{Scratch, Script, Scripted, options, until},
};

/// The first statement after the reference went for good: on PostgreSQL what went in the same
/// transaction would come back with it.
fn is_next(sql: &str) -> bool {
    sql.contains("` MODIFY COLUMN `") || sql.starts_with("CREATE UNIQUE INDEX CONCURRENTLY")
}

/// Stops for ever, or has a step fail, while the reference is off.
#[derive(Debug)]
struct Interrupt {
    fails: bool,
    is_off: AtomicBool,
    is_there: Arc<AtomicBool>,
}

#[async_trait]
impl Script for Interrupt {
    async fn before(&self, sql: &str) {
        if sql.contains("DROP FOREIGN KEY") || sql.contains("DROP CONSTRAINT \"child_refers\"") {
            self.is_off.store(true, Ordering::SeqCst);
        } else if !self.fails && self.is_off.load(Ordering::SeqCst) && is_next(sql) {
            self.is_there.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    fn breaks(&self, sql: &str) -> bool {
        self.fails && self.is_off.load(Ordering::SeqCst) && is_next(sql)
    }
}

fn interrupted(scratch: &Scratch, fails: bool) -> (Migrator, Arc<AtomicBool>) {
    let is_there = Arc::new(AtomicBool::new(false));
    let script =
        Interrupt { fails, is_off: AtomicBool::new(false), is_there: Arc::clone(&is_there) };
    (Migrator::new(Arc::new(Scripted::new(scratch.connector(), script)), options()), is_there)
}

fn wide() -> Vec<(&'static str, TableModel)> {
    vec![("Child", child(ColumnKind::Int64)), ("Parent", parent(ColumnKind::Int64))]
}

/// Has a run end while the reference is off.
async fn end_halfway(scratch: &Scratch) {
    let models = wide();
    let (stopping, is_there) = interrupted(scratch, false);
    let models = refs(&models);
    tokio::select! {
        ended = stopping.ensure(&models, Policy::Full) => panic!("{ended:?}"),
        () = until("the reference is off", async || is_there.load(Ordering::SeqCst)) => {}
    }
    until("the other connection is gone", async || {
        let status = scratch.migrator().status().await.unwrap();
        status.lock.is_none() || !refers(scratch).await
    })
    .await;
    assert!(!refers(scratch).await, "the run ended before the reference was off");
}

async fn ensure(scratch: &Scratch, policy: Policy) -> Vec<Standing> {
    let models = wide();
    scratch.migrator().ensure(&refs(&models), policy).await.unwrap()
}

/// A policy that admits nothing of the rest admits that the reference comes back; on PostgreSQL
/// as soon as there is the key that it refers to.
pub(crate) async fn a_reference_comes_back_whatever_else_is_refused(scratch: &Scratch) {
    make_family(scratch).await;
    end_halfway(scratch).await;
    let models = wide();
    let planned = scratch.migrator().plan(&refs(&models)).await.unwrap();
    let back = planned.plan.steps.last().unwrap();
    assert!(back.description.starts_with("bring back foreign key"), "{:#?}", planned.plan);
    assert_eq!(back.class, Class::Additive);
    let standings = ensure(scratch, Policy::Additive).await;
    assert!(standings.iter().any(|of| matches!(of, Standing::Refused { .. })), "{standings:#?}");
    assert_eq!(refers(scratch).await, scratch.dialect != Dialect::Postgres);
    let standings = ensure(scratch, Policy::Full).await;
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert!(refers(scratch).await);
}

/// The way back to the models of before brings it back as well.
pub(crate) async fn a_reference_comes_back_on_the_way_back(scratch: &Scratch) {
    make_family(scratch).await;
    end_halfway(scratch).await;
    let models = [("Child", child(ColumnKind::Int32)), ("Parent", parent(ColumnKind::Int32))];
    let standings = scratch.migrator().ensure(&refs(&models), Policy::Full).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert!(refers(scratch).await);
    let planned = scratch.migrator().plan(&refs(&models)).await.unwrap();
    assert!(planned.plan.is_empty(), "{:#?}", planned.plan);
}

/// A step that fails ends the run, and what was taken off before it is put back by that run; on
/// PostgreSQL by the next, because the key that it refers to is off as well.
pub(crate) async fn a_run_that_fails_puts_a_reference_back(scratch: &Scratch) {
    make_family(scratch).await;
    let models = wide();
    let (failing, _) = interrupted(scratch, true);
    let error = failing.ensure(&refs(&models), Policy::Full).await.unwrap_err();
    assert!(matches!(error, MigrateError::Step { .. }), "{error:#?}");
    assert_eq!(refers(scratch).await, scratch.dialect != Dialect::Postgres);
    let standings = ensure(scratch, Policy::Full).await;
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert!(refers(scratch).await);
}

/// Rows that came while the reference was off, and that break it, are told before anything is done.
pub(crate) async fn rows_that_break_a_missing_reference_are_told(scratch: &Scratch) {
    make_family(scratch).await;
    end_halfway(scratch).await;
    scratch.run("INSERT INTO child (id, parent_id) VALUES (9, 99)").await;
    let standings = ensure(scratch, Policy::Full).await;
    let refused = standings.iter().find_map(|of| match of {
        Standing::Refused { plan, refused } => {
            refused.iter().find_map(|of| Some((plan.steps[of.step].clone(), of.rows?)))
        }
        _ => None,
    });
    let (step, rows) = refused.unwrap();
    assert!(step.description.starts_with("bring back foreign key"), "{step:#?}");
    assert_eq!(rows, 1);
    scratch.run("DELETE FROM child WHERE id = 9").await;
    let standings = ensure(scratch, Policy::Full).await;
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert!(refers(scratch).await);
}

/// What a person dropped after the run was gone on with stays dropped.
pub(crate) async fn a_reference_that_was_dropped_is_not_brought_back(scratch: &Scratch) {
    make_family(scratch).await;
    end_halfway(scratch).await;
    let before = [("Child", child(ColumnKind::Int32)), ("Parent", parent(ColumnKind::Int32))];
    let ensured = scratch.migrator().ensure(&refs(&before), Policy::Full).await.unwrap();
    assert!(ensured.iter().all(Standing::is_ensured), "{ensured:#?}");
    let drop = match scratch.dialect {
        Dialect::Postgres => "ALTER TABLE child DROP CONSTRAINT child_refers",
        _ => "ALTER TABLE child DROP FOREIGN KEY child_refers",
    };
    scratch.run(drop).await;
    let standings = ensure(scratch, Policy::Full).await;
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert!(!refers(scratch).await);
}

/// A reference of a table that no model of the run is about is never taken off: where it is in the
/// way the server refuses the change.
pub(crate) async fn a_table_without_a_model_keeps_its_reference(scratch: &Scratch) {
    make_family(scratch).await;
    let models = wide();
    let parent = [ModelRef::new("Parent", &models[1].1)];
    for _ in 0..2 {
        let error = scratch.migrator().ensure(&parent, Policy::Full).await.unwrap_err();
        assert!(matches!(error, MigrateError::Step { .. }), "{error:#?}");
        assert!(refers(scratch).await);
    }
}
