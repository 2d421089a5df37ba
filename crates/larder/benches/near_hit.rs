//! The price of a near hit through the whole public interface: a typed query with three
//! parameters, its lifetime and the generations of its table checked, as a multiple of a bare
//! `quick_cache` get in the same run.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark tells and times")]

use std::{
    hint::black_box,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use criterion::Criterion;
use larder::{Larder, Near};

#[derive(Clone, serde::Deserialize)]
struct Flight {
    id: i64,
    origin: String,
    destination: String,
    departs: i64,
    delay: Option<f64>,
}

const SQL: &str = "SELECT flight.id, flight.origin, flight.destination, flight.departs, flight.delay \
    FROM flight JOIN airline ON airline.id = flight.airline \
    WHERE flight.id = ? AND flight.origin = ? AND flight.departs > ? ORDER BY flight.departs";
const ENTRIES: u64 = 1_000;
const CALLS: u64 = 2_000_000;
const ROUNDS: usize = 9;

async fn filled() -> Larder {
    let larder = Larder::builder()
        .database("sqlite::memory:")
        .near(Near::mebibytes(64))
        .build()
        .await
        .expect("an empty database opens");
    let mut tx = larder.begin().await.expect("nobody else is there");
    for sql in [
        "CREATE TABLE airline (id INTEGER PRIMARY KEY)",
        "CREATE TABLE flight (id INTEGER PRIMARY KEY, airline INTEGER, origin TEXT, \
         destination TEXT, departs INTEGER, delay REAL)",
        "INSERT INTO airline VALUES (1)",
        "WITH RECURSIVE n(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id < 999) \
         INSERT INTO flight SELECT id, 1, 'FRA', 'JFK', id * 60 + 60, NULL FROM n",
    ] {
        tx.execute(sql).run().await.expect("valid SQL");
    }
    tx.commit().await.expect("committed").applied().expect("no far tier");
    larder
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

/// Nanoseconds per call, by wall time, of as many calls on each thread.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn time(threads: u64, call: impl Fn(u64) + Sync) -> f64 {
    let waiting = AtomicU64::new(threads);
    let run = |thread: u64| {
        let mut random = Xorshift(thread + 1);
        // Spinning, because a thread that sleeps is woken late, by more than a round takes.
        waiting.fetch_sub(1, Ordering::SeqCst);
        while waiting.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        (0..CALLS).for_each(|_| call(random.next() % ENTRIES));
        (start, Instant::now())
    };
    let run = &run;
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).collect()
    });
    // Measured by those who work: whoever only waits for them may be woken late.
    let start = spans.iter().map(|(start, _)| *start).min().expect("a thread");
    let end = spans.iter().map(|(_, end)| *end).max().expect("a thread");
    let elapsed = end.duration_since(start);
    elapsed.as_secs_f64() * 1e9 / (CALLS * threads) as f64
}

