//! Ten thousand tasks that miss one key at once: one load, and what the waiting costs beyond it.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group};
use larder_cache::{Cache, Near};
use larder_core::{CacheBackend, MemoryBackend, MemoryConfig};
use tokio::runtime::Runtime;

const TASKS: usize = 10_000;
const LOADER: Duration = Duration::from_millis(10);
const ROUNDS: usize = 9;

/// Runs one stampede; returns its wall time, and how many loads there were.
fn stampede(runtime: &Runtime, far: Option<Arc<dyn CacheBackend>>) -> (Duration, u64) {
    runtime.block_on(async {
        let mut cache = Cache::builder().near(Near::mebibytes(1));
        if let Some(far) = far {
            cache = cache.far(far).far_time_limit(Duration::from_secs(5));
        }
        let family = cache.build().expect("a near tier will do").family::<u64>("number").build();
        let loads = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (family, loads) = (family.clone(), Arc::clone(&loads));
                tokio::spawn(async move {
                    let load = move || async move {
                        let load = loads.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(LOADER).await;
                        Ok::<_, io::Error>(load)
                    };
                    family.get_or_load("k", load).await.map(|loaded| *loaded)
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.expect("no panic").expect("the loader succeeds"), 0);
        }
        (start.elapsed(), loads.load(Ordering::SeqCst))
    })
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime starts")
}

fn memory() -> Option<Arc<dyn CacheBackend>> {
    Some(Arc::new(MemoryBackend::new(MemoryConfig::default())))
}

fn stampedes(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("stampede of 10,000 tasks");
    group.sample_size(10);
    group.bench_function("near tier", |bencher| bencher.iter(|| stampede(&runtime, None)));
    group.bench_function("both tiers", |bencher| bencher.iter(|| stampede(&runtime, memory())));
}

criterion_group!(benches, stampedes);

fn main() {
    benches();
    let runtime = runtime();
    let mut walls = Vec::new();
    for round in 0..ROUNDS {
        let far = if round % 2 == 0 { None } else { memory() };
        let (wall, loads) = stampede(&runtime, far);
        assert_eq!(loads, 1, "a stampede loads once");
        walls.push(wall);
    }
    walls.sort();
    let wall = walls[ROUNDS / 2];
    println!("{TASKS} tasks that miss one key: exactly 1 load in each of {ROUNDS} rounds");
    let ratio = wall.as_secs_f64() / LOADER.as_secs_f64();
    println!("ratio stampede of 10,000 tasks / its one load of 10 ms: {ratio:.2}x");
}
