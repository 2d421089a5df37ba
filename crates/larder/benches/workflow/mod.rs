//! A process that starts on a database whose table is as it should be and creates ten rows, or a
//! hundred: with the schema cache, without it, and with no check at all.

use std::time::{Duration, Instant};

use larder::{Ensured, Larder, Model, SchemaOptions};

#[derive(Model, serde::Serialize, serde::Deserialize)]
#[model(table = "workflow_user")]
struct User {
    #[model(key)]
    id: i64,
    name: String,
    email: Option<String>,
}

const ROUNDS: usize = 9;

/// Who looks at the table before each operation.
#[derive(Clone, Copy)]
enum Check {
    Nobody,
    Cached,
    EveryTime,
}

const CHECKS: [Check; 3] = [Check::Nobody, Check::Cached, Check::EveryTime];

async fn opened(url: &str, check: Check) -> Larder {
    let options = SchemaOptions::default().with_enabled(!matches!(check, Check::EveryTime));
    Larder::builder().database(url).schema_options(options).build().await.unwrap()
}

/// The time of a whole workflow. The process and its connections are there before it begins.
async fn time(url: &str, check: Check, operations: i64, first: i64) -> Duration {
    let larder = opened(url, check).await;
    larder.query("SELECT 1 AS warm").fetch_all().await.unwrap();
    let begun = Instant::now();
    for id in first..first + operations {
        if !matches!(check, Check::Nobody) {
            let ensured = larder.ensure::<User>().await.unwrap();
            assert!(!matches!(ensured, Ensured::Migrated { .. }));
        }
        // The statement of a create, without what a handle to the table adds.
        let insert = format!("INSERT INTO workflow_user (id, name) VALUES ({id}, 'somebody')");
        larder.execute(&insert).run().await.unwrap().applied().unwrap();
    }
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Prints milliseconds and ratios for both lengths.
pub(crate) async fn compare(what: &str, url: &str) {
    opened(url, Check::Cached).await.ensure::<User>().await.unwrap();
    let mut first = 0;
    for operations in [10, 100] {
        let mut times: [Vec<Duration>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (check, times) in CHECKS.into_iter().zip(&mut times) {
                times.push(time(url, check, operations, first).await);
                first += operations;
            }
        }
        let [nobody, cached, every] = times.map(median);
        println!(
            "{what}, {operations} creates: unchecked {nobody:.2} ms, schema cache {cached:.2} ms, \
             checked every time {every:.2} ms"
        );
        println!("ratio {what} {operations} creates, cached / unchecked: {:.2}x", cached / nobody);
        println!("ratio {what} {operations} creates, every time / cached: {:.2}x", every / cached);
        let check = |time: f64| (time - nobody).max(0.0);
        println!(
            "share of the checks' time that the cache saves: {:.1} %",
            100.0 * (1.0 - check(cached) / check(every).max(f64::MIN_POSITIVE))
        );
    }
}
