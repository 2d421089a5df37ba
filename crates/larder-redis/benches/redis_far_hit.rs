//! What a far hit costs, beside a bare `GET` of the same payload through the `redis` crate's own
//! multiplexed connection, without any limit in time.
//!
//! A hit is the whole of it: the entry and the generations of its tags are read, the envelope is
//! decoded and compared. The rounds are interleaved, so that a busy machine is busy for everybody,
//! and round is compared with round. The server is the one of `LARDER_REDIS_URL`, over TCP without
//! TLS; for the latency at one task, client and server belong on one core (`taskset`).

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::{hint::black_box, sync::Arc, time::Duration};

use bytes::Bytes;
use larder_core::{
    CacheBackend, Clock as _, Codec, Dependency, EntryId, Envelope, EnvelopeHeader, Expectation,
    Key, ReadRequest, Snapshot, SystemClock, Tag, Ttl,
};
use larder_redis::{RedisBackend, RedisConfig};
use redis::{Cmd, Value, aio::MultiplexedConnection};
use tokio::runtime::{Builder, Runtime};

const PAYLOAD_BYTES: usize = 256;
const KEYS: usize = 1_000;
const BATCH: usize = 100;
const TASKS: usize = 64;
const TAGS: [usize; 3] = [0, 1, 4];

fn main() {
    one_task();
    many_tasks();
}

/// An entry, and the same payload under a bare name.
#[derive(Clone)]
struct Hot {
    key: Key,
    bare: String,
}

/// Both clients on one server, and what they read.
#[derive(Clone)]
struct Bench {
    backend: Arc<RedisBackend>,
    connection: MultiplexedConnection,
    /// For each number of tags, entries that have so many.
    hot: Arc<[Vec<Hot>; TAGS.len()]>,
    tags: Arc<[Tag]>,
    clock: SystemClock,
}

