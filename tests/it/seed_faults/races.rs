//! Many tasks at once: on one handle, on one cold query, and a writer during a fill.

use std::{sync::Arc, time::Duration};

use larder::Larder;

use crate::support::{Bench, Engine, Tiers};

async fn with_one_row(bench: &Bench) {
    let create = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)";
    bench.behind_its_back(&[create, "INSERT INTO t VALUES (1, 0)"]).await;
}

pub(super) async fn sixty_four_tasks_share_one_handle(bench: Arc<Bench>) {
    with_one_row(&bench).await;
    let larder = bench.process(Tiers::Far).await;
    let tasks: Vec<_> = (0..64_i64)
        .map(|task| {
            let larder = larder.clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    // Some entries belong to one task, some to all of them.
                    let key = if round % 2 == 0 { task } else { round };
                    let sql = format!("SELECT n + {key} FROM t WHERE id = 1");
                    let found = larder.query(&sql).fetch_scalar::<i64>().await.unwrap();
                    assert_eq!(*found, key, "the answer to another question");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // A machine that is very busy may let a call run into its time limit; a client that tasks can
    // not share fails all the time.
    let far = larder.stats().far.unwrap();
    assert!((far.errors + far.skipped) * 20 < far.counters.reads, "{far:?}");
}

pub(super) async fn twelve_tasks_run_a_cold_query_once(bench: Arc<Bench>) {
    with_one_row(&bench).await;
    for tiers in [Tiers::Far, Tiers::NearAndFar] {
        let larder = bench.process(tiers).await;
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let larder = larder.clone();
                tokio::spawn(async move { read(&larder, "SELECT n FROM t").await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
        assert_eq!(larder.stats().keyspaces["t"].loads, 1, "{tiers:?}");
    }
}

/// A query that reads its row first and then takes its time.
fn slow(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT n FROM t WHERE id = 1 AND (WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL \
             SELECT i + 1 FROM c WHERE i < 400000) SELECT count(i) FROM c) > 0"
        }
        Engine::Postgres => {
            "SELECT CASE WHEN pg_sleep(0.2) IS NULL THEN -1 ELSE n END FROM t WHERE id = 1"
        }
        Engine::MariaDb | Engine::MySql => "SELECT n + sleep(0.2) FROM t WHERE id = 1",
    }
}

async fn read(larder: &Larder, sql: &str) -> i64 {
    // It sleeps, which changes nothing about its answer.
    *larder.query(sql).assume_cacheable().fetch_scalar::<i64>().await.unwrap()
}

pub(super) async fn a_write_while_a_reader_fills_wins(bench: Arc<Bench>) {
    with_one_row(&bench).await;
    let sql = slow(bench.engine);
    for tiers in [Tiers::Far, Tiers::NearAndFar] {
        let reader = bench.process(tiers).await;
        let writer = bench.second_process(Tiers::Far).await;
        let third = bench.second_process(Tiers::Far).await;
        let mut overtaken = 0;
        for round in 0..20 {
            let before = read(&writer, "SELECT n FROM t").await;
            writer.query(sql).assume_cacheable().invalidate().await.unwrap().applied().unwrap();
            let filling = {
                let reader = reader.clone();
                tokio::spawn(async move { read(&reader, sql).await })
            };
            tokio::time::sleep(Duration::from_millis(20 + 5 * round)).await;
            let update = writer.execute("UPDATE t SET n = n + 1 WHERE id = 1");
            update.run().await.unwrap().applied().unwrap();
            let filled = filling.await.unwrap();
            overtaken += u32::from(filled == before);
            // The old row was read before the write; it may be answered, but never stored.
            assert_eq!(read(&third, sql).await, before + 1, "round {round}");
            if tiers == Tiers::Far {
                assert_eq!(read(&reader, sql).await, before + 1, "round {round}");
            }
            if overtaken == 3 {
                break;
            }
        }
        assert!(overtaken > 0, "no write overtook a fill, so nothing was tested");
    }
}
