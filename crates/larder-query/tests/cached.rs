//! Queries through the cache, against a real SQLite database.
#![cfg(feature = "sqlite")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use larder_cache::{Cache, Near, Source, Tier};
use larder_core::{CacheBackend, MemoryBackend, MemoryConfig};
use larder_query::{Database, DatabaseErrorKind, DatabaseOptions, Queries, QueryError, Value};
use larder_testkit::ManualClock;

const NEAR: Source = Source::Hit(Tier::Near);
const FAR: Source = Source::Hit(Tier::Far);

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct Airline {
    id: i64,
    iata: String,
    name: Option<String>,
}

/// A database on disk with a few airlines, and caches over it.
struct Bench {
    _dir: tempfile::TempDir,
    database: Database,
    clock: Arc<ManualClock>,
    far: Arc<dyn CacheBackend>,
}

#[derive(Clone, Copy, Debug)]
enum Tiers {
    Both,
    Far,
    Near,
}

const TIERS: [Tiers; 3] = [Tiers::Both, Tiers::Far, Tiers::Near];

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = open(&dir, "airport.db").await;
        let clock = ManualClock::new();
        let config = MemoryConfig::default().with_clock(Arc::clone(&clock) as _);
        let bench = Self { _dir: dir, database, clock, far: Arc::new(MemoryBackend::new(config)) };
        let setup = bench.queries(Tiers::Near);
        for sql in [
            "CREATE TABLE airline (id INTEGER PRIMARY KEY, iata TEXT NOT NULL, name TEXT)",
            "CREATE TABLE airport (id INTEGER PRIMARY KEY, code TEXT NOT NULL)",
            "CREATE TABLE flight (id INTEGER PRIMARY KEY, \
             airline INTEGER REFERENCES airline (id) ON DELETE CASCADE)",
            "INSERT INTO airline VALUES (1, 'LH', 'Lufthansa'), (2, 'AF', NULL), (3, 'BA', '')",
            "INSERT INTO airport VALUES (1, 'FRA')",
            "INSERT INTO flight VALUES (10, 1), (11, 1), (20, 2)",
            "CREATE VIEW german AS SELECT * FROM airline WHERE iata = 'LH'",
        ] {
            setup.execute(sql).run().await.unwrap();
        }
        bench
    }

    fn queries(&self, tiers: Tiers) -> Queries {
        self.queries_on(&self.database, tiers)
    }

    fn queries_on(&self, database: &Database, tiers: Tiers) -> Queries {
        let mut cache = Cache::builder().clock(Arc::clone(&self.clock) as _);
        if !matches!(tiers, Tiers::Far) {
            cache = cache.near(Near::mebibytes(8));
        }
        if !matches!(tiers, Tiers::Near) {
            cache = cache.far(Arc::clone(&self.far)).far_time_limit(Duration::from_secs(5));
        }
        Queries::new(database.clone(), cache.build().unwrap())
    }
}

async fn open(dir: &tempfile::TempDir, name: &str) -> Database {
    let url = format!("sqlite://{}?mode=rwc", dir.path().join(name).display());
    Database::connect(&url.parse().unwrap(), &DatabaseOptions::default()).await.unwrap()
}

const BY_IATA: &str = "SELECT id, iata, name FROM airline WHERE iata = ?";

async fn airline(queries: &Queries, iata: &str) -> (Option<String>, Source) {
    let found = queries.query_as::<Airline>(BY_IATA).bind(iata).fetch_one().await.unwrap();
    (found.name.clone(), found.source())
}

#[tokio::test]
async fn a_miss_is_followed_by_hits_of_equal_value() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let miss = queries.query_as::<Airline>(BY_IATA).bind("LH").fetch_one().await.unwrap();
        let hit = queries.query_as::<Airline>(BY_IATA).bind("LH").fetch_one().await.unwrap();
        assert_eq!((miss.source(), hit.source().is_hit()), (Source::Miss, true), "{tiers:?}");
        assert_eq!(*miss, *hit);
        assert_eq!(hit.source().to_string(), "CACHE_HIT");
    }
}

#[tokio::test]
async fn a_second_process_hits_what_the_first_has_stored() {
    let bench = Bench::new().await;
    assert_eq!(airline(&bench.queries(Tiers::Both), "LH").await.1, Source::Miss);
    let second = bench.queries(Tiers::Both);
    assert_eq!(airline(&second, "LH").await.1, FAR);
    assert_eq!(airline(&second, "LH").await.1, NEAR);
}

