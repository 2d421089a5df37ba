//! What is stored is what the database said, under a key of its own, for as long as was asked.

use std::{sync::Arc, time::Duration};

use larder::{Larder, Params, QueryError, Settings, SettingsError, Source, TtlError, Value};

use crate::support::{Bench, TestDatabase, Tiers, assert_same};

pub(super) async fn types_and_values_are_the_same_on_miss_and_hit(bench: Arc<Bench>) {
    let create = bench.engine.spelled(
        "CREATE TABLE booking (price TEXT, moment TEXT, name TEXT)",
        "CREATE TABLE booking (price NUMERIC(10, 2), moment TIMESTAMP, name TEXT)",
        "CREATE TABLE booking (price DECIMAL(10, 2), moment DATETIME, name TEXT)",
    );
    let insert = "INSERT INTO booking VALUES ('10.50', '2015-06-01 12:00:00', 'A')";
    bench.behind_its_back(&[create, insert]).await;
    let larder = bench.process(Tiers::Far).await;
    let rows = bench.miss_and_hit(&larder, "SELECT price, moment, name FROM booking").await;
    let types: Vec<_> = rows.rows()[0].values().iter().map(Value::type_name).collect();
    let expected = bench.engine.spelled("text", "decimal", "decimal");
    let moment = bench.engine.spelled("text", "timestamp", "timestamp");
    assert_eq!(types, [expected, moment, "text"]);
    assert_eq!(rows.rows()[0].values()[0].to_string(), "10.50");
}

pub(super) async fn an_empty_result_is_cached(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)"]).await;
    let larder = bench.process(Tiers::Far).await;
    for _ in 0..3 {
        assert!(larder.query("SELECT n FROM t").fetch_all().await.unwrap().is_empty());
    }
    assert_eq!(larder.stats().keyspaces["t"].loads, 1);
}

pub(super) async fn a_colon_in_a_text_is_no_parameter(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]).await;
    let larder = bench.process(Tiers::Far).await;
    let sql = "SELECT ':zz' AS a, 'a:b' AS b, '?' AS c, '$1' AS d FROM t WHERE 'x:y' <> ':zz'";
    let rows = bench.miss_and_hit(&larder, sql).await;
    let texts: Vec<_> = rows.rows()[0].values().iter().map(ToString::to_string).collect();
    assert_eq!(texts, [":zz", "a:b", "?", "$1"]);
}

pub(super) async fn two_columns_of_one_name_are_both_kept(bench: Arc<Bench>) {
    let create = ["CREATE TABLE a (id INTEGER)", "CREATE TABLE b (id INTEGER)"];
    bench.behind_its_back(&create).await;
    bench.behind_its_back(&["INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)"]).await;
    let larder = bench.process(Tiers::Far).await;
    let rows = bench.miss_and_hit(&larder, "SELECT a.id, b.id FROM a CROSS JOIN b").await;
    let found = larder.query("SELECT a.id, b.id FROM a CROSS JOIN b").fetch_one().await.unwrap();
    let ids: Vec<_> = found.values_named("id").cloned().collect();
    assert_eq!(ids, [Value::Int(1), Value::Int(2)]);
    assert_eq!(serde_json::to_string(&rows).unwrap(), "[{\"id\":1,\"id:2\":2}]");
}

pub(super) async fn variants_of_a_text_are_entries_of_their_own(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]).await;
    let larder = bench.process(Tiers::Far).await;
    // None of them is ever given another one's answer, and a write invalidates all of them.
    let variants =
        ["SELECT n FROM t", "SELECT  n FROM t", "select n from t", "SELECT n AS m FROM t"];
    for _ in 0..2 {
        for sql in variants {
            bench.miss_and_hit(&larder, sql).await;
        }
        larder.execute("UPDATE t SET n = n + 1").run().await.unwrap().applied().unwrap();
    }
}

pub(super) async fn two_databases_share_a_cache_and_no_entry(bench: Arc<Bench>) {
    let create = "CREATE TABLE t (n INTEGER)";
    bench.behind_its_back(&[create, "INSERT INTO t VALUES (1)"]).await;
    let other = TestDatabase::create(bench.engine).await;
    let here = bench.process(Tiers::Far).await;
    let there = bench.process_on(&other, Tiers::Far).await;
    let read = async |larder: &Larder| {
        let found = larder.query("SELECT n FROM t").fetch_scalar::<i64>().await.unwrap();
        (*found, found.source().is_hit())
    };
    there.execute(create).run().await.unwrap().applied().unwrap();
    there.execute("INSERT INTO t VALUES (2)").run().await.unwrap().applied().unwrap();
    assert_eq!((read(&here).await, read(&there).await), ((1, false), (2, false)));
    assert_eq!((read(&here).await, read(&there).await), ((1, true), (2, true)));
    there.execute("UPDATE t SET n = 3").run().await.unwrap().applied().unwrap();
    // Statements may name tables of other databases of a server, so whether the entry of the other
    // database lives on is the engine's business.
    assert_eq!((read(&here).await.0, read(&there).await), (1, (3, false)));
    there.database().close().await;
    other.remove().await;
}

