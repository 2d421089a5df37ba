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

/// What a workflow took, and how much of that the looks at the table.
#[derive(Clone, Copy)]
struct Taken {
    whole: Duration,
    checks: Duration,
}

/// One workflow of a process that has just started; its connection is open.
async fn workflow(url: &str, check: Check, operations: i64, first: i64) -> Taken {
    let larder = opened(url, check).await;
    larder.query("SELECT 1 AS warm").fetch_all().await.unwrap();
    let mut checks = Duration::ZERO;
    let begun = Instant::now();
    for id in first..first + operations {
        if !matches!(check, Check::Nobody) {
            let asked = Instant::now();
            let ensured = larder.ensure::<User>().await.unwrap();
            checks += asked.elapsed();
            assert!(!matches!(ensured, Ensured::Migrated { .. }));
        }
        // The statement of a create, without what a handle to the table adds.
        let insert = format!("INSERT INTO workflow_user (id, name) VALUES ({id}, 'somebody')");
        larder.execute(&insert).run().await.unwrap().applied().unwrap();
    }
    Taken { whole: begun.elapsed(), checks }
}

fn median(taken: &[Taken], part: impl Fn(&Taken) -> Duration) -> f64 {
    let mut times: Vec<_> = taken.iter().map(part).collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Prints milliseconds and ratios for both lengths.
pub(crate) async fn compare(what: &str, url: &str) {
    opened(url, Check::Cached).await.ensure::<User>().await.unwrap();
    let mut first = 0;
    for operations in [10, 100] {
        let mut taken: [Vec<Taken>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (check, taken) in CHECKS.into_iter().zip(&mut taken) {
                taken.push(workflow(url, check, operations, first).await);
                first += operations;
            }
        }
        let [nobody, cached, every] =
            taken.each_ref().map(|taken| median(taken, |taken| taken.whole));
        let [_, cached_checks, every_checks] =
            taken.each_ref().map(|taken| median(taken, |taken| taken.checks));
        println!(
            "{what}, {operations} creates: without a look {nobody:.2} ms; with the schema cache \
             {cached:.2} ms, of which looks {cached_checks:.2} ms; a look each time {every:.2} ms, \
             of which looks {every_checks:.2} ms"
        );
        println!("ratio {what} {operations} creates, each time / cached: {:.2}x", every / cached);
        println!(
            "ratio {what} {operations} creates, looks each time / cached: {:.2}x",
            every_checks / cached_checks
        );
    }
}
