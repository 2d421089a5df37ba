//! Queries through the cache.

use std::{sync::Arc, time::Duration};

use larder_query::{
    Database, DatabaseErrorKind, Params, Queries, QueryError, RowLimit, Value,
    larder_cache::{Cache, Near, Source, Tier},
    larder_core::{CacheBackend, MemoryBackend, MemoryConfig},
};
use larder_testkit::ManualClock;

use crate::{Fixture, run};

const NEAR: Source = Source::Hit(Tier::Near);
const FAR: Source = Source::Hit(Tier::Far);

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct Airline {
    id: i64,
    iata: String,
    name: Option<String>,
}

/// A database with a few airlines, and caches over it.
pub(super) struct Bench {
    pub(super) fixture: Fixture,
    clock: Arc<ManualClock>,
    far: Arc<dyn CacheBackend>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Tiers {
    Both,
    Far,
    Near,
}

const TIERS: [Tiers; 3] = [Tiers::Both, Tiers::Far, Tiers::Near];

impl Bench {
    pub(super) async fn empty() -> Self {
        let clock = ManualClock::new();
        let config = MemoryConfig::default().with_clock(Arc::clone(&clock) as _);
        Self { fixture: Fixture::new().await, clock, far: Arc::new(MemoryBackend::new(config)) }
    }

    async fn new() -> Self {
        let bench = Self::empty().await;
        let setup = "CREATE TABLE airline (id int8 PRIMARY KEY, iata text NOT NULL, name text); \
             CREATE TABLE airport (id int8 PRIMARY KEY, code text NOT NULL); \
             CREATE TABLE flight (id int8 PRIMARY KEY, \
               airline int8 REFERENCES airline (id) ON DELETE CASCADE); \
             INSERT INTO airline VALUES (1, 'LH', 'Lufthansa'), (2, 'AF', NULL), (3, 'BA', ''); \
             INSERT INTO airport VALUES (1, 'FRA'); \
             INSERT INTO flight VALUES (10, 1), (11, 1), (20, 2); \
             CREATE VIEW german AS SELECT * FROM airline WHERE iata = 'LH'";
        run(&bench.fixture.database, setup).await;
        bench
    }

    pub(super) fn queries(&self, tiers: Tiers) -> Queries {
        self.queries_on(&self.fixture.database, tiers)
    }

