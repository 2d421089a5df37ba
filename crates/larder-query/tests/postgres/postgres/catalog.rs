//! What the text does not show: views, triggers, rules, keys, partitions, policies.

use larder_query::{Queries, larder_cache::Source};

use super::cached::{Bench, Tiers, scalar};
use crate::run;

/// A database with these things in it, and queries on it.
async fn bench(setup: &str) -> (Bench, Queries) {
    let bench = Bench::empty().await;
    run(&bench.fixture.database, setup).await;
    let queries = bench.queries(Tiers::Both);
    (bench, queries)
}

async fn execute(queries: &Queries, sql: &str) {
    let written = queries.execute(sql).run().await;
    written.unwrap_or_else(|error| panic!("{sql}: {error:?}")).applied().unwrap();
}

/// Runs a statement as another program does, of which nobody hears.
async fn behind_its_back(bench: &Bench, sql: &str) {
    let other = bench.fixture.again().await;
    run(&other, sql).await;
    other.close().await;
}

/// Reads, writes and reads again: the second read must see the write, and so must the cache.
async fn check_followed(queries: &Queries, read: &str, write: &str, expected: [i64; 2]) {
    // Twice, because the first miss after a change of the schema is not stored.
    for _ in 0..2 {
        assert_eq!(scalar(queries, read).await.0, expected[0], "{read}");
    }
    assert!(scalar(queries, read).await.1.is_hit(), "{read} is cached");
    execute(queries, write).await;
    assert_eq!(scalar(queries, read).await.0, expected[1], "{read} after {write}");
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn views_are_followed_to_their_tables_and_so_are_writes_to_them() {
    let (_bench, queries) = bench(
        "CREATE SCHEMA other; CREATE TABLE a (n int8); CREATE TABLE other.b (n int8); \
         CREATE VIEW v AS SELECT n FROM a UNION ALL SELECT n FROM other.b; \
         CREATE VIEW w AS SELECT count(*) AS n FROM v; CREATE VIEW simple AS SELECT n FROM a",
    )
    .await;
    check_followed(&queries, "SELECT n FROM w", "INSERT INTO a VALUES (1)", [0, 1]).await;
    check_followed(&queries, "SELECT n FROM w", "INSERT INTO other.b VALUES (1)", [1, 2]).await;
    check_followed(&queries, "SELECT count(*) FROM a", "INSERT INTO simple VALUES (1)", [1, 2])
        .await;
    execute(&queries, "CREATE VIEW clock AS SELECT extract(epoch FROM now())::int8 AS n FROM a")
        .await;
    scalar(&queries, "SELECT n FROM clock").await;
    assert_eq!(scalar(&queries, "SELECT n FROM clock").await.1, Source::Bypass);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_function_that_may_write_invalidates_everything() {
    let (bench, queries) = bench("CREATE TABLE a (n int8); CREATE TABLE b (n int8)").await;
    let count = "SELECT count(*) FROM a";
    scalar(&queries, count).await;
    let function = "CREATE FUNCTION noted() RETURNS int8 LANGUAGE sql AS \
                    'INSERT INTO a VALUES (1) RETURNING n'";
    behind_its_back(&bench, function).await;
    let mut known = 0;
    for sql in [
        "SELECT noted()",
        "SELECT n FROM noted() AS t (n)",
        "INSERT INTO b SELECT noted()",
        "UPDATE b SET n = 2 WHERE noted() = 1",
    ] {
        check_followed(&queries, count, sql, [known, known + 1]).await;
        known += 1;
    }
    scalar(&queries, count).await;
    assert_eq!(scalar(&queries, "SELECT noted()").await.0, 1);
    assert_eq!(scalar(&queries, count).await.0, known + 1);
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_function_of_the_users_behind_a_name_of_the_servers_is_not_cached() {
    let (bench, queries) = bench("CREATE TABLE a (n int8)").await;
    behind_its_back(
        &bench,
        "CREATE FUNCTION lower(int8) RETURNS int8 STABLE LANGUAGE sql AS 'SELECT count(*) FROM a'",
    )
    .await;
    for expected in 0..3 {
        let found = scalar(&queries, "SELECT lower(5::int8)").await;
        assert_eq!(found, (expected, Source::Bypass));
        execute(&queries, "INSERT INTO a VALUES (1)").await;
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_materialized_view_is_a_table_that_is_written_by_its_refresh() {
    let (_bench, queries) =
        bench("CREATE TABLE a (n int8); CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM a")
            .await;
    let read = "SELECT n FROM m";
    check_followed(&queries, read, "INSERT INTO a VALUES (1)", [0, 0]).await;
    assert!(scalar(&queries, read).await.1.is_hit());
    check_followed(&queries, read, "REFRESH MATERIALIZED VIEW m", [0, 1]).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn triggers_rules_and_cascades_are_followed() {
    let (_bench, queries) = bench(
        "CREATE TABLE a (id int8 PRIMARY KEY, changed int8); CREATE TABLE log (n int8); \
         CREATE TABLE c (a int8 REFERENCES a ON DELETE CASCADE); \
         CREATE TABLE d (a int8 REFERENCES a ON UPDATE SET NULL); CREATE TABLE r (n int8); \
         INSERT INTO a VALUES (1), (2); INSERT INTO c VALUES (1); INSERT INTO d VALUES (2); \
         CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$; \
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN NEW.changed := 7; RETURN NEW; END $$; \
         CREATE RULE also AS ON INSERT TO r DO ALSO INSERT INTO log VALUES (new.n)",
    )
    .await;
    check_followed(&queries, "SELECT count(*) FROM c", "DELETE FROM a WHERE id = 1", [1, 0]).await;
    check_followed(&queries, "SELECT count(a) FROM d", "UPDATE a SET id = 3", [1, 0]).await;
    check_followed(&queries, "SELECT count(*) FROM log", "INSERT INTO r VALUES (1)", [0, 1]).await;
    execute(&queries, "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch()")
        .await;
    let log = "SELECT count(*) FROM log";
    check_followed(&queries, "SELECT coalesce(changed, 0) FROM a", "UPDATE a SET id = 4", [0, 7])
        .await;
    scalar(&queries, log).await;
    execute(&queries, "UPDATE a SET id = 5").await;
    assert!(
        scalar(&queries, log).await.1.is_hit(),
        "a trigger that only assigns writes nothing else"
    );
    execute(&queries, "CREATE TRIGGER u AFTER INSERT ON a EXECUTE FUNCTION logging()").await;
    check_followed(&queries, log, "INSERT INTO a VALUES (9)", [1, 2]).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn partitions_and_heirs_change_with_their_parents_and_the_other_way_round() {
    let (bench, queries) = bench(
        "CREATE TABLE p (k int8, n int8) PARTITION BY LIST (k); \
         CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); \
         CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); \
         CREATE TABLE base (n int8); CREATE TABLE heir () INHERITS (base)",
    )
    .await;
    let count = "SELECT count(*) FROM p";
    check_followed(&queries, count, "INSERT INTO p1 VALUES (1, 1)", [0, 1]).await;
    check_followed(&queries, "SELECT count(*) FROM p2", "INSERT INTO p VALUES (2, 1)", [0, 1])
        .await;
    check_followed(&queries, "SELECT count(*) FROM base", "INSERT INTO heir VALUES (1)", [0, 1])
        .await;
    // Attached by somebody else after the parent was read.
    assert_eq!(scalar(&queries, count).await.0, 2);
    behind_its_back(&bench, "CREATE TABLE p3 PARTITION OF p FOR VALUES IN (3)").await;
    check_followed(&queries, count, "INSERT INTO p3 VALUES (3, 1)", [2, 3]).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_policy_that_depends_on_the_session_forbids_caching_and_another_does_not() {
    let (bench, queries) = bench(
        "CREATE TABLE t (n int8, tenant text); INSERT INTO t VALUES (1, 'a'), (2, 'b'); \
         CREATE TABLE member (tenant text); INSERT INTO member VALUES ('a'); \
         CREATE TABLE open (n int8); INSERT INTO open VALUES (1)",
    )
    .await;
    let role = crate::random_name();
    let setup = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'policy'; GRANT {role} TO CURRENT_USER; \
         GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE open ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY p ON t USING (tenant = current_setting('app.tenant', true)); \
         CREATE POLICY q ON open USING (EXISTS (SELECT 1 FROM member))"
    );
    run(&bench.fixture.database, &setup).await;
    let database = bench.fixture.with_parameter(&format!("user={role}&password=policy")).await;
    let limited = bench.queries_on(&database, Tiers::Both);
    scalar(&limited, "SELECT count(*) FROM t").await;
    assert_eq!(scalar(&limited, "SELECT count(*) FROM t").await, (0, Source::Bypass));
    check_followed(&limited, "SELECT count(*) FROM open", "DELETE FROM member", [1, 0]).await;
    // The owner sees everything.
    scalar(&queries, "SELECT count(*) FROM t").await;
    assert!(scalar(&queries, "SELECT count(*) FROM t").await.1.is_hit());
    database.close().await;
    run(&bench.fixture.database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_view_that_is_redefined_is_looked_into_again() {
    let (_bench, queries) =
        bench("CREATE TABLE a (n int8); CREATE TABLE b (n int8); CREATE VIEW v AS SELECT * FROM a")
            .await;
    check_followed(&queries, "SELECT count(*) FROM v", "INSERT INTO a VALUES (1)", [0, 1]).await;
    check_followed(
        &queries,
        "SELECT count(*) FROM v",
        "CREATE OR REPLACE VIEW v AS SELECT * FROM b",
        [1, 0],
    )
    .await;
    check_followed(&queries, "SELECT count(*) FROM v", "INSERT INTO b VALUES (1)", [0, 1]).await;
    execute(&queries, "DROP VIEW v").await;
    execute(&queries, "ALTER TABLE a RENAME TO v").await;
    check_followed(&queries, "SELECT count(*) FROM v", "INSERT INTO v VALUES (1)", [1, 2]).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn what_another_process_does_to_the_schema_is_noticed_by_the_next_miss_or_write() {
    let function = "CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$";
    let setup = format!(
        "CREATE TABLE a (n int8); CREATE TABLE b (n int8); CREATE TABLE log (n int8); \
         CREATE TABLE p (id int8 PRIMARY KEY); CREATE TABLE c (p int8); \
         INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1); \
         CREATE VIEW v AS SELECT * FROM a; CREATE VIEW spare AS SELECT * FROM b; {function}"
    );
    let (bench, queries) = bench(&setup).await;
    let log = "SELECT count(*) FROM log";
    assert_eq!(scalar(&queries, log).await.0, 0);
    execute(&queries, "INSERT INTO a VALUES (1)").await;
    behind_its_back(&bench, "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION logging()").await;
    check_followed(&queries, log, "INSERT INTO a VALUES (1)", [0, 1]).await;

    // A transaction that began before the trigger was there.
    behind_its_back(&bench, "DROP TRIGGER t ON a").await;
    let mut tx = queries.begin().await.unwrap();
    behind_its_back(&bench, "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION logging()").await;
    assert_eq!(scalar(&queries, log).await.0, 1);
    tx.execute("INSERT INTO a VALUES (2)").run().await.unwrap();
    tx.commit().await.unwrap().applied().unwrap();
    assert_eq!(scalar(&queries, log).await.0, 2);
    behind_its_back(&bench, "DROP TRIGGER t ON a").await;

    let key = "ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE";
    assert_eq!(scalar(&queries, "SELECT count(*) FROM c").await.0, 1);
    behind_its_back(&bench, key).await;
    check_followed(&queries, "SELECT count(*) FROM c", "DELETE FROM p WHERE id = 1", [1, 0]).await;
    behind_its_back(&bench, "ALTER TABLE p RENAME TO q; INSERT INTO c VALUES (2)").await;
    queries.invalidate_table("c").await.unwrap().applied().unwrap();
    check_followed(&queries, "SELECT count(*) FROM c", "DELETE FROM q WHERE id = 2", [1, 0]).await;

    let prepared = queries.prepare("SELECT count(*) FROM v");
    let count = || prepared.query().fetch_scalar::<i64>();
    assert_eq!(*count().await.unwrap(), 3);
    for change in [
        "CREATE OR REPLACE VIEW v AS SELECT * FROM b",
        "ALTER VIEW v RENAME TO old; CREATE VIEW v AS SELECT * FROM b",
        "DROP VIEW v; ALTER VIEW spare RENAME TO v",
    ] {
        behind_its_back(&bench, change).await;
        queries.invalidate_table("v").await.unwrap().applied().unwrap();
        let before = *count().await.unwrap();
        execute(&queries, "INSERT INTO b VALUES (1)").await;
        assert_eq!(*count().await.unwrap(), before + 1, "{change}");
    }
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_trigger_that_one_text_makes_fires_and_drops_is_not_missed() {
    let (_bench, queries) = bench(
        "CREATE TABLE a (n int8); CREATE TABLE log (n int8); \
         CREATE FUNCTION logging() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL; END $$",
    )
    .await;
    let text = "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION logging(); \
                INSERT INTO a VALUES (1); DROP TRIGGER t ON a";
    check_followed(&queries, "SELECT count(*) FROM log", text, [0, 1]).await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_function_in_a_write_that_is_not_known_may_write_anything() {
    let (_bench, queries) = bench(
        "CREATE TABLE log (n int8); \
         CREATE FUNCTION book() RETURNS int8 LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING n'",
    )
    .await;
    let log = "SELECT count(*) FROM log";
    check_followed(&queries, log, "DO $$ BEGIN PERFORM book(); END $$", [0, 1]).await;
}