pub(super) async fn an_update_is_committed_and_counted(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]).await;
    let larder = bench.process(Tiers::Far).await;
    let update = "UPDATE t SET n = 2 WHERE n = 1";
    assert_eq!(larder.execute(update).run().await.unwrap().applied().unwrap(), 1);
    let seen = bench.uncached("SELECT n FROM t", &Params::new()).await;
    assert_eq!(seen.to::<i64>().unwrap(), [2], "another connection sees it");
    // A write that comes along as a query is no error either, is committed, and is not cached.
    let bypassed = larder.query("UPDATE t SET n = 3").fetch_all().await.unwrap();
    assert_eq!((bypassed.len(), bypassed.source()), (0, Source::Bypass));
    let seen = larder.query("SELECT n FROM t").fetch_scalar::<i64>().await.unwrap();
    assert_eq!(*seen, 3);
}

pub(super) async fn a_lifetime_of_zero_or_less_is_an_error(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)"]).await;
    let larder = bench.process(Tiers::Far).await;
    let zero = larder.query("SELECT n FROM t").ttl(Duration::ZERO).fetch_all().await;
    assert!(matches!(zero, Err(QueryError::Ttl(_))), "{zero:?}");
    let mut errors = ["0", "-1"].map(|ttl| {
        let lookup = |name| (name == "CACHE_TTL").then(|| ttl.to_owned());
        match Settings::from_lookup(lookup) {
            Err(SettingsError::Ttl { source, .. }) => source,
            other => panic!("a lifetime of {ttl}: {other:?}"),
        }
    });
    errors.sort_by_key(|error| matches!(error, TtlError::Negative { .. }));
    assert!(matches!(errors, [_, TtlError::Negative { .. }]), "{errors:?}");
    let built = Larder::builder().database("sqlite::memory:").ttl(Duration::ZERO).build().await;
    assert!(built.is_err());
}

pub(super) async fn a_lifetime_beyond_thirty_days_is_no_date(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]).await;
    let larder = bench.process(Tiers::Far).await;
    const DAY: Duration = Duration::from_secs(86_400);
    for (index, days) in [29, 30, 31, 365, 3_650].into_iter().enumerate() {
        let sql = format!("SELECT n + {index} FROM t");
        for is_hit in [false, true, true] {
            let query = larder.query(&sql).ttl(days * DAY);
            let found = query.fetch_scalar::<i64>().await.unwrap();
            assert_eq!(found.source().is_hit(), is_hit, "{days} days");
        }
    }
}

pub(super) async fn a_result_above_a_mebibyte_is_served_and_counted(bench: Arc<Bench>) {
    let create = bench.engine.spelled(
        "CREATE TABLE t (filler TEXT)",
        "CREATE TABLE t (filler TEXT)",
        "CREATE TABLE t (filler LONGTEXT)",
    );
    let insert = format!("INSERT INTO t VALUES ('{}')", "0123456789abcdef".repeat(100_000));
    bench.behind_its_back(&[create, &insert]).await;
    let larder = bench.process(Tiers::Far).await;
    let expected = bench.uncached("SELECT filler FROM t", &Params::new()).await;
    for _ in 0..3 {
        let rows = larder.query("SELECT filler FROM t").fetch_all().await.unwrap();
        assert_same(&rows, &expected, "a large result");
    }
    let stats = larder.stats();
    let (counted, far) = (&stats.keyspaces["t"], stats.far.unwrap());
    if bench.far.stores_large_values() {
        assert_eq!((counted.loads, counted.far_hits), (1, 2));
        assert!(counted.bytes_filled > 1_600_000);
    } else {
        // The counters say that it was never stored, and that the server is not to blame.
        assert_eq!((counted.loads, counted.far_hits, counted.bytes_filled), (3, 0, 0));
        assert_eq!((far.errors, far.too_large, far.is_open), (0, 3, false), "{far:?}");
    }
}

pub(super) async fn what_is_not_there_is_invalidated_without_complaint(bench: Arc<Bench>) {
    bench.behind_its_back(&["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1)"]).await;
    let larder = bench.process(Tiers::Far).await;
    for _ in 0..2 {
        larder.query("SELECT n FROM t").invalidate().await.unwrap().applied().unwrap();
        larder.invalidate_tag("nothing carries it").await.applied().unwrap();
    }
    bench.miss_and_hit(&larder, "SELECT n FROM t").await;
    larder.query("SELECT n FROM t").invalidate().await.unwrap().applied().unwrap();
    bench.miss_and_hit(&larder, "SELECT n FROM t").await;
}