impl Bench {
    async fn new() -> Self {
        let Ok(url) = std::env::var("LARDER_REDIS_URL") else {
            panic!("LARDER_REDIS_URL is not set; `cargo xtask services up` prints it");
        };
        let namespace = format!("bench-{:016x}", rand::random::<u64>());
        let config: RedisConfig = url.parse().unwrap();
        let backend = RedisBackend::connect(config.with_namespace(&*namespace)).await.unwrap();
        let client = redis::Client::open(url).unwrap();
        let unlimited = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&unlimited).await;
        let most = TAGS.into_iter().max().unwrap_or_default();
        let mut bench = Self {
            backend: Arc::new(backend),
            connection: connection.unwrap(),
            hot: Arc::new(TAGS.map(|_| Vec::new())),
            tags: (0..most).map(|tag| Tag::named(&format!("tag {tag}"))).collect(),
            clock: SystemClock::new(),
        };
        let mut hot = TAGS.map(|_| Vec::with_capacity(KEYS));
        for (index, tags) in TAGS.into_iter().enumerate() {
            for number in 0..KEYS {
                hot[index].push(bench.store(&namespace, number, tags).await);
            }
        }
        bench.hot = Arc::new(hot);
        bench
    }

    async fn store(&mut self, namespace: &str, number: usize, tags: usize) -> Hot {
        let name = format!("{tags} tags, number {number}");
        let key = Key::object(&name);
        let bare = format!("{namespace}:{name}");
        let payload = vec![b'x'; PAYLOAD_BYTES];
        let ttl = Ttl::new(Duration::from_secs(600)).unwrap();
        let epoch = self.backend.epoch().await.unwrap();
        let tags = &self.tags[..tags];
        let stamps = self.backend.generations(tags).await.unwrap();
        let dependencies = tags.iter().zip(stamps);
        let now_ms = self.clock.unix_millis();
        let header = EnvelopeHeader {
            id: EntryId::random(),
            negative: false,
            codec: Codec::RAW,
            epoch,
            database_epoch: None,
            created_ms: now_ms,
            soft_expiry_ms: now_ms + ttl.as_millis(),
            hard_expiry_ms: now_ms + ttl.as_millis(),
            load_time: Duration::from_millis(1),
            schema: 0,
            dependencies: dependencies
                .map(|(tag, stamp)| Dependency { tag: *tag, stamp })
                .collect(),
        };
        let entry = Envelope { header, payload: payload.clone().into() }.encode(&key, None);
        self.backend.put(&key, entry, ttl).await.unwrap();
        let mut set = redis::cmd("SET");
        set.arg(&bare).arg(payload).arg("PX").arg(ttl.as_millis());
        self.connection.send_packed_command(&set).await.unwrap();
        Hot { key, bare }
    }

    async fn far_hit(&self, hot: &Hot, tags: usize) {
        let tags = &self.tags[..tags];
        let snapshot = self.backend.read(black_box(&hot.key), tags).await.unwrap();
        black_box(self.payload(&hot.key, tags, &snapshot, self.clock.unix_millis()));
    }

    async fn far_hits(&self, hot: &[Hot], tags: usize) {
        let tags = &self.tags[..tags];
        let requests: Vec<_> = hot.iter().map(|hot| ReadRequest { key: &hot.key, tags }).collect();
        let snapshots = self.backend.read_many(&requests).await.unwrap();
        let now_ms = self.clock.unix_millis();
        for (hot, snapshot) in hot.iter().zip(&snapshots) {
            black_box(self.payload(&hot.key, tags, snapshot, now_ms));
        }
    }

    /// What the engine above does before it serves an entry.
    fn payload(&self, key: &Key, tags: &[Tag], snapshot: &Snapshot, now_ms: u64) -> Bytes {
        let stored = snapshot.value.as_ref().expect("the entry is there");
        let envelope = Envelope::decode(stored, key, None).unwrap();
        let expect =
            Expectation { tags, database_epoch: None, codec: Codec::RAW, schema: 0, now_ms };
        envelope.header.check(snapshot, &expect).unwrap();
        assert_eq!(envelope.payload.len(), PAYLOAD_BYTES);
        envelope.payload
    }

    async fn bare_get(&self, hot: &Hot) {
        let mut get = redis::cmd("GET");
        get.arg(black_box(&*hot.bare));
        let answer = self.connection.clone().send_packed_command(&get).await.unwrap();
        assert!(matches!(&answer, Value::BulkString(value) if value.len() == PAYLOAD_BYTES));
        black_box(answer);
    }

    async fn bare_mget(&self, hot: &[Hot]) {
        let mut mget = Cmd::with_capacity(1 + hot.len(), 64 * hot.len());
        mget.arg("MGET");
        for hot in hot {
            mget.arg(&*hot.bare);
        }
        let answer = self.connection.clone().send_packed_command(&mget).await.unwrap();
        assert!(matches!(&answer, Value::Array(values) if values.len() == hot.len()));
        black_box(answer);
    }
}

/// One way of reading, and how long it took in each round.
struct Run {
    name: String,
    limit: &'static str,
    times: Vec<f64>,
}

impl Run {
    fn new(name: impl Into<String>, limit: &'static str) -> Self {
        Self { name: name.into(), limit, times: Vec::new() }
    }
}

const ROUNDS: usize = 300;
/// Reads in a round; each is timed by itself and the round's median counts.
const READS: usize = 100;

fn one_task() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::new());
    let mut bare = Run::new("bare GET", "");
    let mut hits = TAGS.map(|tags| {
        let limit = if tags <= 1 { " (limit 1.05x)" } else { "" };
        Run::new(format!("far hit, {tags} tags, one task, p50"), limit)
    });
    let mut bare_many = Run::new("bare MGET of 100", "");
    let mut many = Run::new("read_many of 100, 1 tag", " (limit 1.15x)");
    for round in 0..ROUNDS {
        let begin = round * READS % KEYS;
        let range = begin..begin + READS;
        bare.times.push(runtime.block_on(latency(&bench, &bench.hot[0][range.clone()], None)));
        for ((run, hot), tags) in hits.iter_mut().zip(bench.hot.iter()).zip(TAGS) {
            let hot = &hot[range.clone()];
            run.times.push(runtime.block_on(latency(&bench, hot, Some(tags))));
        }
        let batch = &bench.hot[1][begin..begin + BATCH];
        bare_many.times.push(time(&bench, &runtime, || bench.bare_mget(batch)));
        many.times.push(time(&bench, &runtime, || bench.far_hits(batch, 1)));
    }
    report(&bare, &hits, 1e6, "us");
    report(&bare_many, &[many], 1e6, "us");
    allocations(&bench, &runtime);
}

