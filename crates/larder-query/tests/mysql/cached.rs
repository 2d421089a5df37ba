//! Queries through the cache, against real servers.

use std::{sync::Arc, time::Duration};

use larder_cache::{Cache, Near, Source};
use larder_core::{CacheBackend, MemoryBackend, MemoryConfig};
use larder_query::{
    Database, DatabaseErrorKind, DatabaseOptions, Params, Queries, QueryError, Row, RowLimit,
    Transaction, larder_cache, larder_core,
};

use crate::{
    Fixture,
    fixture::{eventually, number, open, random, run_on},
};

const BY_IATA: &str = "SELECT id, iata, name FROM airline WHERE iata = ?";

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
struct Airline {
    id: i64,
    iata: String,
    name: Option<String>,
}

/// Queries over a cache of their own.
fn queries(database: &Database) -> Queries {
    queries_over(database, &far())
}

fn far() -> Arc<dyn CacheBackend> {
    Arc::new(MemoryBackend::new(MemoryConfig::default()))
}

/// Queries of one process of several that share a far tier.
fn queries_over(database: &Database, far: &Arc<dyn CacheBackend>) -> Queries {
    let cache = Cache::builder()
        .near(Near::mebibytes(8))
        .far(Arc::clone(far))
        .far_time_limit(Duration::from_secs(5));
    Queries::new(database.clone(), cache.build().unwrap())
}

async fn setup(queries: &Queries) {
    for sql in [
        "CREATE TABLE airline (id INT PRIMARY KEY, iata VARCHAR(3) NOT NULL, name TEXT)",
        "CREATE TABLE airport (id INT PRIMARY KEY, code VARCHAR(3) NOT NULL)",
        "CREATE TABLE flight (id INT PRIMARY KEY, airline INT, \
         FOREIGN KEY (airline) REFERENCES airline (id) ON DELETE CASCADE)",
        "INSERT INTO airline VALUES (1, 'LH', 'Lufthansa'), (2, 'AF', NULL), (3, 'BA', '')",
        "INSERT INTO airport VALUES (1, 'FRA')",
        "INSERT INTO flight VALUES (10, 1), (11, 1), (20, 2)",
        "CREATE VIEW german AS SELECT * FROM airline WHERE iata = 'LH'",
    ] {
        execute(queries, sql).await;
    }
}

