//! What it is worth to remember that a table is as its model wants it: 10 and 100 rows written one
//! by one by a process that has just started, with the schema cache and without it. Without it,
//! every write has the database asked first.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{path::Path, time::Instant};

use larder::{Larder, Model, SchemaOptions};

const ROUNDS: usize = 7;

#[derive(Clone, serde::Deserialize, serde::Serialize, Model)]
struct Booking {
    #[model(key, auto_increment)]
    id: i64,
    passenger: String,
    seat: Option<String>,
}

async fn start(folder: &Path, is_remembered: bool) -> Larder {
    let url = format!("sqlite://{}?mode=rwc", folder.join("bookings.db").display());
    let options = SchemaOptions::default().with_enabled(is_remembered);
    let larder = Larder::builder().database(&url).schema_options(options).build().await;
    larder.expect("a file in a folder of its own opens")
}

/// Milliseconds for so many writes, by the median of some processes' first ones.
async fn writes(folder: &Path, count: usize, is_remembered: bool) -> f64 {
    let booking = Booking { id: 0, passenger: "Amelia Earhart".to_owned(), seat: None };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let larder = start(folder, is_remembered).await;
        let begun = Instant::now();
        for _ in 0..count {
            larder.table::<Booking>().create(&booking).await.expect("the table is there");
        }
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    start(folder.path(), true).await.ensure::<Booking>().await.expect("the table is made");
    for count in [10, 100] {
        let without = writes(folder.path(), count, false).await;
        let with = writes(folder.path(), count, true).await;
        println!("{count} writes: {with:.1} ms with the schema cache, {without:.1} ms without");
        let ratio = with / without;
        println!("ratio {count} writes, with schema cache / without: {ratio:.2}x (limit 1x)");
    }
}
