//! What it costs to ask whether somebody else changed a schema, on one connection that is open.

#![allow(dead_code, reason = "each bench takes what it needs")]

use std::{sync::Arc, time::Duration};

use larder_core::{Clock as _, SystemClock};
use larder_migrate::{Connector as _, MigrateOptions, Migrator, ModelRef, Session, UrlConnector};
use larder_model::{ColumnModel, Identifier, ModelEntry, Policy, TableModel};

const TABLES: usize = 10;
const ROUNDS: usize = 200;

/// Models of tables with eight columns.
pub(crate) fn models(prefix: &str, count: usize) -> Vec<&'static ModelEntry> {
    let entry = |number| {
        let name = format!("{prefix}_{number}");
        let mut table = TableModel::builder(Identifier::new(name.clone()).unwrap());
        for column in 0..8 {
            let name = Identifier::new(format!("c{column}")).unwrap();
            let mut column = match column % 2 {
                0 => ColumnModel::of::<i64>(name),
                _ => ColumnModel::of::<Option<String>>(name),
            };
            column.key = column.name.as_str() == "c0";
            table = table.column(column);
        }
        ModelEntry::leaked(&name, table.build().unwrap())
    };
    (0..count).map(entry).collect()
}

/// A database of this run's own on the server that the variable names; `None` without it.
pub(crate) async fn database(variable: &str) -> Option<(String, String, String)> {
    let server = std::env::var(variable).ok()?;
    let name = format!("larder_bench_{}", std::process::id());
    run(&server, &format!("CREATE DATABASE {name}")).await;
    let (rest, _) = server.rsplit_once('/')?;
    Some((format!("{rest}/{name}"), server.clone(), name))
}

pub(crate) async fn run(url: &str, sql: &str) {
    let mut session = UrlConnector::new(url).connect().await.unwrap();
    session.run(sql).await.unwrap();
    session.close().await;
}

pub(crate) fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Compares, in one run, a statement that does nothing with the signal and with a look at ten
/// tables.
pub(crate) async fn compare(what: &str, url: &str) {
    let connector = UrlConnector::new(url);
    let migrator = Migrator::new(Arc::new(connector.clone()), MigrateOptions::default());
    let models = models("drift", TABLES);
    let refs: Vec<_> = models.iter().map(|entry| ModelRef::from(*entry)).collect();
    migrator.ensure(&refs, Policy::Additive).await.unwrap();
    let mut session: Box<dyn Session> = connector.connect().await.unwrap();
    let clock = SystemClock::new();
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..ROUNDS {
        for (candidate, times) in times.iter_mut().enumerate() {
            let before = clock.now();
            match candidate {
                0 => drop(session.fetch("SELECT 1", &[]).await.unwrap()),
                1 => drop(migrator.signal().await.unwrap()),
                _ => {
                    let standings = migrator.verify(&refs).await.unwrap();
                    assert!(standings.iter().all(larder_migrate::Standing::is_ensured));
                }
            }
            if round >= ROUNDS / 10 {
                times.push(clock.now().since(before));
            }
        }
    }
    session.close().await;
    let [nothing, signal, look] = times.map(median);
    println!(
        "{what}: SELECT 1 {nothing:.1} us, signal {signal:.1} us, look at {TABLES} unchanged \
         tables {look:.1} us"
    );
    println!("ratio {what} signal / SELECT 1: {:.2}x (limit 8x)", signal / nothing);
    println!("ratio {what} look at {TABLES} tables / SELECT 1: {:.2}x", look / nothing);
}

/// Runs the comparison in a database of its own.
pub(crate) fn main(what: &str, variable: &str, force: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let Some((url, server, name)) = database(variable).await else {
            println!("{variable} is not set");
            return;
        };
        compare(what, &url).await;
        run(&server, &format!("DROP DATABASE {name}{force}")).await;
    });
}