async fn execute(queries: &Queries, sql: &str) -> u64 {
    match queries.execute(sql).run().await {
        Ok(written) => written.applied().unwrap(),
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

async fn scalar(queries: &Queries, sql: &str) -> (i64, Source) {
    match queries.query(sql).fetch_scalar::<i64>().await {
        Ok(found) => (*found, found.source()),
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

/// The number that a query has, which must be that of the database.
async fn checked(queries: &Queries, sql: &str) -> i64 {
    let found = scalar(queries, sql).await.0;
    assert_eq!(found, number(queries.database(), sql).await, "{sql}");
    found
}

async fn airline(queries: &Queries, iata: &str) -> (Option<String>, Source) {
    let found = queries.query_as::<Airline>(BY_IATA).bind(iata).fetch_one().await.unwrap();
    (found.name.clone(), found.source())
}

/// How often a miss is tried again. One that meets a change of the schema by another test is not
/// stored, and on a busy machine these take their time.
const TRIES_MAX: usize = 2_000;

async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

/// Caches an answer.
async fn warm(queries: &Queries, sql: &str) -> i64 {
    for _ in 0..TRIES_MAX {
        let (value, source) = scalar(queries, sql).await;
        if source.is_hit() {
            return value;
        }
        pause().await;
    }
    panic!("{sql} is never a hit: {:?}", queries.query(sql).uncacheable());
}

pub(crate) async fn a_miss_is_followed_by_hits_of_equal_value(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let fetch = || queries.query_as::<Airline>(BY_IATA).bind("LH").fetch_one();
    let miss = fetch().await.unwrap();
    assert_eq!(miss.source(), Source::Miss);
    let mut hit = fetch().await.unwrap();
    for _ in 0..TRIES_MAX {
        if hit.source().is_hit() {
            break;
        }
        pause().await;
        hit = fetch().await.unwrap();
    }
    assert_eq!((hit.source().to_string().as_str(), &*hit), ("CACHE_HIT", &*miss));
}

pub(crate) async fn every_type_is_the_same_from_the_database_and_from_the_cache(f: Fixture) {
    let far = far();
    let first = queries_over(&f.database, &far);
    execute(
        &first,
        "CREATE TABLE t (a BIGINT UNSIGNED, b DECIMAL(40, 20), c DATETIME(6), d TIMESTAMP(6) NULL, \
         e TIME(6), f BIT(9), g YEAR, h ENUM('x', 'y'), i VARBINARY(9), j JSON, k BOOLEAN, \
         l FLOAT, m DATE, n TEXT, o TINYINT(1))",
    )
    .await;
    execute(
        &first,
        "INSERT INTO t VALUES (18446744073709551615, 1.1, '2024-02-29 12:30:00.5', \
         '2024-02-29 12:30:00.000001', '-12:00:00', 511, 2024, 'y', x'00ff', '{\"a\": [1, null]}', \
         TRUE, 0.1, '2024-02-29', '', -7), \
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    .await;
    let sql = "SELECT *, a AS a FROM t ORDER BY a";
    let expected = f.rows(sql).await;
    let mut hits = 0;
    for _ in 0..TRIES_MAX {
        // A process of its own, so that the bytes of the far tier are read.
        let found = queries_over(&f.database, &far).query(sql).fetch_all().await.unwrap();
        assert_eq!((&*found, found.encode()), (&expected, expected.encode()));
        hits += usize::from(found.source().is_hit());
        if hits == 5 {
            break;
        }
        pause().await;
    }
    assert!(hits > 0);
}

pub(crate) async fn a_write_invalidates_what_depends_on_its_tables_and_nothing_else(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let airports = "SELECT count(*) FROM airport";
    warm(&queries, airports).await;
    for name in ["Kranich", "Lufthansa"] {
        airline(&queries, "LH").await;
        let sql = "UPDATE airline SET name = ? WHERE iata = ?";
        let written = queries.execute(sql).bind(name).bind("LH").run().await.unwrap();
        assert_eq!(written.applied().unwrap(), 1);
        assert_eq!(airline(&queries, "LH").await, (Some(name.to_owned()), Source::Miss));
    }
    // Another test's change of the schema costs an entry at most.
    warm(&queries, airports).await;
    let before = queries.cache().stats().keyspaces["airport"].loads;
    execute(&queries, "UPDATE airline SET name = 'x' WHERE id = 2").await;
    let (_, source) = scalar(&queries, airports).await;
    let after = queries.cache().stats().keyspaces["airport"].loads;
    assert!(source.is_hit() && before == after, "{source}");
}

pub(crate) async fn views_triggers_and_cascades_are_followed(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let german = "SELECT count(*) FROM german WHERE name = 'Kranich'";
    warm(&queries, german).await;
    execute(&queries, "UPDATE airline SET name = 'Kranich' WHERE id = 1").await;
    assert_eq!(checked(&queries, german).await, 1);

    let flights = "SELECT count(*) FROM flight";
    assert_eq!(warm(&queries, flights).await, 3);
    execute(&queries, "DELETE FROM airline WHERE id = 1").await;
    assert_eq!(checked(&queries, flights).await, 1, "the cascade reaches flights");

    execute(&queries, "CREATE TABLE log (what TEXT)").await;
    let logged = "SELECT count(*) FROM log";
    let trigger = "CREATE TRIGGER logging AFTER INSERT ON airport FOR EACH ROW \
                   BEGIN INSERT INTO log VALUES (NEW.code); END";
    execute(&queries, trigger).await;
    assert_eq!(warm(&queries, logged).await, 0);
    execute(&queries, "INSERT INTO airport VALUES (2, 'JFK')").await;
    assert_eq!(checked(&queries, logged).await, 1, "the trigger reaches the log");
}

pub(crate) async fn a_write_through_a_view_reaches_its_tables(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    for sql in [
        "CREATE VIEW again AS SELECT * FROM german",
        "CREATE TABLE log (what TEXT)",
        "CREATE TRIGGER logging AFTER UPDATE ON airline FOR EACH ROW INSERT INTO log VALUES ('x')",
    ] {
        execute(&queries, sql).await;
    }
    let (logged, name) =
        ("SELECT count(*) FROM log", "SELECT count(*) FROM airline WHERE name = 'x'");
    for (view, before, after) in [("german", "Lufthansa", "x"), ("again", "x", "y")] {
        let (named, lines) = (warm(&queries, name).await, warm(&queries, logged).await);
        execute(&queries, &format!("UPDATE {view} SET name = '{after}' WHERE name = '{before}'"))
            .await;
        assert_eq!(checked(&queries, logged).await, lines + 1, "{view}");
        assert_ne!(checked(&queries, name).await, named, "{view}");
    }
}

pub(crate) async fn a_function_that_may_write_invalidates_everything(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let count = "SELECT count(*) FROM airport";
    let mut known = warm(&queries, count).await;
    // By another program, so that only the catalog can tell.
    f.run(
        "CREATE FUNCTION noted() RETURNS INT MODIFIES SQL DATA NOT DETERMINISTIC \
           BEGIN INSERT INTO airport SELECT max(id) + 1, 'NEW' FROM airport; RETURN 1; END",
    )
    .await;
    for sql in [
        "SELECT noted()",
        "UPDATE airline SET name = noted() WHERE id = 1",
        "INSERT INTO flight SELECT 99, noted()",
        "SET @x = noted()",
        "DO noted()",
    ] {
        assert_eq!(warm(&queries, count).await, known, "{sql}");
        if sql.starts_with("SELECT") {
            scalar(&queries, sql).await;
        } else {
            execute(&queries, sql).await;
        }
        known += 1;
        assert_eq!(checked(&queries, count).await, known, "{sql}");
    }
    f.run("CREATE FUNCTION plain() RETURNS INT READS SQL DATA DETERMINISTIC RETURN 1").await;
    warm(&queries, count).await;
    assert_eq!(scalar(&queries, "SELECT plain()").await.1, Source::Bypass);
    assert_eq!(warm(&queries, count).await, known);
}

pub(crate) async fn a_view_that_is_redefined_is_looked_into_again(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let count = "SELECT count(*) FROM german";
    assert_eq!(warm(&queries, count).await, 1);
    execute(&queries, "CREATE OR REPLACE VIEW german AS SELECT * FROM airport").await;
    assert_eq!(warm(&queries, count).await, 1);
    execute(&queries, "INSERT INTO airport VALUES (3, 'MUC')").await;
    assert_eq!(checked(&queries, count).await, 2);
}

pub(crate) async fn a_trigger_that_somebody_else_makes_is_followed_by_the_next_write(f: Fixture) {
    let queries = queries(&f.database);
    execute(&queries, "CREATE TABLE a (x INT)").await;
    execute(&queries, "CREATE TABLE log (x INT)").await;
    let logged = "SELECT count(*) FROM log";
    assert_eq!(warm(&queries, logged).await, 0);
    f.run("CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO log VALUES (1)").await;
    execute(&queries, "INSERT INTO a VALUES (1)").await;
    assert_eq!(checked(&queries, logged).await, 1);

    warm(&queries, logged).await;
    let mut tx = queries.begin().await.unwrap();
    tx.execute("INSERT INTO a VALUES (2)").run().await.unwrap();
    tx.commit().await.unwrap().applied().unwrap();
    assert_eq!(checked(&queries, logged).await, 2);
}

pub(crate) async fn a_view_that_somebody_else_redefines_is_not_stored_under_the_tables_of_the_old_one(
    f: Fixture,
) {
    let queries = queries(&f.database);
    for sql in
        ["CREATE TABLE a (x INT)", "CREATE TABLE b (x INT)", "CREATE VIEW v AS SELECT * FROM a"]
    {
        execute(&queries, sql).await;
    }
    let prepared = queries.prepare("SELECT count(*) FROM v");
    let count = async || *prepared.query().fetch_scalar::<i64>().await.unwrap();
    assert_eq!(count().await, 0);
    f.run("CREATE OR REPLACE VIEW v AS SELECT * FROM b").await;
    queries.invalidate_table("v").await.unwrap().applied().unwrap();
    for _ in 0..3 {
        assert_eq!(count().await, 0);
    }
    execute(&queries, "INSERT INTO b VALUES (1)").await;
    assert_eq!(count().await, 1);
}

pub(crate) async fn a_trigger_that_waits_for_a_lock_while_the_catalog_is_read_is_not_missed(
    f: Fixture,
) {
    let queries = queries(&f.database);
    execute(&queries, "CREATE TABLE a (x INT) ENGINE=InnoDB").await;
    execute(&queries, "CREATE TABLE log (x INT) ENGINE=InnoDB").await;
    let mut holder = f.database.begin().await.unwrap();
    holder.execute("INSERT INTO a VALUES (0)", &Params::new()).await.unwrap();
    // Counted when it begins, and then waits for the transaction.
    let maker = tokio::spawn({
        let database = f.database.clone();
        let sql = "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO log VALUES (1)";
        async move { run_on(&database, sql).await }
    });
    let waits = async || {
        let sql = format!(
            "SELECT count(*) FROM information_schema.processlist \
             WHERE state LIKE 'Waiting for table metadata lock' AND db = '{}'",
            f.name
        );
        f.number(&sql).await == 1
    };
    eventually("the trigger waits", waits).await;
    // The catalog without the trigger.
    let mut tx = queries.begin().await.unwrap();
    tx.query("SELECT 1").fetch_one().await.unwrap();
    tx.rollback().await.unwrap();
    let logged = "SELECT count(*) FROM log";
    assert_eq!(scalar(&queries, logged).await.0, 0);
    holder.commit().await.unwrap();
    maker.await.unwrap();
    warm(&queries, logged).await;
    execute(&queries, "INSERT INTO a VALUES (1)").await;
    assert_eq!(checked(&queries, logged).await, 1);
}

pub(crate) async fn a_table_of_another_database_is_the_same_for_whoever_writes_it(f: Fixture) {
    let far = far();
    let other = format!("larder_t_{:016x}", random());
    f.run(&format!("CREATE DATABASE {other}")).await;
    let url = f.url().replace(&*f.name, &other);
    let there = open(&url, &DatabaseOptions::default()).await.unwrap();
    let there = queries_over(&there, &far);
    execute(&there, "CREATE TABLE t (a INT)").await;
    let here = queries_over(&f.database, &far);
    let count = format!("SELECT count(*) FROM {other}.t");
    assert_eq!(warm(&here, &count).await, 0);
    execute(&there, "INSERT INTO t VALUES (1)").await;
    // The near tier of another process lags; the far tier does not.
    let fresh = queries_over(&f.database, &far);
    assert_eq!(checked(&fresh, &count).await, 1);
    f.run(&format!("DROP DATABASE {other}")).await;
}

pub(crate) async fn who_may_not_see_triggers_invalidates_everything(f: Fixture) {
    f.run("CREATE TABLE a (x INT)").await;
    f.run("CREATE TABLE log (x INT)").await;
    f.run("CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO log VALUES (1)").await;
    let account = format!("a{:08x}", random() >> 32);
    f.run(&format!("CREATE USER {account}@'%' IDENTIFIED BY 'x'")).await;
    let logged = "SELECT count(*) FROM log";
    for (grant, sees) in [("SELECT, INSERT", false), ("TRIGGER", true)] {
        f.run(&format!("GRANT {grant} ON {}.* TO {account}@'%'", f.name)).await;
        let database = open(&f.url_as(&account, "x"), &DatabaseOptions::default()).await.unwrap();
        let queries = queries(&database);
        let before = warm(&queries, logged).await;
        let unrelated = warm(&queries, "SELECT 1 FROM (SELECT count(*) FROM a) AS a").await;
        execute(&queries, "INSERT INTO a VALUES (1)").await;
        assert_eq!(checked(&queries, logged).await, before + 1);
        assert_eq!(unrelated, 1);
        let health = database.health().await.unwrap();
        let advised = health.advice.iter().any(|advice| advice.contains("TRIGGER"));
        assert_eq!(advised, !sees, "{:?}", health.advice);
        database.close().await;
    }
    f.run(&format!("DROP USER {account}@'%'")).await;
}

pub(crate) async fn a_view_whose_definition_is_hidden_is_not_cached(f: Fixture) {
    f.run("CREATE TABLE a (x INT)").await;
    f.run("CREATE VIEW v AS SELECT * FROM a").await;
    let account = format!("a{:08x}", random() >> 32);
    f.run(&format!("CREATE USER {account}@'%' IDENTIFIED BY 'x'")).await;
    let count = "SELECT count(*) FROM v";
    for (grant, sees) in [("SELECT", false), ("SHOW VIEW", true)] {
        f.run(&format!("GRANT {grant} ON {}.* TO {account}@'%'", f.name)).await;
        let database = open(&f.url_as(&account, "x"), &DatabaseOptions::default()).await.unwrap();
        let queries = queries(&database);
        if sees {
            warm(&queries, count).await;
        } else {
            for _ in 0..3 {
                assert_eq!(scalar(&queries, count).await.1, Source::Bypass);
            }
        }
        database.close().await;
    }
    f.run(&format!("DROP USER {account}@'%'")).await;
}

pub(crate) async fn a_rollback_invalidates_nothing_and_a_commit_does(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let count = "SELECT count(*) FROM airline WHERE name = 'Inside'";
    warm(&queries, count).await;
    let update = "UPDATE airline SET name = 'Inside' WHERE iata = 'LH'";
    for end in ["rollback", "drop", "commit"] {
        let mut tx = queries.begin().await.unwrap();
        assert_eq!(tx.execute(update).run().await.unwrap().rows_affected, 1);
        let inside = tx.query(count).fetch_one().await.unwrap();
        assert_eq!(inside.get::<i64>(0).unwrap(), 1);
        match end {
            "rollback" => tx.rollback().await.unwrap(),
            "drop" => drop(tx),
            _ => tx.commit().await.unwrap().applied().unwrap(),
        }
        let (found, source) = scalar(&queries, count).await;
        assert_eq!(found, i64::from(end == "commit"), "{end}");
        assert_eq!(source.is_hit(), end != "commit", "{end}");
    }
}

/// Whoever ended the transaction and however it is ended here: what took effect is seen.
pub(crate) async fn a_transaction_that_the_database_ended_by_itself_is_invalidated_however_it_ends(
    f: Fixture,
) {
    let queries = queries(&f.database);
    setup(&queries).await;
    f.run("CREATE PROCEDURE commits() COMMIT").await;
    let read = "SELECT count(*) FROM airport";
    let end = async |tx: Transaction, how: &str| match how {
        "rollback" => drop(tx.rollback().await),
        "commit" => drop(tx.commit().await),
        _ => drop(tx),
    };
    for (id, how) in [(11, "rollback"), (12, "drop"), (13, "commit")] {
        let before = warm(&queries, read).await;
        let mut tx = queries.begin().await.unwrap();
        let insert = format!("INSERT INTO airport VALUES ({id}, 'x')");
        tx.execute(&insert).run().await.unwrap();
        tx.execute("CALL commits()").run().await.unwrap();
        end(tx, how).await;
        let seen = async || scalar(&queries, read).await.0 == before + 1;
        eventually(how, seen).await;
    }
}

pub(crate) async fn a_text_that_fails_half_way_invalidates_what_came_before(f: Fixture) {
    let queries = queries(&f.database);
    execute(&queries, "CREATE TABLE t (n INT)").await;
    execute(&queries, "INSERT INTO t VALUES (0)").await;
    let read = "SELECT n FROM t";
    assert_eq!(warm(&queries, read).await, 0);
    assert!(queries.execute("UPDATE t SET n = 1; SELEKT 2").run().await.is_err());
    checked(&queries, read).await;
}

pub(crate) async fn a_routine_invalidates_everything(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    f.run("CREATE PROCEDURE p() INSERT INTO airport VALUES (7, 'x')").await;
    let read = "SELECT count(*) FROM airport";
    assert_eq!(warm(&queries, read).await, 1);
    execute(&queries, "CALL p()").await;
    assert_eq!(checked(&queries, read).await, 2);
}

pub(crate) async fn tables_in_memory_and_sequences_are_not_cached(f: Fixture) {
    let queries = queries(&f.database);
    execute(&queries, "CREATE TABLE m (a INT) ENGINE=MEMORY").await;
    let mut reads = vec!["SELECT count(*) FROM m"];
    if f.is_mariadb() {
        execute(&queries, "CREATE SEQUENCE s").await;
        reads.push("SELECT next_not_cached_value FROM s");
    }
    for sql in reads {
        for _ in 0..3 {
            assert_eq!(scalar(&queries, sql).await.1, Source::Bypass, "{sql}");
        }
    }
}

pub(crate) async fn an_empty_answer_is_cached(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let nobody = || queries.query_as::<Airline>(BY_IATA).bind("XX").fetch_optional();
    let mut hits = 0;
    for _ in 0..TRIES_MAX {
        let found = nobody().await.unwrap();
        assert_eq!(found.value(), None);
        hits += usize::from(found.source().is_hit());
        let all = queries.query(BY_IATA).bind("XX").fetch_all().await.unwrap();
        assert_eq!((all.len(), all.columns().len()), (0, 3), "an empty answer has columns");
        if hits == 5 {
            break;
        }
        pause().await;
    }
    assert!(hits > 0);
    execute(&queries, "INSERT INTO airline VALUES (9, 'XX', 'New')").await;
    assert_eq!(nobody().await.unwrap().value().map(|found| found.id), Some(9));
}

pub(crate) async fn what_a_session_sets_is_gone_with_its_connection(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let count = "SELECT count(*) FROM airport";
    for sql in [
        "CREATE TEMPORARY TABLE airport (id INT)",
        "SET SESSION sql_select_limit = 0",
        "USE information_schema",
    ] {
        queries.execute(sql).run().await.unwrap();
        assert_eq!(warm(&queries, count).await, 1, "{sql}");
    }
    queries.execute("SET sql_mode = 'ANSI_QUOTES'").run().await.unwrap();
    assert_eq!(
        scalar(&queries, count).await.1,
        Source::Bypass,
        "how statements are read is unsure"
    );
}

pub(crate) async fn other_accounts_and_other_databases_are_other_entries(f: Fixture) {
    let far = far();
    let other = format!("larder_t_{:016x}", random());
    let account = format!("a{:08x}", random() >> 32);
    f.run(&format!("CREATE DATABASE {other}")).await;
    f.run("CREATE TABLE t (a INT)").await;
    f.run("INSERT INTO t VALUES (1)").await;
    f.run(&format!("CREATE TABLE {other}.t (a INT)")).await;
    let sql = "SELECT count(*) FROM t";
    assert_eq!(warm(&queries_over(&f.database, &far), sql).await, 1);
    let there =
        open(&f.url().replace(&*f.name, &other), &DatabaseOptions::default()).await.unwrap();
    assert_eq!(scalar(&queries_over(&there, &far), sql).await.0, 0);

    f.run(&format!("CREATE USER {account}@'%' IDENTIFIED BY 'x'")).await;
    f.run(&format!("GRANT EXECUTE ON {}.* TO {account}@'%'", f.name)).await;
    let nobody = open(&f.url_as(&account, "x"), &DatabaseOptions::default()).await.unwrap();
    let refused = queries_over(&nobody, &far).query(sql).fetch_all().await.unwrap_err();
    assert_eq!(refused.database_kind(), Some(DatabaseErrorKind::Authentication), "{refused:?}");
    f.run(&format!("DROP USER {account}@'%'")).await;
    f.run(&format!("DROP DATABASE {other}")).await;
}

pub(crate) async fn an_error_of_the_database_passes_through_and_is_not_cached(f: Fixture) {
    let queries = queries(&f.database);
    let missing = || queries.query("SELECT * FROM nowhere").fetch_all();
    for _ in 0..2 {
        let error = missing().await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::MissingTable), "{error:?}");
    }
    execute(&queries, "CREATE TABLE nowhere (x INT)").await;
    assert_eq!(missing().await.unwrap().len(), 0);
    let count = queries.query("SELECT ?").fetch_all().await.unwrap_err();
    assert!(matches!(count, QueryError::ParameterCount { expected: 1, given: 0 }));
    let zero = "SELECT d FROM z";
    execute(&queries, "CREATE TABLE z (d DATE)").await;
    execute(&queries, "SET sql_mode = ''; INSERT INTO z VALUES ('0000-00-00')").await;
    assert!(matches!(queries.query(zero).fetch_all().await, Err(QueryError::Row(_))));
    let sane: Row = f.rows("SELECT 1").await.into_rows().remove(0);
    assert_eq!(sane.get::<i64>(0).unwrap(), 1);
    let limit = f.database.fetch("SELECT 1", &Params::new(), RowLimit::One).await.unwrap();
    assert_eq!(limit.len(), 1);
}

pub(crate) async fn many_tasks_that_miss_one_query_ask_the_database_once(f: Fixture) {
    let queries = queries(&f.database);
    setup(&queries).await;
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let queries = queries.clone();
            tokio::spawn(async move { airline(&queries, "LH").await.0 })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().as_deref(), Some("Lufthansa"));
    }
    // Once more for each change of the schema by another test that meets a load.
    let loads = queries.cache().stats().keyspaces["airline"].loads;
    assert!(loads < 20, "{loads}");
}
