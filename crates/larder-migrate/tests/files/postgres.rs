//! PostgreSQL.

use std::{sync::Arc, time::Duration};

use larder_migrate::{FileProblem, FileRepair, UpOptions};
use tokio::task::JoinSet;

use crate::{
    adoption::adoptions,
    place::{Place, files, texts, told, version},
    scenarios::scenarios,
};

async fn place() -> Place {
    let drop = "DROP DATABASE name WITH (FORCE)";
    Place::on_server("LARDER_POSTGRES_URL", "CREATE DATABASE name", drop).await
}

scenarios!(place(), #[ignore = "needs a live service"]);
adoptions!(place(), #[ignore = "needs a live service"]);

const TABLE: (&str, &str) =
    ("1_a.sql", "CREATE TABLE a (x int NOT NULL); INSERT INTO a SELECT generate_series(1, 1000)");

#[tokio::test]
#[ignore = "needs a live service"]
async fn functions_are_created_whole() {
    let place = place().await;
    let text = "CREATE FUNCTION one() RETURNS bigint AS $body$ -- ;\n\
                BEGIN RETURN (SELECT $$1;2$$ = '1;2')::int; END; $body$ LANGUAGE plpgsql;\n\
                CREATE FUNCTION two() RETURNS bigint LANGUAGE sql BEGIN ATOMIC\n\
                SELECT 1; SELECT CASE WHEN true THEN 2::bigint END; END;\n\
                DO $$ BEGIN PERFORM one(); END $$;\n\
                CREATE TABLE a (x text DEFAULT E'\\';');\n\
                CREATE RULE r AS ON DELETE TO a DO ALSO (SELECT 1; SELECT 2);";
    place.up_all(&files(&[("1_f.sql", text)])).await;
    assert_eq!(place.integer("SELECT one() + two()").await, Some(3));
    place.close().await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_fails_in_the_middle_keeps_nothing_and_is_tried_again() {
    let place = place().await;
    let bad = files(&[("1_a.sql", "CREATE TABLE a (x int);\nALTER TABLE a ADD y nonsense;")]);
    let error = place.up(&bad).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "1_a.sql, line 2, column 1: statement 2 of 2 failed; nothing of the file was kept",
    );
    assert!(told(&error).contains("42704"), "{}", told(&error));
    assert_eq!(place.count("a").await, None);
    let good = files(&[("1_a.sql", "CREATE TABLE a (x int);\nALTER TABLE a ADD y int;")]);
    assert_eq!(place.up_all(&good).await, ["1"]);
    place.close().await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn an_index_beside_its_readers_needs_the_directive() {
    let place = place().await;
    let text = "CREATE INDEX CONCURRENTLY i ON a (x)";
    let error = place.up(&files(&[TABLE, ("2_i.sql", text)])).await.unwrap_err();
    let expected = "the files can not be used: 2_i.sql, line 1, column 1: statement 1 can not run \
                    as the file says: the database refuses it within a transaction; write \
                    `-- larder: no-transaction` at the head of the file";
    assert!(told(&error).starts_with(expected), "{}", told(&error));
    assert_eq!(place.count("a").await, None, "nothing ran");

    let alone = format!("-- larder: no-transaction\n{text}");
    assert_eq!(place.up_all(&files(&[TABLE, ("2_i.sql", &alone)])).await, ["1", "2"]);
    let valid = "SELECT COUNT(*) FROM pg_index WHERE indexrelid = 'i'::regclass AND indisvalid";
    assert_eq!(place.integer(valid).await, Some(1));
    place.close().await;
}

/// Those who wait for the lock do so without a transaction that the index would wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn an_index_beside_its_readers_is_built_while_others_wait() {
    let place = place().await;
    let files = Arc::new(files(&[
        TABLE,
        ("2_i.sql", "-- larder: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (x)"),
        ("3_b.sql", "CREATE TABLE b (x int)"),
        ("4_j.sql", "-- larder: no-transaction\nCREATE INDEX CONCURRENTLY j ON a (x)"),
    ]));
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let (migrator, files) = (place.migrator(), Arc::clone(&files));
        tasks.spawn(async move { migrator.up(&files, &UpOptions::new()).await });
    }
    let mut ran = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let report = ended.unwrap().unwrap_or_else(|error| panic!("{}", told(&error)));
        ran.extend(texts(&report));
    }
    ran.sort();
    assert_eq!(ran, ["1", "2", "3", "4"]);
    let invalid = "SELECT COUNT(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(place.integer(invalid).await, Some(0));
    place.close().await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_file_without_a_transaction_is_resumed_where_it_failed() {
    let place = place().await;
    let text = "-- larder: no-transaction\n\
                CREATE TABLE b (x int);\n\
                CREATE UNIQUE INDEX CONCURRENTLY i ON a (y);\n\
                CREATE TABLE c (x int);";
    let table = ("1_a.sql", "CREATE TABLE a (y int); INSERT INTO a VALUES (1), (1)");
    let files = files(&[table, ("2_i.sql", text), ("3_d.sql", "CREATE TABLE d (x int)")]);
    let error = place.up(&files).await.unwrap_err();
    assert!(
        matches!(error.problem(), FileProblem::Statement { number: 2, kept: 1, .. }),
        "{}",
        told(&error)
    );
    let blocked = place.up(&files).await.unwrap_err().to_string();
    for part in ["version 2 failed", "statement 2 of 3", "line 3", "repair it"] {
        assert!(blocked.contains(part), "{blocked}");
    }
    assert_eq!(place.count("d").await, None, "a failed file blocks those after it");

    // What a failed build leaves behind is an index that is not valid.
    place.run("DROP INDEX i").await;
    place.run("DELETE FROM a").await;
    place.migrator().repair_file(&files, &version("2"), FileRepair::Retry).await.unwrap();
    assert_eq!(place.up_all(&files).await, ["2", "3"]);
    assert_eq!(place.count("c").await, Some(0));
    place.close().await;
}

/// A process that ends in the middle of a statement leaves neither a lock nor a guess.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_run_that_ends_in_the_middle_is_told_and_gone_on_with() {
    let place = place().await;
    let text = "-- larder: no-transaction\n\
                CREATE TABLE a (x int);\n\
                DO $$ BEGIN PERFORM pg_sleep(600); END $$;\n\
                CREATE TABLE b (x int);";
    let files = Arc::new(files(&[("1_a.sql", text)]));
    let (migrator, running) = (place.migrator(), Arc::clone(&files));
    let run = tokio::spawn(async move { migrator.up(&running, &UpOptions::new()).await });
    let sleeps = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'DO %pg_sleep(600)%' \
                  AND state = 'active' AND datname = current_database()";
    wait(&place, sleeps, 1).await;
    run.abort();
    let _ = run.await;

    // The server does not notice that nobody listens, so the one that comes next ends it.
    let error = place.up(&files).await.unwrap_err();
    let FileProblem::Interrupted { number: 2, total: 3, at, .. } = error.problem() else {
        panic!("{}", told(&error));
    };
    assert_eq!((at.line, at.column), (3, 1));
    assert_eq!(place.integer(sleeps).await, Some(0));
    place.migrator().repair_file(&files, &version("1"), FileRepair::SkipStatement).await.unwrap();
    assert_eq!(place.up_all(&files).await, ["1"]);
    assert_eq!(place.count("b").await, Some(0));
    place.close().await;
}

