//! What a far hit costs, beside the same bytes read by a bare prepared `SELECT` from the same
//! file.
//!
//! Two yardsticks: the table that one would write by hand (`WITHOUT ROWID`, the digest as key),
//! and the backend's own rows by their number, which is the least that SQLite can do. The rounds
//! are interleaved, so that a busy machine is busy for everybody. At the end the medians and
//! their ratios are printed.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::{collections::HashMap, hint::black_box, time::Duration};

use criterion::Criterion;
use larder_core::{CacheBackend, Clock as _, Key, SystemClock, Tag, Ttl};
use larder_sqlite::{ReadMode, SqliteBackend, SqliteConfig};
use larder_sqlite_file::{
    Access, FileOptions,
    rusqlite::{Connection, params},
};
use tokio::runtime::Runtime;

const ROWS: u32 = 100_000;
const HOT: u32 = 1_000;
/// Reads between two readings of the clock: so few that most rounds pass undisturbed.
const ROUND: usize = 50;
const ROUNDS: usize = 100;
const VALUE_BYTES: usize = 256;
const TAGS: [usize; 3] = [0, 1, 4];

const BY_KEY: &str = "SELECT value FROM bare WHERE key = ?1";
const BY_NUMBER: &str = "SELECT value FROM entry WHERE id = ?1";

struct Bench {
    runtime: Runtime,
    backend: Box<dyn CacheBackend>,
    /// The same file, read on blocking threads.
    offloaded: Box<dyn CacheBackend>,
    /// One connection per yardstick, so that each has a page cache of its own, as the backend has.
    by_key: Connection,
    by_number: Connection,
    hot: Vec<Hot>,
    tags: Vec<Tag>,
    _directory: tempfile::TempDir,
}

struct Hot {
    key: Key,
    digest: [u8; 16],
    id: i64,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cache.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let backend = runtime.block_on(SqliteBackend::open(SqliteConfig::new(&path))).unwrap();
        let keys: Vec<_> = (0..ROWS).map(|row| Key::object(&format!("row {row}"))).collect();
        let ttl = Ttl::new(Duration::from_secs(3_600)).unwrap();
        let tags: Vec<_> = (0..4).map(|tag| Tag::named(&format!("tag {tag}"))).collect();
        runtime.block_on(async {
            for keys in keys.chunks(500) {
                let puts = keys.iter().map(|key| backend.put(key, value(key).into(), ttl));
                futures_util::future::try_join_all(puts).await.unwrap();
            }
            backend.generations(&tags).await.unwrap();
        });
        let offload = SqliteConfig::new(&path).with_reads(ReadMode::Offload);
        let offloaded = runtime.block_on(SqliteBackend::open(offload)).unwrap();
        make_bare_table(&path, &keys);
        let reading = FileOptions::new(&path).with_access(Access::Read);
        let by_key = reading.open().unwrap();
        let by_number = reading.open().unwrap();
        let hot = hot_keys(&by_number, &keys);
        Self {
            runtime,
            backend: Box::new(backend),
            offloaded: Box::new(offloaded),
            by_key,
            by_number,
            hot,
            tags,
            _directory: directory,
        }
    }

    fn far_hits(&self, backend: &dyn CacheBackend, tags: usize, hot: &[Hot]) {
        let tags = &self.tags[..tags];
        self.runtime.block_on(async {
            for hot in hot {
                let snapshot = backend.read(black_box(&hot.key), tags).await.unwrap();
                assert_eq!(snapshot.value.as_ref().map(|value| value.len()), Some(VALUE_BYTES));
                black_box(snapshot);
            }
        });
    }

    fn bare_by_key(&self, hot: &[Hot]) {
        for hot in hot {
            let mut statement = self.by_key.prepare_cached(BY_KEY).unwrap();
            let value: Vec<u8> =
                statement.query_row([black_box(&hot.digest)], |row| row.get(0)).unwrap();
            assert_eq!(black_box(value).len(), VALUE_BYTES);
        }
    }

    fn bare_by_number(&self, hot: &[Hot]) {
        for hot in hot {
            let mut statement = self.by_number.prepare_cached(BY_NUMBER).unwrap();
            let value: Vec<u8> =
                statement.query_row([black_box(hot.id)], |row| row.get(0)).unwrap();
            assert_eq!(black_box(value).len(), VALUE_BYTES);
        }
    }
}

