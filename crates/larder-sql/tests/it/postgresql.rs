//! PostgreSQL's statements.

use larder_sql::Dialect;

use crate::summary::check;

#[test]
fn queries_name_every_table_they_read() {
    check(
        Dialect::PostgreSql,
        &[
            ("SELECT * FROM public.airline WHERE iata = $1", "read < airline"),
            ("SELECT * FROM Airline, \"Airline\"", "read < Airline airline"),
            ("SELECT * FROM ONLY airline", "read < airline"),
            ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x) z", "read < a b"),
            ("SELECT * FROM a CROSS JOIN LATERAL jsonb_each(a.data) e", "read < a"),
            ("SELECT * FROM a JOIN b ON true LEFT JOIN (c CROSS JOIN d) ON true", "read < a b c d"),
            ("SELECT ARRAY(SELECT x FROM b), ARRAY[(SELECT y FROM c)] FROM a", "read < a b c"),
            (
                "SELECT * FROM a WHERE x = ANY(SELECT y FROM b) OR x > ALL(SELECT z FROM c)",
                "read < a b c",
            ),
            ("SELECT * FROM a WHERE x = ANY($1)", "read < a"),
            ("SELECT * FROM unnest($1::int[], $2::text[]) AS u(x, y) JOIN a USING (x)", "read < a"),
            ("SELECT * FROM generate_series(1, 10) g", "read"),
            ("(SELECT * FROM a) UNION (SELECT * FROM b ORDER BY x LIMIT 1)", "read < a b"),
            ("SELECT DISTINCT ON (x) * FROM a ORDER BY x, (SELECT y FROM b)", "read < a b"),
            ("SELECT count(*) FILTER (WHERE x > (SELECT avg(x) FROM b)) FROM a", "read < a b"),
            (
                "SELECT a.data -> 'x' ->> 'y', a.data @> '{}', a.z::text, a.w ~* 'q' FROM a",
                "read < a",
            ),
            ("SELECT string_agg(x, ',' ORDER BY (SELECT 1 FROM b)) FROM a", "read < a b"),
            (
                "SELECT rank() OVER w FROM a WINDOW w AS (PARTITION BY (SELECT 1 FROM b))",
                "read < a b",
            ),
            (
                "SELECT extract(epoch FROM departs), date_trunc('day', departs), age(x, y) FROM flight",
                "read < flight",
            ),
            (
                "SELECT interval '1 day', date '2026-01-01', E'it\\'s', $$FROM b$$ FROM a",
                "read < a",
            ),
            ("SELECT x FROM a /* outer /* inner */ FROM b */ WHERE y = 1", "read < a"),
            ("SELECT 1 +-- FROM b\n 2 FROM a", "read < a"),
            ("SELECT pg_catalog.lower(x), \"upper\"(y) FROM a", "read < a"),
            ("SELECT * FROM a TABLESAMPLE SYSTEM (10) REPEATABLE (42)", "read < a"),
            ("SELECT * FROM a FETCH FIRST 3 ROWS ONLY", "read < a"),
            ("SELECT * FROM (VALUES (1, (SELECT x FROM b))) AS v(p, q)", "read < b"),
            ("SELECT EXISTS (SELECT 1 FROM booking WHERE id = $1)", "read < booking"),
            ("SELECT a\u{a0}b FROM c\u{a0}d", "read < c\u{a0}d"),
        ],
    );
}

#[test]
fn common_table_expressions_follow_the_scopes_of_sql() {
    check(
        Dialect::PostgreSql,
        &[
            ("WITH airline AS (SELECT * FROM airline) SELECT * FROM airline", "read < airline"),
            (
                "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT * FROM t",
                "read",
            ),
            ("WITH \"T\" AS (SELECT 1) SELECT * FROM t", "read < t"),
            ("WITH t AS (SELECT 1) SELECT * FROM \"t\", T", "read"),
            ("WITH t AS (SELECT 1) SELECT * FROM public.t", "read < t"),
            (
                "WITH a AS (SELECT * FROM x), b AS (SELECT * FROM a JOIN y USING (id)) SELECT * FROM b JOIN z USING (id)",
                "read < x y z",
            ),
            (
                "WITH a AS NOT MATERIALIZED (SELECT * FROM x) SELECT (SELECT count(*) FROM a)",
                "read < x",
            ),
            (
                "SELECT * FROM t WHERE x IN (WITH t AS (SELECT * FROM u) SELECT x FROM t)",
                "read < t u",
            ),
        ],
    );
}