async fn wait(place: &Place, sql: &str, expected: i64) {
    let reached = async {
        while place.integer(sql).await != Some(expected) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it was never so");
}

/// A dump sets an empty search path for the whole session, and files after it do not see that.
#[tokio::test]
#[ignore = "needs a live service"]
async fn settings_of_a_file_end_with_it() {
    let place = place().await;
    let dump = "SELECT pg_catalog.set_config('search_path', '', false);\n\
                SET statement_timeout = 7;\nRESET statement_timeout;\n\
                CREATE TABLE public.a (x int);";
    let files = files(&[("1_dump.sql", dump), ("2_b.sql", "CREATE TABLE b (x int)")]);
    assert_eq!(place.up_all(&files).await, ["1", "2"]);
    assert_eq!(place.count("public.b").await, Some(0));
    place.close().await;
}

/// Others that use a table delay a file, and do not fail it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_table_in_use_is_waited_for() {
    let place = place().await;
    place.up_all(&files(&[TABLE])).await;
    let mut reader = place.session().await;
    reader.begin().await.unwrap();
    reader.run("SELECT COUNT(*) FROM a").await.unwrap();
    let options = Place::options().with_statement_lock_timeout(Duration::from_millis(50));
    let migrator = place.migrator_with(options);
    let both = files(&[TABLE, ("2_y.sql", "ALTER TABLE a ADD y int")]);
    let run = tokio::spawn(async move { migrator.up(&both, &UpOptions::new()).await });
    let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE a%' \
                 AND wait_event_type = 'Lock' AND datname = current_database()";
    wait(&place, waits, 1).await;
    reader.commit().await.unwrap();
    let report = run.await.unwrap().unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(texts(&report), ["2"]);
    reader.close().await;
    place.close().await;
}