/// The median time of a read, in seconds.
async fn latency(bench: &Bench, hot: &[Hot], tags: Option<usize>) -> f64 {
    let mut times = Vec::with_capacity(hot.len());
    for hot in hot {
        let before = bench.clock.now();
        match tags {
            Some(tags) => bench.far_hit(hot, tags).await,
            None => bench.bare_get(hot).await,
        }
        times.push(bench.clock.now().since(before).as_secs_f64());
    }
    median(times)
}

/// The time of a few calls, in seconds a call.
fn time<F: Future<Output = ()>>(bench: &Bench, runtime: &Runtime, call: impl Fn() -> F) -> f64 {
    const CALLS: u32 = 5;
    runtime.block_on(async {
        let before = bench.clock.now();
        for _ in 0..CALLS {
            call().await;
        }
        bench.clock.now().since(before).as_secs_f64() / f64::from(CALLS)
    })
}

fn allocations(bench: &Bench, runtime: &Runtime) {
    let count = |call: &dyn Fn()| {
        call();
        let counted = allocation_counter::measure(call);
        counted.count_total / bench.hot[0].len() as u64
    };
    let bare = count(&|| {
        runtime.block_on(async {
            for hot in &bench.hot[0] {
                bench.bare_get(hot).await;
            }
        });
    });
    println!("allocations of a bare GET: {bare}");
    for (hot, tags) in bench.hot.iter().zip(TAGS) {
        let hits = count(&|| {
            runtime.block_on(async {
                for hot in hot {
                    bench.far_hit(hot, tags).await;
                }
            });
        });
        println!("allocations of a far hit, {tags} tags: {hits}");
    }
}

const MANY_ROUNDS: usize = 40;
const READS_PER_TASK: usize = 200;

fn many_tasks() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::new());
    let mut bare = Run::new("bare GET", "");
    let mut hits = TAGS.map(|tags| {
        // A time that is not longer is a throughput that is not smaller.
        let limit = if tags <= 1 { " (limit 1.00x)" } else { "" };
        Run::new(format!("far hit, {tags} tags, {TASKS} tasks, time for all"), limit)
    });
    for _ in 0..MANY_ROUNDS {
        bare.times.push(runtime.block_on(crowd(&bench, 0, None)));
        for (index, (run, tags)) in hits.iter_mut().zip(TAGS).enumerate() {
            run.times.push(runtime.block_on(crowd(&bench, index, Some(tags))));
        }
    }
    report(&bare, &hits, 1e9, "ns");
    for run in std::iter::once(&bare).chain(&hits) {
        println!("{}: {:.0} thousand a second", run.name, 1e-3 / median(run.times.clone()));
    }
}

/// The time of all tasks together, in seconds a read.
async fn crowd(bench: &Bench, index: usize, tags: Option<usize>) -> f64 {
    let before = bench.clock.now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let hot = bench.hot[index].iter().cycle().skip(task * 13).take(READS_PER_TASK);
                for hot in hot {
                    match tags {
                        Some(tags) => bench.far_hit(hot, tags).await,
                        None => bench.bare_get(hot).await,
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    bench.clock.now().since(before).as_secs_f64() / (TASKS * READS_PER_TASK) as f64
}

fn report(bare: &Run, runs: &[Run], unit: f64, name: &str) {
    println!("{}: {:.2} {name}", bare.name, median(bare.times.clone()) * unit);
    for run in runs {
        println!("{}: {:.2} {name}", run.name, median(run.times.clone()) * unit);
        // Round is compared with round, so that what slows a whole round down cancels out.
        let pairs = run.times.iter().zip(&bare.times);
        let ratio = median(pairs.map(|(time, bare)| time / bare).collect());
        println!("ratio {} / {}: {ratio:.2}x{}", run.name, bare.name, run.limit);
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
