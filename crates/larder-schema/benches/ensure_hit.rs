//! The price of a hit, as a multiple of bare atomic loads and of a look-up in a map behind a lock,
//! in the same run.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{
        Arc, Barrier, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use larder_core::Ttl;
use larder_model::{Model, Policy};
use larder_schema::{
    Ensured, ModelRef, Schema, SchemaOptions, SchemaSignal, SchemaStore, Standing, StoreError,
};

const CALLS: u32 = 5_000_000;
const ROUNDS: usize = 9;

#[derive(Model)]
#[expect(dead_code, reason = "only its declaration counts")]
struct Airline {
    #[model(key)]
    id: i64,
}

/// A database that is never asked.
#[derive(Debug)]
struct Nowhere;

#[derive(Debug, thiserror::Error)]
#[error("a hit asks nobody")]
struct Asked;

#[async_trait]
impl SchemaStore for Nowhere {
    async fn identity(&self) -> Result<String, StoreError> {
        Err(Arc::new(Asked))
    }

    async fn signal(&self) -> Result<SchemaSignal, StoreError> {
        Err(Arc::new(Asked))
    }

    async fn ensure(
        &self,
        models: &[ModelRef<'_>],
        _policy: Policy,
    ) -> Vec<Result<Standing, StoreError>> {
        models.iter().map(|_| Err(Arc::new(Asked) as StoreError)).collect()
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

    let one = || {
        for _ in 0..CALLS {
            assert!(black_box(&states)[3].load(Ordering::Acquire) & 1 == 1);
        }
    };
    let known: RwLock<HashMap<u64, bool>> =
        RwLock::new((0..64).map(|model| (model, true)).collect());
    let map = || {
        for _ in 0..CALLS {
            let known = black_box(&known).read().unwrap();
            assert!(known.get(&black_box(3)).copied().unwrap_or_default());
        }
    };

    let mut samples: [Vec<f64>; 9] = Default::default();
    for _ in 0..ROUNDS {
        samples[0].push(time(1, bare));
        samples[1].push(time(1, || ensure(&plain)));
        samples[2].push(time(1, peek));
        samples[3].push(time(1, || ensure(&expiring)));
        samples[4].push(time(2, || ensure(&plain)));
        samples[5].push(time(2, || ensure(&schema(SchemaOptions::default()))));
        samples[6].push(time(1, one));
        samples[7].push(time(1, map));
        samples[8].push(time(2, map));
    }
    let [bare, plain, peek, expiring, plain2, own2, one, map, map2] = samples.map(least);
    println!("one atomic load {one:.2} ns, two {bare:.2} ns, is_table_ensured {peek:.2} ns");
    println!("ensure {plain:.2} ns, with time-to-live {expiring:.2} ns");
    println!("RwLock<HashMap> {map:.2} ns, on two threads {map2:.2} ns each");
    println!("ratio schema hit (ensure) / 5 ns: {:.2}x (limit 1x)", plain / 5.0);
    println!("ratio schema hit (ensure) / one bare atomic load: {:.2}x", plain / one);
    println!("ratio schema hit (ensure) / two bare atomic loads: {:.2}x", plain / bare);
    println!("ratio schema hit (is_table_ensured) / two bare atomic loads: {:.2}x", peek / bare);
    println!("ratio RwLock<HashMap> / schema hit: {:.2}x (at least 2x)", map / plain);
    println!(
        "ratio RwLock<HashMap> / schema hit, two threads: {:.2}x (at least 2x)",
        map2 / plain2
    );
    println!(
        "ratio schema hit on two threads, one cache for both / one each: {:.2}x (limit 1.5x)",
        plain2 / own2
    );
}
