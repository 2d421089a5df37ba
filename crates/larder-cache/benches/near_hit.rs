//! The price of a near hit, as a multiple of a bare `quick_cache` get in the same run.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{
    hint::black_box,
    sync::{Arc, Barrier},
    time::Instant,
};

use futures_util::FutureExt as _;
use larder_cache::{Args, Cache, Family, Near};
use larder_core::Tag;

const ENTRIES: u64 = 1_000;
const CALLS: u64 = 1_000_000;
const ROUNDS: usize = 9;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Flight {
    id: i64,
    from: String,
    to: String,
    departs: i64,
    delay: Option<i32>,
}

fn flight(id: u64) -> Flight {
    let id = i64::try_from(id).unwrap_or_default();
    Flight { id, from: "FRA".into(), to: "JFK".into(), departs: id * 60, delay: None }
}

/// Three arguments of 8 bytes, as a query would encode them.
fn args(id: u64) -> [u8; 24] {
    let mut args = [0; 24];
    args[..8].copy_from_slice(&id.to_be_bytes());
    args[16..].copy_from_slice(&id.rotate_left(7).to_be_bytes());
    args
}

fn filled() -> Family<Flight> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let cache = Cache::builder().near(Near::mebibytes(64)).build().unwrap();
    let family = cache.family::<Flight>("flight").tags([Tag::table("bench", "flight")]).build();
    runtime.block_on(async {
        for id in 0..ENTRIES {
            let load = move || async move { Ok::<_, std::io::Error>(flight(id)) };
            family.get_or_load(&args(id), load).await.unwrap();
        }
    });
    family
}

/// Nanoseconds per call of `calls` calls on each of `threads` threads, by wall time.
fn time(threads: usize, call: impl Fn(u64) + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let run = |thread: u64| {
        let mut random = Xorshift(thread + 1);
        barrier.wait();
        let start = Instant::now();
        (0..CALLS).for_each(|_| call(random.next() % ENTRIES));
        (start, Instant::now())
    };
    let run = &run;
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads as u64).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).collect()
    });
    // Measured by those who work: whoever only waits for them may be woken late.
    let start = spans.iter().map(|(start, _)| *start).min().expect("a thread");
    let end = spans.iter().map(|(_, end)| *end).max().expect("a thread");
    let elapsed = end.duration_since(start);
    elapsed.as_secs_f64() * 1e9 / (CALLS * threads as u64) as f64
}

/// Keys in an order that no prefetcher knows, the same for every candidate.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    let family = filled();
    let bare: quick_cache::sync::Cache<u64, Arc<Flight>> =
        quick_cache::sync::Cache::new(2 * usize::try_from(ENTRIES).unwrap());
    let moka = moka::sync::Cache::<u64, Arc<Flight>>::new(2 * ENTRIES);
    for id in 0..ENTRIES {
        bare.insert(id, Arc::new(flight(id)));
        moka.insert(id, Arc::new(flight(id)));
    }
    let peek = |id| {
        let hit = family.peek(&args(black_box(id))).expect("a hit");
        black_box(hit.value().map(|flight| flight.departs));
    };
    let get = |id| {
        let args = args(black_box(id));
        let load = || async { Err::<Flight, _>(std::io::Error::other("not a hit")) };
        let hit = family.get_or_load(Args::new(&args), load).now_or_never();
        black_box(hit.expect("a hit is ready at once").expect("a hit").departs);
    };
    let raw = |id: u64| {
        black_box(bare.get(&black_box(id)).expect("a hit").departs);
    };
    let raw_moka = |id: u64| {
        black_box(moka.get(&black_box(id)).expect("a hit").departs);
    };

    let mut samples: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        samples[0].push(time(1, raw));
        samples[1].push(time(1, peek));
        samples[2].push(time(1, get));
        samples[3].push(time(1, raw_moka));
        samples[4].push(time(2, get));
        samples[5].push(time(2, raw));
    }
    let [raw, peek, get, moka, get2, raw2] = samples.map(median);
    println!("bare quick_cache get {raw:.1} ns, bare moka get {moka:.1} ns");
    println!("peek {peek:.1} ns, get_or_load {get:.1} ns; on two threads {get2:.1} ns a call");
    println!(
        "ratio engine near hit (peek) / bare quick_cache get: {:.2}x (limit 2.0x)",
        peek / raw
    );
    println!(
        "ratio engine near hit (get_or_load) / bare quick_cache get: {:.2}x (limit 2.0x)",
        get / raw
    );
    println!("ratio engine near hit (get_or_load) / bare moka get: {:.2}x", get / moka);
    println!("ratio engine throughput on two threads / one: {:.2}x (at least 1.7x)", get / get2);
    println!("ratio bare quick_cache throughput on two threads / one: {:.2}x", raw / raw2);
}