#[test]
fn writes_inside_common_table_expressions_are_seen() {
    check(
        Dialect::PostgreSql,
        &[
            (
                "WITH x AS (UPDATE booking SET price = 1 RETURNING *) SELECT * FROM x",
                "write > booking",
            ),
            (
                "WITH x AS (DELETE FROM a USING b WHERE a.id = b.id RETURNING *) INSERT INTO c SELECT * FROM x",
                "write < b > a c",
            ),
            (
                "WITH x AS (INSERT INTO a SELECT * FROM b RETURNING id) UPDATE c SET y = 1 FROM x WHERE c.id = x.id",
                "write < b > a c",
            ),
            (
                "SELECT * FROM (WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x) y",
                "write > a",
            ),
            ("EXPLAIN ANALYZE WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "write > a"),
        ],
    );
}

#[test]
fn writes_name_their_targets_and_their_sources() {
    check(
        Dialect::PostgreSql,
        &[
            (
                "INSERT INTO airline AS a (iata) VALUES ($1) ON CONFLICT (iata) DO UPDATE SET name = excluded.name WHERE a.x IN (SELECT y FROM b) RETURNING id",
                "write < b > airline",
            ),
            ("UPDATE ONLY airline SET name = $1", "write > airline"),
            (
                "UPDATE a SET (x, y) = (SELECT p, q FROM b) FROM c JOIN d USING (id) WHERE a.id = c.id",
                "write < b c d > a",
            ),
            ("UPDATE flight SET delay = delay + 1 WHERE departs < now()", "write > flight"),
            ("DELETE FROM ONLY a", "write > a"),
            (
                "DELETE FROM a USING b, c WHERE a.x = b.x RETURNING (SELECT 1 FROM d)",
                "write < b c d > a",
            ),
            (
                "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = (SELECT y FROM c) WHEN NOT MATCHED THEN INSERT (id) VALUES (b.id)",
                "write < b c > a",
            ),
            (
                "MERGE INTO a USING (SELECT * FROM b) s ON a.id = s.id WHEN MATCHED THEN DELETE",
                "write < b > a",
            ),
            ("TRUNCATE a, ONLY b RESTART IDENTITY", "write > a b"),
            ("TRUNCATE TABLE a CASCADE", "write > *"),
            ("COPY airline (iata, name) FROM STDIN", "write > airline"),
            ("COPY airline TO STDOUT", "session < airline"),
            ("COPY (SELECT * FROM a) TO STDOUT", "session < a"),
            ("COPY (DELETE FROM a RETURNING *) TO STDOUT", "write > a"),
            ("SELECT * INTO archive FROM booking", "schema < booking > archive"),
            ("SELECT * INTO TEMP archive FROM booking", "schema < booking > archive"),
            ("CALL settle($1)", "write > *"),
            ("EXECUTE prepared (1)", "write > *"),
            ("PREPARE p AS DELETE FROM a", "write > a"),
        ],
    );
}

#[test]
fn schema_statements_name_their_tables() {
    check(
        Dialect::PostgreSql,
        &[
            (
                "CREATE TABLE a (id bigint PRIMARY KEY, b_id bigint REFERENCES b (id) ON DELETE CASCADE)",
                "schema > a",
            ),
            ("CREATE UNLOGGED TABLE a AS SELECT * FROM b", "schema < b > a"),
            ("CREATE TEMP TABLE a (x int)", "schema > a ! temporary a"),
            (
                "CREATE TABLE a_2026 PARTITION OF a FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
                "schema > a a_2026",
            ),
            ("CREATE TABLE child (x int) INHERITS (parent)", "schema > child parent"),
            ("CREATE OR REPLACE VIEW v AS SELECT * FROM a", "schema < a > v"),
            ("CREATE MATERIALIZED VIEW v AS SELECT * FROM a", "schema < a > v"),
            ("CREATE INDEX CONCURRENTLY i ON a (lower(x)) WHERE y", "schema > a"),
            ("ALTER TABLE ONLY a ADD CONSTRAINT c CHECK (x > 0)", "schema > a"),
            ("ALTER TABLE a RENAME TO b", "schema > a b"),
            ("ALTER TABLE a ENABLE ROW LEVEL SECURITY", "schema > a"),
            ("ALTER TABLE a DROP COLUMN x CASCADE", "schema > *"),
            ("DROP TABLE a, b", "schema > a b"),
            ("DROP TABLE a CASCADE", "schema > *"),
            ("DROP MATERIALIZED VIEW v", "schema > v"),
            ("DROP INDEX i", "schema > *"),
            ("DROP SCHEMA s", "schema > *"),
            ("CREATE POLICY p ON a USING (tenant = current_user)", "schema < a > *"),
            ("GRANT SELECT ON a TO b", "schema > *"),
            ("COMMENT ON TABLE a IS 'text'", "schema"),
            ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "schema > *"),
        ],
    );
}