#[tokio::test]
async fn other_values_types_row_types_texts_and_databases_are_other_entries() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let sql = "SELECT count(*) AS n FROM airline WHERE id = ?";
    #[derive(serde::Deserialize)]
    struct Count {
        n: i64,
    }
    async fn source(query: larder_query::Query<'_, larder_query::Typed<Count>>) -> Source {
        let count = query.fetch_one().await.unwrap();
        assert!(count.n <= 1);
        count.source()
    }
    assert_eq!(source(queries.query_as(sql).bind(1_i64)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(1_i64)).await, NEAR);
    assert_eq!(source(queries.query_as(sql).bind(2_i64)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(1_i32)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(1.0)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind("1")).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(&b"1"[..])).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(true)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind(None::<i64>)).await, Source::Miss);
    assert_eq!(source(queries.query_as(sql).bind("")).await, Source::Miss);
    let other_text = format!("{sql} ");
    assert_eq!(source(queries.query_as(&other_text).bind(1_i64)).await, Source::Miss);

    let other_type = queries.query_as::<BTreeMap<String, i64>>(sql).bind(1_i64).fetch_one().await;
    assert_eq!(other_type.unwrap().source(), Source::Miss);
    assert_eq!(queries.query(sql).bind(1_i64).fetch_one().await.unwrap().source(), Source::Miss);
    assert_eq!(queries.query(sql).bind(1_i64).fetch_all().await.unwrap().source(), Source::Miss);
    assert_eq!(
        queries.query(sql).bind(1_i64).fetch_scalar::<i64>().await.unwrap().source(),
        Source::Miss
    );

    let dir = tempfile::tempdir().unwrap();
    let elsewhere = bench.queries_on(&open(&dir, "other.db").await, Tiers::Both);
    elsewhere.execute("CREATE TABLE airline (id)").run().await.unwrap();
    assert_eq!(source(elsewhere.query_as(sql).bind(1_i64)).await, Source::Miss);
}

#[tokio::test]
async fn a_write_invalidates_what_depends_on_its_tables_and_nothing_else() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let airports = || queries.query("SELECT * FROM airport").fetch_all();
        airline(&queries, "LH").await;
        airports().await.unwrap();
        for name in ["Kranich", "Lufthansa"] {
            let written = queries
                .execute("UPDATE airline SET name = ? WHERE iata = ?")
                .bind(name)
                .bind("LH")
                .run()
                .await
                .unwrap();
            assert_eq!(written.applied().unwrap(), 1);
            assert_eq!(airline(&queries, "LH").await, (Some(name.to_owned()), Source::Miss));
            assert!(airports().await.unwrap().source().is_hit(), "{tiers:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_returns_rows_invalidates_too() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    airline(&queries, "AF").await;
    let sql = "UPDATE airline SET name = ? WHERE iata = 'AF' RETURNING name";
    let name = queries.query(sql).bind("Air France").fetch_scalar::<String>().await.unwrap();
    assert_eq!((name.as_str(), name.source()), ("Air France", Source::Bypass));
    assert_eq!(airline(&queries, "AF").await, (Some("Air France".to_owned()), Source::Miss));
}

#[tokio::test]
async fn views_triggers_and_cascades_are_followed() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let german = || queries.query("SELECT name FROM german").fetch_scalar::<String>();
    let flights = || queries.query("SELECT count(*) FROM flight").fetch_scalar::<i64>();
    german().await.unwrap();
    assert_eq!(german().await.unwrap().source(), NEAR);
    queries.execute("UPDATE airline SET name = 'Kranich' WHERE id = 1").run().await.unwrap();
    assert_eq!(*german().await.unwrap(), "Kranich");

    assert_eq!(*flights().await.unwrap(), 3);
    queries.execute("DELETE FROM airline WHERE id = 1").run().await.unwrap();
    assert_eq!(*flights().await.unwrap(), 1, "the cascade reaches flights");

    queries.execute("CREATE TABLE log (what TEXT)").run().await.unwrap();
    let logged = || queries.query("SELECT count(*) FROM log").fetch_scalar::<i64>();
    assert_eq!(*logged().await.unwrap(), 0);
    let trigger = "CREATE TRIGGER logging AFTER INSERT ON airport \
                   BEGIN INSERT INTO log VALUES (new.code); END";
    queries.execute(trigger).run().await.unwrap();
    assert_eq!(*logged().await.unwrap(), 0);
    queries.execute("INSERT INTO airport VALUES (2, 'JFK')").run().await.unwrap();
    assert_eq!(*logged().await.unwrap(), 1, "the trigger reaches the log");
}