/// The median of all rounds.
fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let larder = runtime.block_on(filled());
    let prepared = larder.prepare_as::<Flight>(SQL);
    let id = |id: u64| i64::try_from(id).unwrap_or_default();

    let bare = quick_cache::sync::Cache::<u64, Arc<Flight>>::new(50_000);
    let bare_params = quick_cache::sync::Cache::<(i64, String, i64), Arc<Flight>>::new(50_000);
    let moka = moka::sync::Cache::<u64, Arc<Flight>>::new(50_000);
    for key in 0..ENTRIES {
        let query = prepared.query().bind(id(key)).bind("FRA").bind(0_i64);
        let flight = runtime.block_on(query.fetch_one()).expect("there is a flight");
        assert_eq!((flight.destination.as_str(), flight.delay), ("JFK", None));
        let flight = Arc::new(flight.value().clone());
        bare.insert(key, Arc::clone(&flight));
        bare_params.insert((id(key), flight.origin.clone(), 0), Arc::clone(&flight));
        moka.insert(key, flight);
    }

    let raw = |key: u64| assert!(bare.get(&black_box(key)).expect("a hit").departs > 0);
    let raw_moka = |key: u64| assert!(moka.get(&black_box(key)).expect("a hit").departs > 0);
    let raw_params = |key: u64| {
        let key = (id(black_box(key)), "FRA".to_owned(), 0_i64);
        assert!(bare_params.get(&key).expect("a hit").departs > 0);
    };
    // Polled where it is, as a task polls what it awaits: a helper that takes the query or its
    // future would move it once more than `.await` does.
    let context = || Context::from_waker(Waker::noop());
    let query = |key: u64| {
        let query = prepared.query().bind(id(black_box(key))).bind("FRA").bind(0_i64);
        let Poll::Ready(hit) = pin!(query.fetch_one()).poll(&mut context()) else {
            unreachable!("a near hit is ready at once")
        };
        assert!(hit.expect("a hit").id == id(key));
    };
    let ad_hoc = |key: u64| {
        let query = larder.query_as::<Flight>(SQL);
        let query = query.bind(id(black_box(key))).bind("FRA").bind(0_i64);
        let Poll::Ready(hit) = pin!(query.fetch_one()).poll(&mut context()) else {
            unreachable!("a near hit is ready at once")
        };
        assert!(hit.expect("a hit").id == id(key));
    };

    // What two threads can do on this machine now, where they share nothing.
    let alone = |key: u64| {
        black_box((0..20).fold(key, |number, _| black_box(number.wrapping_mul(31))));
    };

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("near hit");
    let mut random = Xorshift(1);
    let mut key = move || random.next() % ENTRIES;
    group.bench_function("bare quick_cache", |bencher| bencher.iter(|| raw(key())));
    group.bench_function("bare moka", |bencher| bencher.iter(|| raw_moka(key())));
    group.bench_function("larder, prepared", |bencher| bencher.iter(|| query(key())));
    group.bench_function("larder, by its text", |bencher| bencher.iter(|| ad_hoc(key())));
    group.finish();

    // The ratios come from interleaved rounds, so that what slows the machine down slows all.
    let mut samples: [Vec<f64>; 9] = Default::default();
    for _ in 0..ROUNDS {
        samples[0].push(time(1, raw));
        samples[1].push(time(1, raw_params));
        samples[2].push(time(1, raw_moka));
        samples[3].push(time(1, query));
        samples[4].push(time(1, ad_hoc));
        samples[5].push(time(2, query));
        samples[6].push(time(2, raw));
        samples[7].push(time(1, alone));
        samples[8].push(time(2, alone));
    }
    let [raw, raw_params, moka, query, ad_hoc, query_two, raw_two, alone, alone_two] =
        samples.map(median);
    println!("bare quick_cache get: {raw:.1} ns by u64, {raw_params:.1} ns by three parameters");
    println!("bare moka get: {moka:.1} ns by u64");
    println!(
        "near hit, query built in the loop: {query:.1} ns prepared, {ad_hoc:.1} ns by its text"
    );
    println!(
        "ratio near hit, prepared / bare quick_cache get by u64: {:.2}x (limit 2.0x)",
        query / raw
    );
    println!(
        "ratio near hit, prepared / bare quick_cache get by three parameters: {:.2}x",
        query / raw_params
    );
    println!("ratio near hit, prepared / bare moka get: {:.2}x", query / moka);
    println!("ratio near hit, by text / bare quick_cache get by u64: {:.2}x", ad_hoc / raw);
    println!(
        "ratio near hit, throughput of two threads / one: {:.2}x (at least 1.7x)",
        query / query_two
    );
    println!("ratio bare quick_cache get, throughput of two threads / one: {:.2}x", raw / raw_two);
    println!(
        "ratio work that shares nothing, throughput of two threads / one: {:.2}x",
        alone / alone_two
    );
}