    pub(super) fn queries_on(&self, database: &Database, tiers: Tiers) -> Queries {
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

const BY_IATA: &str = "SELECT id, iata, name FROM airline WHERE iata = $1";

async fn airline(queries: &Queries, iata: &str) -> (Option<String>, Source) {
    let found = queries.query_as::<Airline>(BY_IATA).bind(iata).fetch_one().await.unwrap();
    (found.name.clone(), found.source())
}

pub(super) async fn scalar(queries: &Queries, sql: &str) -> (i64, Source) {
    let found = queries.query(sql).fetch_scalar::<i64>().await.unwrap();
    (*found, found.source())
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_miss_is_followed_by_hits_of_equal_value() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let miss = queries.query_as::<Airline>(BY_IATA).bind("LH").fetch_one().await.unwrap();
        let hit = queries.query_as::<Airline>(BY_IATA).bind("LH").fetch_one().await.unwrap();
        assert_eq!((miss.source(), hit.source().is_hit()), (Source::Miss, true), "{tiers:?}");
        assert_eq!(*miss, *hit);
    }
    assert_eq!(airline(&bench.queries(Tiers::Both), "LH").await.1, FAR);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_hit_has_the_types_and_digits_of_the_miss() {
    let bench = Bench::new().await;
    let sql = "SELECT 1.10 AS d, '2024-02-29 12:00Z'::timestamptz AS m, 'a:b :zz' AS t, 1 AS x, 2 AS x, \
               NULL AS n, '' AS e, '\\x00'::bytea AS z, 0.1::float8 AS f, ARRAY[1, NULL] AS a, \
               '[1,5)'::int4range AS r, '{\"a\":1.10}'::jsonb AS j, '1 day'::interval AS i \
               FROM airport";
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let miss = queries.query(sql).fetch_all().await.unwrap();
        let hit = queries.query(sql).fetch_all().await.unwrap();
        assert_eq!((miss.source(), hit.source().is_hit()), (Source::Miss, true), "{tiers:?}");
        assert_eq!(*miss, *hit);
        let row = &hit.rows()[0];
        assert_eq!(row.value("d"), Some(&Value::Decimal("1.10".into())));
        assert_eq!(row.value("m"), Some(&Value::TimestampUtc(1_709_208_000_000_000)));
        assert_eq!(row.values_named("x").count(), 2);
        assert_eq!(row.get::<Vec<Option<i32>>>("a").unwrap(), [Some(1), None]);
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_write_invalidates_what_depends_on_its_tables_and_nothing_else() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let airports = || queries.query("SELECT * FROM airport").fetch_all();
        airline(&queries, "LH").await;
        airports().await.unwrap();
        for name in ["Kranich", "Lufthansa"] {
            let update = queries.execute("UPDATE airline SET name = $1 WHERE iata = $2");
            let written = update.bind(name).bind("LH").run().await.unwrap();
            assert_eq!(written.applied().unwrap(), 1);
            assert_eq!(airline(&queries, "LH").await, (Some(name.to_owned()), Source::Miss));
            assert!(airports().await.unwrap().source().is_hit(), "{tiers:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_write_that_returns_rows_invalidates_too() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    airline(&queries, "AF").await;
    let sql = "UPDATE airline SET name = $1 WHERE iata = 'AF' RETURNING name";
    let name = queries.query(sql).bind("Air France").fetch_scalar::<String>().await.unwrap();
    assert_eq!((name.as_str(), name.source()), ("Air France", Source::Bypass));
    assert_eq!(airline(&queries, "AF").await, (Some("Air France".to_owned()), Source::Miss));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn an_empty_answer_is_cached_and_a_missing_row_is_an_error() {
    let bench = Bench::new().await;
    for tiers in TIERS {
        let queries = bench.queries(tiers);
        queries.cache().clear().await.applied().unwrap();
        let nobody = || queries.query_as::<Airline>(BY_IATA).bind("XX");
        assert_eq!(nobody().fetch_optional().await.unwrap().source(), Source::Miss);
        assert!(nobody().fetch_optional().await.unwrap().source().is_hit(), "{tiers:?}");
        assert!(matches!(nobody().fetch_one().await, Err(QueryError::RowNotFound)));
        let all = || queries.query(BY_IATA).bind("XX").fetch_all();
        assert_eq!(all().await.unwrap().source(), Source::Miss);
        let again = all().await.unwrap();
        assert_eq!((again.len(), again.source().is_hit(), again.columns().len()), (0, true, 3));
        queries.execute("INSERT INTO airline VALUES (9, 'XX', 'New')").run().await.unwrap();
        assert_eq!(nobody().fetch_one().await.unwrap().id, 9);
        queries.execute("DELETE FROM airline WHERE id = 9").run().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_transaction_reads_past_the_cache_and_invalidates_at_commit_only() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    airline(&queries, "LH").await;
    let update = "UPDATE airline SET name = $1 WHERE iata = 'LH'";

    let mut tx = queries.begin().await.unwrap();
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

    let mut tx = queries.begin().await.unwrap();
    tx.execute(update).bind("Failed").run().await.unwrap();
    assert!(tx.execute("SELECT 1 / 0").run().await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(airline(&queries, "LH").await.0.as_deref(), Some("Committed"));
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_changes_from_run_to_run_or_is_not_known_is_not_cached() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    run(
        &bench.fixture.database,
        "CREATE SEQUENCE s; \
        CREATE FUNCTION book() RETURNS int8 LANGUAGE sql AS 'SELECT 7::int8'",
    )
    .await;
    for sql in [
        "SELECT (random() * 1000)::int8",
        "SELECT extract(epoch FROM now())::int8",
        "SELECT nextval('s')",
        "SELECT last_value FROM s",
        "SELECT book()",
        "SELECT id FROM airline WHERE id = 1 FOR UPDATE",
        "SELECT length(current_user)::int8",
        "SELECT count(*) FROM pg_class",
        "SELECT count(*) FROM airline TABLESAMPLE BERNOULLI (100)",
        "SELECT count(*) FROM airport WHERE current_setting('app.x', true) IS NULL",
    ] {
        scalar(&queries, sql).await;
        assert_eq!(scalar(&queries, sql).await.1, Source::Bypass, "{sql}");
    }
    let random = || queries.query("SELECT (random() * 1e15)::int8").assume_cacheable();
    let first = random().fetch_scalar::<i64>().await.unwrap();
    assert_eq!(*random().fetch_scalar::<i64>().await.unwrap(), *first);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn an_error_of_the_database_passes_through_and_is_not_cached() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let missing = || queries.query("SELECT * FROM nowhere").fetch_all();
    for _ in 0..2 {
        let error = missing().await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::MissingTable), "{error:?}");
    }
    queries.execute("CREATE TABLE nowhere (x int)").run().await.unwrap();
    assert_eq!(missing().await.unwrap().len(), 0);
    let count = queries.query(BY_IATA).fetch_all().await.unwrap_err();
    assert!(matches!(count, QueryError::ParameterCount { expected: 1, given: 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
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
    assert_eq!(queries.cache().stats().keyspaces["airline"].loads, 1);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_text_that_fails_half_way_changes_nothing() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let count = "SELECT count(*) FROM airport";
    assert_eq!(scalar(&queries, count).await.0, 1);
    let text = "INSERT INTO airport VALUES (2, 'MUC'); SELEKT 2";
    assert!(queries.execute(text).run().await.is_err());
    let expected = queries.database().fetch(count, &Params::new(), RowLimit::One).await.unwrap();
    assert_eq!(expected.to::<i64>().unwrap(), [1]);
    assert_eq!(scalar(&queries, count).await.0, 1);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_a_statement_sets_for_its_session_does_not_end_the_caching() {
    let bench = Bench::new().await;
    let queries = bench.queries(Tiers::Both);
    let prepared = queries.prepare("SELECT count(*) FROM airline");
    let count = || prepared.query().fetch_scalar::<i64>();
    for sql in [
        "CREATE TEMP TABLE airline (id int8)",
        "SET search_path = pg_catalog",
        "SET row_security = off",
    ] {
        count().await.unwrap();
        queries.execute(sql).run().await.unwrap();
        assert_eq!(*count().await.unwrap(), 3, "{sql}");
        assert_eq!(count().await.unwrap().source(), NEAR, "{sql}");
    }
}