#[tokio::test]
async fn a_view_that_is_redefined_is_looked_into_again() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let prepared = queries.prepare("SELECT count(*) FROM german");
    let count = || prepared.query().fetch_scalar::<i64>();
    assert_eq!(*count().await.unwrap(), 1);
    queries.execute("DROP VIEW german").run().await.unwrap();
    queries.execute("CREATE VIEW german AS SELECT * FROM airport").run().await.unwrap();
    assert_eq!(*count().await.unwrap(), 1);
    queries.execute("INSERT INTO airport VALUES (3, 'MUC')").run().await.unwrap();
    assert_eq!(*count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_empty_answer_is_cached_and_a_missing_row_is_an_error() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let nobody = || queries.query_as::<Airline>(BY_IATA).bind("XX");
        let miss = nobody().fetch_optional().await.unwrap();
        assert_eq!((miss.value(), miss.source()), (None, Source::Miss));
        let hit = nobody().fetch_optional().await.unwrap();
        assert_eq!((hit.value(), hit.source().is_hit()), (None, true), "{tiers:?}");
        assert!(matches!(nobody().fetch_one().await, Err(QueryError::RowNotFound)));

        let empty = queries.query(BY_IATA).bind("XX").fetch_all().await.unwrap();
        assert_eq!((empty.len(), empty.source()), (0, Source::Miss));
        let again = queries.query(BY_IATA).bind("XX").fetch_all().await.unwrap();
        assert_eq!((again.len(), again.source().is_hit()), (0, true));
        assert_eq!(again.columns().len(), 3, "an empty answer has columns");

        queries.execute("INSERT INTO airline VALUES (9, 'XX', 'New')").run().await.unwrap();
        assert_eq!(nobody().fetch_one().await.unwrap().id, 9);
        queries.execute("DELETE FROM airline WHERE id = 9").run().await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_answer_lives_for_a_shorter_time() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let nobody = || queries.query(BY_IATA).bind("XX").ttl(Duration::from_secs(600)).fetch_all();
    nobody().await.unwrap();
    bench.clock.advance(Duration::from_secs(30));
    assert_eq!(nobody().await.unwrap().source(), Source::Miss);
}

#[tokio::test]
async fn a_refresh_asks_the_database_and_an_invalidation_is_followed_by_a_miss() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    airline(&queries, "LH").await;
    let raw = "UPDATE airline SET name = 'Changed' WHERE iata = 'LH'";
    bench.database.execute(raw, &larder_query::Params::new()).await.unwrap();
    assert_eq!(airline(&queries, "LH").await.1, NEAR, "nobody told the cache");
    let query = || queries.query_as::<Airline>(BY_IATA).bind("LH");
    let refreshed = query().force_refresh().fetch_one().await.unwrap();
    assert_eq!(refreshed.name.as_deref(), Some("Changed"));
    assert_eq!(refreshed.source().to_string(), "CACHE_REFRESH");
    assert_eq!(airline(&queries, "LH").await, (Some("Changed".to_owned()), NEAR));
    query().invalidate().await.unwrap().applied().unwrap();
    assert_eq!(airline(&queries, "LH").await.1, Source::Miss);
    queries.invalidate_table("main.\"airline\"").await.unwrap().applied().unwrap();
    assert_eq!(airline(&queries, "LH").await.1, Source::Miss);
}

#[tokio::test]
async fn a_tag_invalidates_the_answers_that_carry_it() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let tagged = || queries.query(BY_IATA).bind("LH").tag("front page").fetch_all();
    tagged().await.unwrap();
    airline(&queries, "LH").await;
    queries.invalidate_tag("front page").await.applied().unwrap();
    assert_eq!(tagged().await.unwrap().source(), Source::Miss);
    assert_eq!(airline(&queries, "LH").await.1, NEAR);
}

