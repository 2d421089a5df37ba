//! What counting 100,000 clusters costs, and finding one by its id, beside the same by hand.
//!
//! The yardsticks are bare prepared statements on a connection of their own: for the figures those
//! of the Python tool, which compare expiry as text, and which a program would write that trusts
//! all texts to be of one kind. The rounds are interleaved, so that a busy machine is busy for
//! everybody. At the end the medians and their ratios are printed.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::{hint::black_box, time::Duration};

use criterion::Criterion;
use larder_clusters::{ClusterCache, ClusterFileOptions};
use larder_core::{Clock as _, SystemClock};
use larder_sqlite_file::rusqlite::{Connection, config::DbConfig, params};

const ROWS: u32 = 100_000;
const ROUNDS: u32 = 60;
const LOOKS: u32 = 200;

const ROW: &str = "INSERT INTO clusters (cluster_id, cluster_name, host, num_workers, \
    created_at, expiry_time, last_accessed, is_active) VALUES ('c' || ?1, 'name', 'https://h', 2, \
    ?2, strftime('%Y-%m-%d %H:%M:%f', 'now', (?1 % 7 - 3) || ' hours'), ?2, ?1 % 2)";

/// Five statements, each of which counts one thing.
const FIGURES: [&str; 5] = [
    "SELECT count(*) FROM clusters",
    "SELECT count(*) FROM clusters WHERE is_active = 1",
    "SELECT count(*) FROM clusters WHERE expiry_time <= datetime('now')",
    "SELECT sum(access_count) FROM clusters",
    "SELECT count(*) FROM clusters WHERE is_shared = 1",
];
const BY_ID: &str = "SELECT * FROM clusters WHERE cluster_id = ?1";

struct Bench {
    cache: ClusterCache,
    bare: Connection,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("clusters.db");
        let cache = ClusterCache::open(ClusterFileOptions::new(&path)).unwrap();
        let mut bare = Connection::open(&path).unwrap();
        // Otherwise an analysed file has each statement prepared anew for each new parameter.
        bare.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        let transaction = bare.transaction().unwrap();
        let mut insert = transaction.prepare(ROW).unwrap();
        for row in 0..ROWS {
            insert.execute(params![row, "2025-01-01 00:00:00.000"]).unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
        cache.optimize().unwrap();
        Self { cache, bare, _directory: directory }
    }

    fn figures(&self) -> u64 {
        self.cache.statistics().unwrap().total_clusters
    }

    fn figures_by_hand(&self) -> i64 {
        let figure = |sql| -> i64 {
            let mut select = self.bare.prepare_cached(sql).unwrap();
            select.query_row([], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or_default()
        };
        FIGURES.map(figure).iter().sum()
    }

    fn look(&self, row: u32) -> bool {
        self.cache.cluster(&format!("c{row}")).unwrap().is_some()
    }

    fn look_by_hand(&self, row: u32) -> Option<String> {
        let mut select = self.bare.prepare_cached(BY_ID).unwrap();
        select.query_row([format!("c{row}")], |row| row.get("host")).unwrap()
    }
}

fn main() {
    let bench = Bench::new();
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("statistics/cache", |b| b.iter(|| black_box(bench.figures())));
    criterion.bench_function("statistics/bare", |b| b.iter(|| black_box(bench.figures_by_hand())));
    criterion.bench_function("by_id/cache", |b| b.iter(|| black_box(bench.look(77_777))));
    criterion.bench_function("by_id/bare", |b| b.iter(|| black_box(bench.look_by_hand(77_777))));
    criterion.final_summary();
    compare(&bench);
}

fn compare(bench: &Bench) {
    let clock = SystemClock::new();
    let timed = |work: &mut dyn FnMut()| {
        let started = clock.now();
        work();
        clock.now().since(started)
    };
    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..ROUNDS {
        let row = |look: u32| (round * LOOKS + look) * 7_919 % ROWS;
        times[0].push(timed(&mut || _ = black_box(bench.figures())));
        times[1].push(timed(&mut || _ = black_box(bench.figures_by_hand())));
        times[2].push(timed(&mut || {
            (0..LOOKS).for_each(|look| assert!(bench.look(row(look))));
        }));
        times[3].push(timed(&mut || {
            (0..LOOKS).for_each(|look| drop(black_box(bench.look_by_hand(row(look)))));
        }));
    }
    let [cache, bare, by_id, by_id_bare] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    println!("statistics over {ROWS} clusters: {cache:?}, bare SQL {bare:?}");
    let ratio = cache.as_secs_f64() / bare.as_secs_f64();
    println!("ratio statistics over {ROWS} clusters / bare SQL: {ratio:.2}x");
    println!("by id: {:?}, bare SQL {:?}", by_id / LOOKS, by_id_bare / LOOKS);
    let ratio = by_id.as_secs_f64() / by_id_bare.as_secs_f64();
    println!("ratio cluster by id / bare SQL: {ratio:.2}x");
}
