//! What a far hit costs, beside the same bytes read by a bare `mg` through a blocking socket, and
//! how many hits a second 64 tasks make, beside the same tasks with a connection each.
//!
//! Rounds are interleaved, so that a busy machine is busy for everybody. Client and server share
//! one core if the whole bench is started on one: `taskset -c 0 cargo bench --bench
//! memcached_far_hit`. `LARDER_MEMCACHED_URL` names a server that is there already; it then runs
//! where it runs.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use async_memcached::{AsciiProtocol as _, Client};
use larder_core::{
    CacheBackend, Clock as _, Key, PlainStore as _, ReadRequest, SystemClock, Tag, Ttl,
};
use larder_memcached::{MemcachedBackend, MemcachedConfig, ServerAddress};
use larder_services::Setup;
use tokio::runtime::Runtime;

const KEYS: usize = 1_000;
const VALUE_BYTES: usize = 256;
const ROUNDS: usize = 200;
/// Calls between two changes of what is measured.
const CALLS: usize = 50;
const TASKS: usize = 64;
/// Hits of one task in one round of the throughput.
const HITS: usize = 400;
const BATCH: usize = 100;

struct Bench {
    runtime: Runtime,
    backend: Arc<MemcachedBackend>,
    keys: Vec<Key>,
    tags: Vec<Tag>,
    bare: Bare,
    /// `host:port`.
    server: String,
}

/// A blocking socket and one buffer.
struct Bare {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Bare {
    fn ask(&mut self, request: &str, reply_len: usize) {
        self.stream.write_all(request.as_bytes()).unwrap();
        let mut len = 0;
        while len < reply_len {
            len += self.stream.read(&mut self.buffer[len..]).unwrap();
        }
        assert_eq!(len, reply_len);
        black_box(&self.buffer);
    }

    fn hit(&mut self, name: &str) {
        self.ask(&format!("mg {name} v\r\n"), "VA 256\r\n".len() + VALUE_BYTES + 2);
    }