#[tokio::test]
async fn a_transaction_reads_past_the_cache_and_invalidates_at_commit_only() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    airline(&queries, "LH").await;

    let mut tx = queries.begin().await.unwrap();
    let update = "UPDATE airline SET name = ? WHERE iata = 'LH'";
    assert_eq!(tx.execute(update).bind("Inside").run().await.unwrap().rows_affected, 1);
    let inside = tx.query_as::<Airline>(BY_IATA).bind("LH").fetch_one().await.unwrap();
    assert_eq!(inside.name.as_deref(), Some("Inside"));
    assert_eq!(airline(&queries, "LH").await, (Some("Lufthansa".to_owned()), NEAR));
    tx.rollback().await.unwrap();
    assert_eq!(airline(&queries, "LH").await, (Some("Lufthansa".to_owned()), NEAR));

    let mut tx = queries.begin().await.unwrap();
    tx.execute(update).bind("Committed").run().await.unwrap();
    tx.commit().await.unwrap().applied().unwrap();
    assert_eq!(airline(&queries, "LH").await, (Some("Committed".to_owned()), Source::Miss));

    let mut tx = queries.begin().await.unwrap();
    tx.execute(update).bind("Dropped").run().await.unwrap();
    drop(tx);
    assert_eq!(airline(&queries, "LH").await, (Some("Committed".to_owned()), NEAR));
}

#[tokio::test]
async fn a_transaction_on_a_database_in_memory_does_not_wait_for_itself() {
    let url = "sqlite::memory:".parse().unwrap();
    let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
    let bench = Bench::new().await;
    let queries = bench.queries_on(&database, Tiers::Near);
    queries.execute("CREATE TABLE t (n INTEGER)").run().await.unwrap();
    let mut tx = queries.begin().await.unwrap();
    for n in 0..3 {
        tx.execute("INSERT INTO t VALUES (?)").bind(n).run().await.unwrap();
    }
    tx.commit().await.unwrap().applied().unwrap();
    let count = queries.query("SELECT count(*) FROM t").fetch_scalar::<i64>().await.unwrap();
    assert_eq!(*count, 3);
}

#[tokio::test]
async fn what_changes_from_run_to_run_is_not_cached_unless_the_caller_says_so() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let random = || queries.query("SELECT random()");
    assert!(random().uncacheable().is_some());
    let first = random().fetch_scalar::<i64>().await.unwrap();
    let second = random().fetch_scalar::<i64>().await.unwrap();
    assert_eq!(second.source().to_string(), "BYPASS");
    assert_ne!(*first, *second);
    let third = random().assume_cacheable().fetch_scalar::<i64>().await.unwrap();
    let fourth = random().assume_cacheable().fetch_scalar::<i64>().await.unwrap();
    assert_eq!((*third, fourth.source()), (*fourth, NEAR));
    assert_eq!(random().fetch_scalar::<i64>().await.unwrap().source(), Source::Bypass);
}

#[tokio::test]
async fn dynamic_rows_keep_order_duplicates_and_exact_values() {
    let bench = Bench::new().await;
    let sql = "SELECT 1 AS b, 'x' AS a, 9007199254740993 AS a, NULL AS n, '' AS e, x'' AS z, \
               '12345678901234567890.123456789' AS d, 0.1 AS f FROM airport";
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let miss = queries.query(sql).fetch_all().await.unwrap();
        let hit = queries.query(sql).fetch_all().await.unwrap();
        assert_eq!((miss.source(), hit.source().is_hit()), (Source::Miss, true));
        assert_eq!(*miss, *hit, "{tiers:?}");
        let row = &hit.rows()[0];
        let names: Vec<_> = row.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a", "a", "n", "e", "z", "d", "f"]);
        assert_eq!(row.value(2), Some(&Value::Int(9_007_199_254_740_993)));
        assert_eq!(row.value("n"), Some(&Value::Null));
        assert_eq!(row.get::<String>("e").unwrap(), "");
        assert_eq!(row.get::<String>("d").unwrap(), "12345678901234567890.123456789");
    }
}

#[tokio::test]
async fn an_error_of_the_database_passes_through_and_is_not_cached() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let missing = || queries.query("SELECT * FROM nowhere").fetch_all();
    for _ in 0..2 {
        let error = missing().await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::MissingTable), "{error:?}");
    }
    queries.execute("CREATE TABLE nowhere (x)").run().await.unwrap();
    assert_eq!(missing().await.unwrap().len(), 0);
    let syntax = queries.query("SELEC 1").fetch_all().await.unwrap_err();
    assert_eq!(syntax.database_kind(), Some(DatabaseErrorKind::Syntax));
    let count = queries.query(BY_IATA).fetch_all().await.unwrap_err();
    assert!(matches!(count, QueryError::ParameterCount { expected: 1, given: 0 }));
    let ttl = queries.query("SELECT 1").ttl(Duration::ZERO).fetch_all().await.unwrap_err();
    assert!(matches!(ttl, QueryError::Ttl(_)));
}

