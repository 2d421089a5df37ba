//! What a failure leaves behind, and how the next run goes on from there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use larder_migrate::{MigrateError, MigrationStatus, Migrator, ModelRef, Standing};
use larder_model::{Dialect, Policy};

use crate::support::{Scratch, Script, Scripted, alters, ensure_one, options, table, until};

/// A table with rows, which the second of two models wants to be wider.
async fn make_second(scratch: &Scratch) {
    scratch.run("CREATE TABLE second (id BIGINT NOT NULL PRIMARY KEY, name TEXT)").await;
    scratch.run("INSERT INTO second (id, name) VALUES (1, 'x'), (2, 'y')").await;
}

/// Has the step fail that widens the table.
#[derive(Debug)]
struct Break {
    is_on: Arc<AtomicBool>,
}

impl Script for Break {
    fn breaks(&self, sql: &str) -> bool {
        self.is_on.load(Ordering::SeqCst) && alters("second", sql)
    }
}

fn breaking(scratch: &Scratch) -> (Migrator, Arc<AtomicBool>) {
    let is_on = Arc::new(AtomicBool::new(true));
    let script = Break { is_on: Arc::clone(&is_on) };
    let connector = Arc::new(Scripted::new(scratch.connector(), script));
    (Migrator::new(connector, options()), is_on)
}

pub(crate) async fn a_failure_leaves_no_lock_behind(scratch: &Scratch) {
    make_second(scratch).await;
    let (first, second) = (table("first", &["a"]), table("second", &["a"]));
    let models = [ModelRef::new("First", &first), ModelRef::new("Second", &second)];
    let (failing, _) = breaking(scratch);
    assert!(failing.ensure(&models, Policy::Additive).await.is_err());
    assert_eq!(failing.status().await.unwrap().lock, None);
    // The one that failed is still there, and keeps its connections.
    let next = scratch.migrator_with(options().with_lock_timeout(Duration::from_secs(5)));
    let standings = next.ensure(&models, Policy::Additive).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    assert_eq!(scratch.number("SELECT COUNT(*) FROM second").await, 2);
    drop(failing);
}

pub(crate) async fn a_failed_step_is_told_and_mended(scratch: &Scratch) {
    make_second(scratch).await;
    let (first, second) = (table("first", &["a"]), table("second", &["a"]));
    let models = [ModelRef::new("First", &first), ModelRef::new("Second", &second)];
    let (failing, is_on) = breaking(scratch);
    let error = failing.ensure(&models, Policy::Additive).await.unwrap_err();
    let MigrateError::Step { plan, step, done, .. } = &error else { panic!("{error:#?}") };
    assert!(plan.steps[*step].statements.iter().any(|sql| alters("second", sql)), "{plan:#?}");
    let rows = scratch.migrator().status().await.unwrap().migrations;
    let has_first = scratch.tables().await.contains(&"first".to_owned());
    match scratch.dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            assert_eq!(*done, 0);
            assert!(!has_first && rows.is_empty(), "not everything was rolled back: {rows:#?}");
        }
        _ => {
            assert_eq!(done, step);
            assert!(has_first);
            let failed = rows.iter().find(|row| row.status == MigrationStatus::Failed).unwrap();
            assert_eq!(failed.version, "m:Second:1");
            assert!(failed.error.is_some() && failed.error_sqlstate.is_some(), "{failed:#?}");
        }
    }
    is_on.store(false, Ordering::SeqCst);
    let standings = failing.ensure(&models, Policy::Additive).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    let rows = failing.status().await.unwrap().migrations;
    let mut done: Vec<_> = rows.iter().map(|row| (row.version.as_str(), row.status)).collect();
    done.sort_by_key(|(version, _)| version.to_owned());
    let expected =
        [("m:First:1", MigrationStatus::Applied), ("m:Second:1", MigrationStatus::Applied)];
    assert_eq!(done, expected);
    assert!(rows.iter().all(|row| row.error.is_none() && row.steps_done == row.steps_total));
}

/// Stops for ever before the step that creates the table.
#[derive(Debug)]
struct Stop {
    is_there: Arc<AtomicBool>,
}

#[async_trait]
impl Script for Stop {
    async fn before(&self, sql: &str) {
        if alters("second", sql) {
            self.is_there.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }
}

pub(crate) async fn a_dropped_run_is_gone_on_with(scratch: &Scratch) {
    make_second(scratch).await;
    let second = table("second", &["a"]);
    let is_there = Arc::new(AtomicBool::new(false));
    let script = Stop { is_there: Arc::clone(&is_there) };
    let connector = Arc::new(Scripted::new(scratch.connector(), script));
    let stopping = Migrator::new(connector, options());
    let models = [ModelRef::new("Second", &second)];
    let run = stopping.ensure(&models, Policy::Additive);
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = until("the run is under way", async || is_there.load(Ordering::SeqCst)) => {}
    }
    let next = scratch.migrator();
    let standing = ensure_one(&next, "Second", &second).await;
    assert!(matches!(standing, Standing::Migrated { .. }), "{standing:?}");
    let status = next.status().await.unwrap();
    assert_eq!(status.migrations.len(), 1);
    assert_eq!(status.migrations[0].status, MigrationStatus::Applied);
    assert_eq!(status.lock, None);
    drop(stopping);
}

pub(crate) async fn a_broken_connection_is_replaced(scratch: &Scratch) {
    let airline = table("airline", &[]);
    let migrator = scratch.migrator();
    ensure_one(&migrator, "Airline", &airline).await;
    migrator.signal().await.unwrap();
    scratch.end_connections().await;
    assert_eq!(ensure_one(&migrator, "Airline", &airline).await, Standing::Verified);
    migrator.signal().await.unwrap();
}