#[test]
fn what_changes_without_a_write_is_not_cached() {
    check(
        Dialect::PostgreSql,
        &[
            ("SELECT now()", "read ! volatile now"),
            ("SELECT pg_catalog.now()", "read ! volatile now"),
            ("SELECT \"now\"()", "read ! volatile now"),
            ("SELECT CURRENT_DATE", "read ! volatile current_date"),
            ("SELECT localtimestamp(3)", "read ! volatile localtimestamp"),
            (
                "SELECT * FROM a WHERE t > current_timestamp - interval '1 day'",
                "read < a ! volatile current_timestamp",
            ),
            ("SELECT clock_timestamp()", "read ! volatile clock_timestamp"),
            ("SELECT 'now'::timestamp", "read ! volatile 'now'"),
            ("SELECT * FROM flight WHERE day = 'Today'", "read < flight ! volatile 'today'"),
            ("SELECT timestamp 'yesterday 10:00'", "read ! volatile 'yesterday'"),
            ("SELECT age(born) FROM a", "read < a ! volatile age"),
            ("SELECT random(), gen_random_uuid()", "read ! volatile random"),
            ("SELECT nextval('s')", "read ! volatile nextval"),
            ("SELECT currval('s')", "read ! session currval"),
            ("SELECT pg_sleep(1)", "read ! volatile pg_sleep"),
            ("SELECT pg_advisory_lock(1)", "read ! volatile pg_advisory_lock"),
            ("SELECT txid_current()", "read ! volatile txid_current"),
            ("SELECT query_to_xml('SELECT 1', true, true, '')", "read ! volatile query_to_xml"),
            ("SELECT * FROM dblink('x', 'SELECT 1') AS t(x int)", "read ! volatile dblink"),
            ("SELECT current_user", "read ! session current_user"),
            ("SELECT user, x FROM a", "read < a ! session user"),
            ("SELECT current_setting('app.tenant')", "read ! session current_setting"),
            ("SELECT set_config('a.b', 'c', false)", "read ! session set_config"),
            ("SELECT ctid FROM a", "read < a ! volatile ctid"),
            ("SELECT myschema.lower(x) FROM a", "read < a ! unknown myschema.lower"),
            ("SELECT \"Lower\"(x) FROM a", "read < a ! unknown \"Lower\""),
            ("SELECT book($1)", "read ! unknown book"),
            ("SELECT * FROM book($1)", "read ! unknown book"),
            ("SELECT a OPERATOR(my.+) b FROM c", "read < c ! unknown OPERATOR(my.+)"),
            ("SELECT * FROM a TABLESAMPLE BERNOULLI (10)", "read < a ! volatile TABLESAMPLE"),
            ("SELECT * FROM a FOR UPDATE", "read < a ! locking"),
            (
                "SELECT * FROM a WHERE x IN (SELECT y FROM b FOR SHARE SKIP LOCKED)",
                "read < a b ! locking",
            ),
            ("SELECT * FROM pg_catalog.pg_class", "read < pg_class ! system pg_class"),
            ("SELECT * FROM pg_stat_activity", "read < pg_stat_activity ! system pg_stat_activity"),
            ("SELECT * FROM information_schema.tables", "read < tables ! system tables"),
            ("SELECT * FROM pg_temp.a", "read < a ! temporary a"),
            (
                "SELECT * FROM a UNION TABLE b FOR UPDATE",
                "read < a b ! TABLE in place of a query is not supported",
            ),
        ],
    );
}

#[test]
fn other_statements_change_no_table() {
    check(
        Dialect::PostgreSql,
        &[
            ("SET search_path = tenant_1", "session"),
            ("SHOW server_version", "session"),
            ("EXPLAIN SELECT * FROM a", "session < a"),
            ("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM a", "write > a"),
            ("LISTEN c", "session"),
            ("DISCARD ALL", "session"),
            ("VACUUM a", "session"),
            ("ANALYZE a", "session < a"),
            ("LOCK TABLE a", "session < a"),
            ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "transaction"),
            ("SET TRANSACTION READ ONLY", "transaction"),
            ("ROLLBACK TO SAVEPOINT s", "transaction"),
        ],
    );
}

#[test]
fn what_the_parser_does_not_know_is_an_error() {
    let unparsable = "error: the statement can not be parsed";
    check(
        Dialect::PostgreSql,
        &[
            ("DO $$ BEGIN DELETE FROM a; END $$", unparsable),
            ("REFRESH MATERIALIZED VIEW v", unparsable),
            ("SELECT * FROM ROWS FROM (now()) AS x", unparsable),
            ("SELECT * FROM", "error: the statement can not be parsed"),
            ("SELECT x * FROM airline", "error: the keyword FROM was read as a name"),
            ("SELECT 'unterminated", unparsable),
            ("SELECT * FROM ONLY (airline)", unparsable),
            ("SELECT 1 UNION TABLE b; DELETE FROM c", unparsable),
        ],
    );
}