#[tokio::test]
async fn a_row_type_that_does_not_fit_is_an_error_that_names_the_column() {
    #[derive(Debug, serde::Deserialize)]
    struct Wrong {
        #[expect(dead_code, reason = "it never gets that far")]
        iata: i64,
    }
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let error = queries.query_as::<Wrong>(BY_IATA).bind("LH").fetch_one().await.unwrap_err();
    assert!(error.to_string().contains("iata"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_that_miss_one_query_ask_the_database_once() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let queries = queries.clone();
            tokio::spawn(async move { airline(&queries, "LH").await.0 })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().as_deref(), Some("Lufthansa"));
    }
    let stats = queries.cache().stats();
    assert_eq!(stats.keyspaces["airline"].loads, 1);
}

/// A database of its own and its path, for what other processes do to it behind larder's back.
async fn with_table(sql: &[&str]) -> (tempfile::TempDir, Bench, Queries) {
    let bench = Bench::new().await;
    let dir = tempfile::tempdir().unwrap();
    let queries = bench.queries_on(&open(&dir, "own.db").await, Tiers::Both);
    for sql in sql {
        queries.execute(sql).run().await.unwrap();
    }
    (dir, bench, queries)
}

async fn scalar(queries: &Queries, sql: &str) -> (i64, Source) {
    let found = queries.query(sql).fetch_scalar::<i64>().await.unwrap();
    (*found, found.source())
}

async fn behind_its_back(dir: &tempfile::TempDir, sql: &str) {
    let other = open(dir, "own.db").await;
    other.execute(sql, &larder_query::Params::new()).await.unwrap();
    other.close().await;
}

#[tokio::test]
async fn a_trigger_that_another_process_makes_is_followed_by_the_next_write() {
    let (dir, _bench, queries) = with_table(&["CREATE TABLE a (x)", "CREATE TABLE log (x)"]).await;
    assert_eq!(scalar(&queries, "SELECT count(*) FROM log").await.0, 0);
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO log VALUES (1); END";
    behind_its_back(&dir, trigger).await;
    queries.execute("INSERT INTO a VALUES (1)").run().await.unwrap();
    assert_eq!(scalar(&queries, "SELECT count(*) FROM log").await.0, 1);

    // Also if it is made after the transaction began, as far as the transaction knows.
    let tx = queries.begin().await.unwrap();
    tx.rollback().await.unwrap();
    behind_its_back(&dir, "CREATE TABLE second (x)").await;
    let mut tx = queries.begin().await.unwrap();
    tx.execute("INSERT INTO a VALUES (2)").run().await.unwrap();
    tx.commit().await.unwrap().applied().unwrap();
    assert_eq!(scalar(&queries, "SELECT count(*) FROM log").await.0, 2);
}