    fn multi(&mut self, names: &[String]) {
        let line = names[0].len() + "VALUE  0 256\r\n".len() + VALUE_BYTES + 2;
        let request = format!("get {}\r\n", names.join(" "));
        self.ask(&request, names.len() * line + "END\r\n".len());
    }
}

impl Bench {
    fn new(config: MemcachedConfig) -> Self {
        let ServerAddress::Tcp { host, port } = config.servers[0].clone() else {
            panic!("the yardstick needs a port");
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let backend = runtime.block_on(MemcachedBackend::connect(config)).unwrap();
        let stream = TcpStream::connect((host.as_str(), port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let bench = Self {
            runtime,
            backend: Arc::new(backend),
            keys: (0..KEYS).map(|n| Key::object(&format!("bench {n}"))).collect(),
            tags: (0..4).map(|n| Tag::named(&format!("bench {n}"))).collect(),
            bare: Bare { stream, buffer: vec![0; 1 << 20] },
            server: format!("{host}:{port}"),
        };
        bench.fill();
        bench
    }

    fn fill(&self) {
        let ttl = Ttl::new(Duration::from_secs(3_600)).unwrap();
        let value = vec![b'x'; VALUE_BYTES];
        self.runtime.block_on(async {
            for key in &self.keys {
                self.backend.put(key, value.clone().into(), ttl).await.unwrap();
                self.backend.plain_set(key, value.clone().into(), ttl).await.unwrap();
            }
            self.backend.generations(&self.tags).await.unwrap();
        });
    }
}

fn main() {
    let (_service, url) = match std::env::var("LARDER_MEMCACHED_URL") {
        Ok(url) => (None, url),
        Err(_) => {
            let service = larder_services::start(Setup::Memcached).unwrap();
            let url = service.url().to_owned();
            (Some(service), url)
        }
    };
    let config: MemcachedConfig = url.parse().unwrap();
    let mut bench = Bench::new(config.with_namespace("bench"));
    latency(&mut bench);
    batches(&mut bench);
    throughput(&bench);
    allocations(&bench);
}

fn latency(bench: &mut Bench) {
    let clock = SystemClock::new();
    let names: Vec<_> = bench.keys.iter().map(|key| key.visible().to_string()).collect();
    let labels = ["bare mg", "far hit, 0 tags", "far hit, 1 tag", "far hit, 4 tags", "plain hit"];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); labels.len()];
    for round in 0..ROUNDS {
        let at = |call: usize| (round * CALLS + call) % KEYS;
        for call in 0..CALLS {
            let before = clock.now();
            bench.bare.hit(&names[at(call)]);
            times[0].push(clock.now().since(before).as_secs_f64() * 1e6);
        }
        let (backend, keys, tags) = (&*bench.backend, &bench.keys, &bench.tags);
        bench.runtime.block_on(async {
            for (label, tags) in [(1, &tags[..0]), (2, &tags[..1]), (3, &tags[..])] {
                for call in 0..CALLS {
                    let before = clock.now();
                    let snapshot = backend.read(&keys[at(call)], tags).await.unwrap();
                    times[label].push(clock.now().since(before).as_secs_f64() * 1e6);
                    assert_eq!(snapshot.value.map(|value| value.len()), Some(VALUE_BYTES));
                }
            }
            for call in 0..CALLS {
                let before = clock.now();
                let value = backend.plain_get(&keys[at(call)]).await.unwrap();
                times[4].push(clock.now().since(before).as_secs_f64() * 1e6);
                assert_eq!(value.map(|value| value.len()), Some(VALUE_BYTES));
            }
        });
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    for (label, median) in labels.iter().zip(&medians) {
        println!("{label}: p50 {median:.2} us");
    }
    for (label, median) in labels.iter().zip(&medians).skip(1) {
        let limit = if *label == "far hit, 0 tags" { " (limit 1.1x)" } else { "" };
        println!("ratio memcached {label}, to a bare mg: {:.2}x{limit}", median / medians[0]);
    }
}

fn batches(bench: &mut Bench) {
    let clock = SystemClock::new();
    let names: Vec<_> = bench.keys.iter().map(|key| key.visible().to_string()).collect();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = round * BATCH % (KEYS - BATCH);
        let before = clock.now();
        bench.bare.multi(&names[start..start + BATCH]);
        bare.push(clock.now().since(before).as_secs_f64() * 1e6);
        let keys = &bench.keys[start..start + BATCH];
        let requests: Vec<_> = keys.iter().map(|key| ReadRequest { key, tags: &[] }).collect();
        let before = clock.now();
        let found = bench.runtime.block_on(bench.backend.read_many(&requests)).unwrap();
        ours.push(clock.now().since(before).as_secs_f64() * 1e6);
        assert!(found.iter().all(|snapshot| snapshot.value.is_some()));
    }
    let (bare, ours) = (median(bare), median(ours));
    println!("bare get of {BATCH} keys: {bare:.1} us, read_many: {ours:.1} us");
    println!("ratio memcached read_many of 100, to a bare get: {:.2}x", ours / bare);
}

fn throughput(bench: &Bench) {
    let clock = SystemClock::new();
    let clients = bench.runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..TASKS {
            clients.push(Client::new(format!("tcp://{}", bench.server)).await.unwrap());
        }
        clients
    });
    let names: Arc<Vec<String>> =
        Arc::new(bench.keys.iter().map(|key| key.visible().to_string()).collect());
    let mut pool: Vec<_> = clients.into_iter().collect();
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let before = clock.now();
        pool = bench.runtime.block_on(async {
            let tasks = pool.into_iter().enumerate().map(|(task, mut client)| {
                let names = Arc::clone(&names);
                tokio::spawn(async move {
                    for hit in 0..HITS {
                        let name = &names[(task * 7 + hit) % KEYS];
                        let value = client.get(name).await.unwrap().unwrap();
                        assert_eq!(value.data.map(|data| data.len()), Some(VALUE_BYTES));
                    }
                    client
                })
            });
            let tasks: Vec<_> = tasks.collect();
            let mut clients = Vec::new();
            for task in tasks {
                clients.push(task.await.unwrap());
            }
            clients
        });
        theirs.push((TASKS * HITS) as f64 / clock.now().since(before).as_secs_f64() / 1e3);

        let before = clock.now();
        bench.runtime.block_on(async {
            let tasks = (0..TASKS).map(|task| {
                let (backend, keys) = (Arc::clone(&bench.backend), bench.keys.clone());
                tokio::spawn(async move {
                    for hit in 0..HITS {
                        let key = &keys[(task * 7 + hit) % KEYS];
                        let value = backend.read(key, &[]).await.unwrap().value;
                        assert_eq!(value.map(|value| value.len()), Some(VALUE_BYTES));
                    }
                })
            });
            let tasks: Vec<_> = tasks.collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        ours.push((TASKS * HITS) as f64 / clock.now().since(before).as_secs_f64() / 1e3);
    }
    let (theirs, ours) = (median(theirs), median(ours));
    println!(
        "64 tasks: async-memcached on 64 connections {theirs:.0} k hits/s, ours on 1 {ours:.0} k"
    );
    println!(
        "ratio memcached hits at 64 tasks, to async-memcached: {:.2}x (at least 2x)",
        ours / theirs
    );
}

fn allocations(bench: &Bench) {
    for tags in [0, 1, 4] {
        let tags = &bench.tags[..tags];
        let counted = allocation_counter::measure(|| {
            bench.runtime.block_on(async {
                for key in &bench.keys[..100] {
                    black_box(bench.backend.read(key, tags).await.unwrap());
                }
            });
        });
        let each = counted.count_total as f64 / 100.0;
        println!(
            "far hit, {} tags: {each:.2} allocations, {} B",
            tags.len(),
            counted.bytes_total / 100
        );
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