/// One key in a hundred, with the number of its row.
fn hot_keys(connection: &Connection, keys: &[Key]) -> Vec<Hot> {
    let mut statement = connection.prepare("SELECT value, id FROM entry").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let numbers: HashMap<Vec<u8>, i64> = rows.unwrap().map(Result::unwrap).collect();
    let hot = keys.iter().step_by((ROWS / HOT) as usize);
    hot.map(|key| Hot {
        key: *key,
        digest: key.digest()[..16].try_into().unwrap(),
        id: numbers[&value(key)],
    })
    .collect()
}

/// Bytes that name their key, so that its row can be found.
fn value(key: &Key) -> Vec<u8> {
    key.digest().iter().copied().cycle().take(VALUE_BYTES).collect()
}

fn make_bare_table(path: &std::path::Path, keys: &[Key]) {
    let mut connection = FileOptions::new(path).open().unwrap();
    connection
        .execute_batch("CREATE TABLE bare(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        .unwrap();
    let transaction = connection.transaction().unwrap();
    for key in keys {
        let mut insert = transaction.prepare_cached("INSERT INTO bare VALUES (?1, ?2)").unwrap();
        insert.execute(params![&key.digest()[..16], value(key)]).unwrap();
    }
    transaction.commit().unwrap();
}

fn main() {
    let bench = Bench::new();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("1000 reads of 256 B");
    group.bench_function("bare, by key", |b| b.iter(|| bench.bare_by_key(&bench.hot)));
    group.bench_function("bare, by number", |b| b.iter(|| bench.bare_by_number(&bench.hot)));
    for tags in TAGS {
        group.bench_function(format!("far hit, {tags} tags"), |b| {
            b.iter(|| bench.far_hits(&*bench.backend, tags, &bench.hot))
        });
    }
    group.finish();
    criterion.final_summary();
    print_ratios(&bench);
}

/// Reads these entries in one of the ways that are compared.
type Read<'a> = Box<dyn Fn(&[Hot]) + 'a>;

struct Run<'a> {
    name: String,
    read: Read<'a>,
    times: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(name: impl Into<String>, read: impl Fn(&[Hot]) + 'a) -> Self {
        Self { name: name.into(), read: Box::new(read), times: Vec::new() }
    }
}

fn print_ratios(bench: &Bench) {
    let far_hits = |tags: usize| {
        let read = move |hot: &[Hot]| bench.far_hits(&*bench.backend, tags, hot);
        Run::new(format!("far hit, {tags} tags"), read)
    };
    let offloaded = |hot: &[Hot]| bench.far_hits(&*bench.offloaded, 0, hot);
    let mut runs = vec![
        Run::new("bare, by key", |hot| bench.bare_by_key(hot)),
        Run::new("bare, by number", |hot| bench.bare_by_number(hot)),
    ];
    runs.extend(TAGS.map(far_hits));
    runs.push(Run::new("far hit, offloaded, 0 tags", offloaded));
    let clock = SystemClock::new();
    for _ in 0..ROUNDS {
        for hot in bench.hot.chunks_exact(ROUND) {
            for run in &mut runs {
                // Once for the processor's caches, which otherwise favour whoever reads the same
                // pages as the one before.
                (run.read)(hot);
                let before = clock.now();
                (run.read)(hot);
                let nanos = clock.now().since(before).as_secs_f64() * 1e9;
                run.times.push(nanos / hot.len() as f64);
            }
        }
    }
    for run in &runs {
        println!("{}: {:.0} ns", run.name, median(run.times.clone()));
    }
    for run in &runs[2..] {
        // The goal is for one tag at most, which is what a query on one table has.
        let limit = if run.name.ends_with(" 0 tags") || run.name.ends_with(" 1 tags") {
            " (limit 1.3x)"
        } else {
            ""
        };
        let limit = if run.name.contains("offloaded") { "" } else { limit };
        for (yardstick, name) in [(&runs[0], "key"), (&runs[1], "number")] {
            let ratio = median_ratio(&run.times, &yardstick.times);
            println!("ratio {} / bare SELECT by {name}: {ratio:.2}x{limit}", run.name);
        }
    }
}

/// Compares round with round, so that what slows a whole round down cancels out.
fn median_ratio(times: &[f64], yardstick: &[f64]) -> f64 {
    let pairs = times.iter().zip(yardstick);
    median(pairs.map(|(time, yardstick)| time / yardstick).collect())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
