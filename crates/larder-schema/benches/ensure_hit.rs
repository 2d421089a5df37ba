//! The price of a hit, as a multiple of two bare atomic loads in the same run.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{
    hint::black_box,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use larder_core::Ttl;
use larder_model::{Dialect, Model};
use larder_schema::{
    Cell, Ensured, Schema, SchemaOptions, SchemaStore, SchemaTransaction, StoreError,
};

const CALLS: u32 = 5_000_000;
const ROUNDS: usize = 9;

#[derive(Model)]
#[expect(dead_code, reason = "only its declaration counts")]
struct Airline {
    #[model(key)]
    iata: String,
}

/// A database that is never asked.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl SchemaStore for Nowhere {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn fetch(&self, _sql: &str, _parameters: &[&str]) -> Result<Vec<Vec<Cell>>, StoreError> {
        Err("a hit asks nobody".into())
    }

    async fn begin(&self) -> Result<Box<dyn SchemaTransaction>, StoreError> {
        Err("a hit asks nobody".into())
    }
}

fn schema(options: SchemaOptions) -> Schema {
    let schema = Schema::new(Arc::new(Nowhere), options);
    schema.mark_table_ensured::<Airline>();
    schema
}

/// As many uses as are measured, each awaited as a service would.
fn ensure(schema: &Schema) {
    let uses = async {
        for _ in 0..CALLS {
            match black_box(schema).ensure::<Airline>().await {
                Ok(ensured) => assert!(ensured == Ensured::Known),
                Err(error) => panic!("{error}"),
            }
        }
    };
    uses.now_or_never().expect("a hit is ready at once");
}

/// Nanoseconds per call where each of `threads` threads makes [`CALLS`] calls, by the slowest.
fn time(threads: u32, calls: impl Fn() + Sync) -> f64 {
    let barrier = Barrier::new(threads as usize);
    let run = || {
        barrier.wait();
        let start = Instant::now();
        calls();
        start.elapsed()
    };
    let slowest: Duration = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or_default()
    });
    slowest.as_secs_f64() * 1e9 / f64::from(CALLS * threads)
}

/// The round that the machine's other work disturbed least.
fn least(samples: Vec<f64>) -> f64 {
    samples.into_iter().fold(f64::INFINITY, f64::min)
}

fn main() {
    let plain = schema(SchemaOptions::default());
    let counting = schema(SchemaOptions::default().with_hit_count(true));
    let hour = Ttl::new(Duration::from_secs(3_600)).unwrap();
    let expiring = schema(SchemaOptions::default().with_time_to_live(hour));

    static NUMBER: AtomicUsize = AtomicUsize::new(3);
    let states: [AtomicU64; 8] = std::array::from_fn(|_| AtomicU64::new(1));
    let bare = || {
        for _ in 0..CALLS {
            let number = black_box(&NUMBER).load(Ordering::Relaxed);
            assert!(black_box(&states)[number].load(Ordering::Acquire) & 1 == 1);
        }
    };
    let peek = || {
        for _ in 0..CALLS {
            assert!(black_box(&plain).is_table_ensured::<Airline>());
        }
    };

    let mut samples: [Vec<f64>; 7] = Default::default();
    for _ in 0..ROUNDS {
        samples[0].push(time(1, bare));
        samples[1].push(time(1, || ensure(&plain)));
        samples[2].push(time(1, peek));
        samples[3].push(time(1, || ensure(&expiring)));
        samples[4].push(time(1, || ensure(&counting)));
        samples[5].push(time(2, || ensure(&plain)));
        samples[6].push(time(2, || ensure(&schema(SchemaOptions::default()))));
    }
    let [bare, plain, peek, expiring, counting, plain2, own2] = samples.map(least);
    println!("two bare atomic loads {bare:.2} ns, is_table_ensured {peek:.2} ns");
    println!("ensure {plain:.2} ns, with time-to-live {expiring:.2} ns, counted {counting:.2} ns");
    println!("ratio schema hit (ensure) / two bare atomic loads: {:.2}x (limit 4x)", plain / bare);
    println!("ratio schema hit (is_table_ensured) / two bare atomic loads: {:.2}x", peek / bare);
    println!("ratio schema hit, counted / not counted: {:.2}x", counting / plain);
    println!(
        "ratio schema hit on two threads, one cache for both / one each: {:.2}x (limit 1.5x)",
        plain2 / own2
    );
}
