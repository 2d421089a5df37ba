//! A process that is killed before each of its statements in turn: the next run goes on, or
//! begins again, and nothing is lost.
//!
//! Statements that only read are left out: to be killed before one is to be killed before the
//! next that writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use larder_migrate::{Connector, MigrateOptions, MigrationStatus, Migrator, ModelRef, Standing};
use larder_model::{Policy, TableModel};
use rustix::process::{Signal, getpid, kill_process};

use crate::{
    child::{Child, say},
    support::{Scratch, Script, Scripted, indexed, named, table},
};

/// Kills its own process before a statement.
#[derive(Debug)]
pub(crate) struct Kill {
    left: AtomicUsize,
}

impl Kill {
    /// Before the statement of this number, counted from 0.
    pub(crate) fn at(number: usize) -> Self {
        Self { left: number.into() }
    }
}

#[async_trait]
impl Script for Kill {
    async fn before(&self, sql: &str) {
        let reads = ["SELECT", "WITH", "PRAGMA", "SHOW"];
        if reads.iter().any(|verb| sql.trim_start().starts_with(verb)) {
            return;
        }
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            kill_process(getpid(), Signal::KILL).unwrap();
            std::future::pending::<()>().await;
        }
    }
}

fn before() -> [(&'static str, TableModel); 2] {
    [("Airline", table("airline", &["seats"])), ("Plane", table("plane", &[]))]
}

/// A new table, a new column, a new index, and a column that may no longer be NULL.
fn after() -> [(&'static str, TableModel); 3] {
    [
        ("Airline", indexed("airline", &["seats", "planes"], "planes")),
        ("Plane", named("plane", &["wings"])),
        ("Airport", table("airport", &[])),
    ]
}

fn refs<'m, const N: usize>(models: &'m [(&'static str, TableModel); N]) -> [ModelRef<'m>; N] {
    models.each_ref().map(|(name, table)| ModelRef::new(name, table))
}

pub(crate) async fn a_process_may_be_killed_at_every_statement(scratch: &Scratch) {
    let mut number = 0;
    loop {
        make(scratch).await;
        let act = format!("kill:{number}");
        // A lease that does not end: what is killed is gone at once.
        let mut child = Child::start(scratch, &act, Duration::from_secs(600));
        let said = child.ended().await;
        check(scratch, number).await;
        if child.succeeded().await {
            assert!(said.contains("unharmed"), "{said}");
            break;
        }
        assert!(!said.contains("panicked"), "{said}");
        unmake(scratch).await;
        number += 1;
    }
    assert!(number > 10, "only {number} statements: was anything done at all?");
}

async fn make(scratch: &Scratch) {
    let models = before();
    let standings = scratch.migrator().ensure(&refs(&models), Policy::Additive).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured));
    scratch.run("INSERT INTO airline (id, name, seats) VALUES (1, 'a', 10), (2, 'b', 20)").await;
    scratch.run("INSERT INTO plane (id, name) VALUES (1, 'p'), (2, 'q'), (3, 'r')").await;
}

async fn unmake(scratch: &Scratch) {
    for table in scratch.tables().await {
        let quoted = scratch.dialect.quoted(&table);
        scratch.run(&format!("DROP TABLE {quoted}")).await;
    }
}

/// The next run, and what it finds.
async fn check(scratch: &Scratch, number: usize) {
    let models = after();
    let migrator = scratch.migrator();
    let standings = migrator.ensure(&refs(&models), Policy::Full).await;
    let standings = standings.unwrap_or_else(|error| panic!("{number}: {error}: {error:#?}"));
    assert!(standings.iter().all(Standing::is_ensured), "{number}: {standings:#?}");
    let planned = migrator.plan(&refs(&models)).await.unwrap();
    assert!(planned.plan.is_empty(), "{number}: {:#?}", planned.plan);
    assert_eq!(scratch.number("SELECT CAST(SUM(seats) AS CHAR(9)) = '30' FROM airline").await, 1);
    assert_eq!(scratch.number("SELECT COUNT(*) FROM plane WHERE name IN ('p', 'q', 'r')").await, 3);
    if scratch.dialect == larder_model::Dialect::Postgres {
        // By which a column was known to have no NULL before it said so itself.
        let checks = "SELECT COUNT(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = \
            CAST('plane' AS regclass)";
        assert_eq!(scratch.number(checks).await, 0, "{number}");
    }
    let status = migrator.status().await.unwrap();
    let mut rows: Vec<_> =
        status.migrations.iter().map(|row| (row.version.as_str(), row.status)).collect();
    rows.sort_by_key(|(version, _)| version.to_owned());
    let expected = ["m:Airline:1", "m:Airline:2", "m:Airport:1", "m:Plane:1", "m:Plane:2"];
    assert_eq!(rows, expected.map(|version| (version, MigrationStatus::Applied)), "{number}");
    let is_whole = |row: &larder_migrate::MigrationRow| row.steps_done == row.steps_total;
    assert!(status.migrations.iter().all(is_whole), "{number}: {:#?}", status.migrations);
    assert_eq!(status.lock, None, "{number}");
}

/// The process that is killed.
pub(crate) async fn run(connector: Arc<dyn Connector>, options: MigrateOptions, at: usize) {
    let migrator = Migrator::new(Arc::new(Scripted::new(connector, Kill::at(at))), options);
    let models = after();
    let standings = migrator.ensure(&refs(&models), Policy::Full).await.unwrap();
    assert!(standings.iter().all(Standing::is_ensured), "{standings:#?}");
    say("unharmed");
}
