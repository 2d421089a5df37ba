//! How long processes take that start on databases whose tables are as they should be: 100 schemas
//! of PostgreSQL with 10 models each, every one verified by a process of its own, and one schema
//! with 1,000 models. Needs `LARDER_POSTGRES_URL`.

#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod drift;

use std::{sync::Arc, time::Duration};

use larder_core::{Clock as _, SystemClock};
use larder_migrate::{MigrateOptions, Migrator, UrlConnector};
use larder_model::ModelEntry;
use larder_schema::{Schema, SchemaOptions};
use tokio::{sync::Semaphore, task::JoinSet};

const TENANTS: usize = 100;
const MODELS: usize = 10;
const ROUNDS: usize = 5;

/// What one tenant's process does at its start: connects, and has every model verified.
async fn start(url: &str, tenant: &str, models: &[&'static ModelEntry]) -> u64 {
    let options = MigrateOptions::default().with_schema(tenant);
    let migrator = Migrator::new(Arc::new(UrlConnector::new(url)), options);
    let options = SchemaOptions::default()
        .with_max_size(TENANTS * MODELS)
        .with_models(models.iter().copied());
    let schema = Schema::new(Arc::new(migrator), options);
    schema.ensure_entry(models[0]).await.unwrap();
    assert_eq!(schema.metrics().cached_tables, models.len());
    schema.metrics().migrations
}

/// A process that connects and asks for nothing, which is what no verification can undercut.
async fn connect(url: &str) -> u64 {
    drift::run(url, "SELECT 1").await;
    0
}

/// All tenants, so many at a time.
async fn start_all(url: &str, parallelism: usize, models: Option<&[&'static ModelEntry]>) -> u64 {
    let places = Arc::new(Semaphore::new(parallelism));
    let mut starts = JoinSet::new();
    for tenant in 0..TENANTS {
        let (url, places) = (url.to_owned(), Arc::clone(&places));
        let models = models.map(<[_]>::to_vec);
        starts.spawn(async move {
            let _place = places.acquire().await.unwrap();
            match models {
                Some(models) => start(&url, &format!("tenant_{tenant}"), &models).await,
                None => connect(&url).await,
            }
        });
    }
    starts.join_all().await.into_iter().sum()
}

fn seconds(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

#[tokio::main]
async fn main() {
    let Some((url, server, name)) = drift::database("LARDER_POSTGRES_URL").await else {
        println!("LARDER_POSTGRES_URL is not set");
        return;
    };
    let models = drift::models("cold", MODELS);
    let many = drift::models("many", TENANTS * MODELS);
    for tenant in 0..TENANTS {
        drift::run(&url, &format!("CREATE SCHEMA tenant_{tenant}")).await;
    }
    start_all(&url, 8, Some(&models)).await;
    for models in many.chunks(100) {
        start(&url, "public", models).await;
    }
    drift::run(&url, "ANALYZE").await;

    let clock = SystemClock::new();
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (candidate, times) in times.iter_mut().enumerate() {
            let before = clock.now();
            let migrations = match candidate {
                0 => start_all(&url, 1, Some(&models)).await,
                1 => start_all(&url, 8, Some(&models)).await,
                2 => start_all(&url, 8, None).await,
                _ => start(&url, "public", &many).await,
            };
            times.push(clock.now().since(before));
            assert_eq!(migrations, 0, "nothing is left to do");
        }
    }
    drift::run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let [one, eight, bare, many] = times.map(seconds);
    let pairs = TENANTS * MODELS;
    println!(
        "{pairs} (database, model) pairs verified, a connection for each of {TENANTS} tenants:"
    );
    println!("one after the other {one:.3} s, eight at a time {eight:.3} s");
    println!("{TENANTS} bare connections with SELECT 1, eight at a time {bare:.3} s");
    println!("{pairs} models of one database {many:.3} s");
    println!("ratio cold start, eight at a time / 0.5 s: {:.2}x (limit 1x)", eight / 0.5);
    println!("ratio cold start, eight at a time / bare connections: {:.2}x", eight / bare);
    println!(
        "ratio cold start, 1,000 models of one database / 0.5 s: {:.2}x (limit 1x)",
        many / 0.5
    );
}