#[tokio::test]
async fn a_view_that_another_process_redefines_is_not_stored_under_the_tables_of_the_old_one() {
    let setup = ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE VIEW v AS SELECT * FROM a"];
    let (dir, _bench, queries) = with_table(&setup).await;
    let prepared = queries.prepare("SELECT count(*) FROM v");
    let count = || prepared.query().fetch_scalar::<i64>();
    assert_eq!(*count().await.unwrap(), 0);
    behind_its_back(&dir, "DROP VIEW v").await;
    behind_its_back(&dir, "CREATE VIEW v AS SELECT * FROM b").await;
    queries.invalidate_table("v").await.unwrap().applied().unwrap();
    assert_eq!(*count().await.unwrap(), 0);
    queries.execute("INSERT INTO b VALUES (1)").run().await.unwrap();
    assert_eq!(*count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_is_invalidated_however_it_ends() {
    for ends in ["rollback", "drop"] {
        let setup = ["CREATE TABLE t (id INTEGER PRIMARY KEY, n)", "INSERT INTO t VALUES (1, 0)"];
        let (_dir, _bench, queries) = with_table(&setup).await;
        let read = "SELECT n FROM t WHERE id = 1";
        assert_eq!(scalar(&queries, read).await.0, 0);
        let mut tx = queries.begin().await.unwrap();
        let conflict = tx.execute("INSERT OR ROLLBACK INTO t VALUES (1, 5)").run().await;
        assert!(conflict.is_err());
        // The transaction is over, so this takes effect at once.
        tx.execute("UPDATE t SET n = 7").run().await.unwrap();
        if ends == "rollback" {
            let _ = tx.rollback().await;
        } else {
            drop(tx);
        }
        let mut seen = 0;
        for _ in 0..2_000 {
            seen = scalar(&queries, read).await.0;
            if seen == 7 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(seen, 7, "{ends}");
    }
}

#[tokio::test]
async fn a_text_that_fails_half_way_invalidates_what_came_before() {
    let setup = ["CREATE TABLE t (n)", "INSERT INTO t VALUES (0)"];
    let (_dir, _bench, queries) = with_table(&setup).await;
    assert_eq!(scalar(&queries, "SELECT n FROM t").await.0, 0);
    let text = "UPDATE t SET n = 1; SELEKT 2";
    assert!(queries.execute(text).run().await.is_err());
    let (params, one) = (larder_query::Params::new(), larder_query::RowLimit::One);
    let expected = queries.database().fetch("SELECT n FROM t", &params, one);
    let expected: i64 = expected.await.unwrap().rows()[0].get(0).unwrap();
    assert_eq!(scalar(&queries, "SELECT n FROM t").await.0, expected);
}

#[tokio::test]
async fn a_trigger_that_one_text_makes_fires_and_drops_is_not_missed() {
    let (_dir, _bench, queries) = with_table(&["CREATE TABLE a (x)", "CREATE TABLE log (x)"]).await;
    assert_eq!(scalar(&queries, "SELECT count(*) FROM log").await.0, 0);
    let text = "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO log VALUES (1); END; \
                INSERT INTO a VALUES (1); DROP TRIGGER t";
    queries.execute(text).run().await.unwrap();
    assert_eq!(scalar(&queries, "SELECT count(*) FROM log").await.0, 1);
}

#[tokio::test]
async fn tables_of_modules_are_not_cached() {
    let setup = [
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, body)",
        "CREATE VIRTUAL TABLE idx USING fts5(body, content='doc', content_rowid='id')",
        "INSERT INTO doc VALUES (1, 'one')",
        "INSERT INTO idx (idx) VALUES ('rebuild')",
    ];
    let (_dir, _bench, queries) = with_table(&setup).await;
    for sql in ["SELECT count(*) FROM idx", "SELECT count(*) FROM idx_docsize"] {
        scalar(&queries, sql).await;
        assert_eq!(scalar(&queries, sql).await.1, Source::Bypass, "{sql}");
    }
}

#[tokio::test]
async fn what_one_connection_of_the_pool_sees_alone_ends_the_caching() {
    for sql in [
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END",
        "PRAGMA case_sensitive_like = ON",
        "ATTACH ':memory:' AS aux1",
    ] {
        let (_dir, _bench, queries) = with_table(&["CREATE TABLE a (x)"]).await;
        let prepared = queries.prepare("SELECT count(*) FROM a");
        let count = || prepared.query().fetch_scalar::<i64>();
        count().await.unwrap();
        assert_eq!(count().await.unwrap().source(), NEAR);
        queries.execute(sql).run().await.unwrap();
        assert_eq!(count().await.unwrap().source(), Source::Bypass, "{sql}");
        assert!(queries.query("SELECT count(*) FROM a").uncacheable().is_some());
    }
}

#[tokio::test]
async fn now_is_not_cached_however_it_reaches_a_date_function() {
    let setup = ["CREATE VIEW v AS SELECT 'now' AS moment", "CREATE TABLE a (x)"];
    let (_dir, _bench, queries) = with_table(&setup).await;
    for sql in [
        "SELECT julianday(printf('%s', 'now')) > 0",
        "WITH c(moment) AS (SELECT 'now') SELECT julianday(moment) > 0 FROM c",
        "SELECT julianday(moment) > 0 FROM v",
    ] {
        scalar(&queries, sql).await;
        assert_eq!(scalar(&queries, sql).await.1, Source::Bypass, "{sql}");
    }
}

#[tokio::test]
async fn a_database_that_replaces_a_removed_one_is_another_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut identities = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let database = open(&dir, "again.db").await;
        identities.insert(database.identity().to_string());
        database.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.path().join(format!("again.db{end}")));
        }
    }
    assert_eq!(identities.len(), 5);
}
