//! SQLite's statements.

use larder_sql::Dialect;

use crate::summary::check;

#[test]
fn queries_name_every_table_they_read() {
    check(
        Dialect::Sqlite,
        &[
            ("SELECT * FROM airline WHERE airline_id = 1", "read < airline"),
            ("SELECT * FROM passenger WHERE passenger_id = 1000;", "read < passenger"),
            ("select name from MAIN.\"Airline\" a", "read < airline"),
            ("SELECT * FROM [air line], `b`, 'c'", "read < air line b c"),
            ("SELECT 1", "read"),
            ("VALUES (1), (2)", "read"),
            ("SELECT * FROM flight f JOIN airline a USING (airline_id)", "read < airline flight"),
            (
                "SELECT * FROM flight f LEFT OUTER JOIN airport x ON x.id = f.dest NATURAL JOIN weather",
                "read < airport flight weather",
            ),
            ("SELECT * FROM a, (b JOIN c ON b.x = c.x), (SELECT * FROM d) e", "read < a b c d"),
            ("SELECT (SELECT max(x) FROM b WHERE b.y = a.y) FROM a", "read < a b"),
            (
                "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b) AND x NOT IN (SELECT y FROM c)",
                "read < a b c",
            ),
            (
                "SELECT * FROM a GROUP BY (SELECT x FROM b) HAVING count(*) > (SELECT y FROM c) ORDER BY (SELECT z FROM d) LIMIT (SELECT n FROM e) OFFSET (SELECT m FROM f)",
                "read < a b c d e f",
            ),
            (
                "SELECT CASE WHEN x THEN (SELECT 1 FROM b) ELSE (SELECT 2 FROM c) END FROM a",
                "read < a b c",
            ),
            (
                "SELECT * FROM a UNION ALL SELECT * FROM b EXCEPT SELECT * FROM c INTERSECT SELECT * FROM d",
                "read < a b c d",
            ),
            ("SELECT sum(x) OVER (PARTITION BY (SELECT y FROM b) ORDER BY z) FROM a", "read < a b"),
            ("SELECT count(*) FILTER (WHERE x IN (SELECT y FROM b)) FROM a", "read < a b"),
            (
                "SELECT * FROM a WHERE (x, y) IN (VALUES (1, 2), (3, (SELECT z FROM b)))",
                "read < a b",
            ),
            (
                "SELECT coalesce((SELECT x FROM b), 0) FROM a WHERE x BETWEEN (SELECT 1 FROM c) AND 2",
                "read < a b c",
            ),
            ("SELECT * FROM flight INDEXED BY by_day WHERE day = ?", "read < flight"),
            ("SELECT * FROM flight AS f NOT INDEXED WHERE day = :day", "read < flight"),
            ("SELECT * FROM airline -- FROM booking\n/* JOIN booking */", "read < airline"),
            ("SELECT 'FROM booking' FROM airline LIMIT 3", "read < airline"),
            ("SELECT a.'x', a.\"from\", a.values FROM a", "read < a"),
            ("SELECT * FROM a WHERE x GLOB 'l*' OR y LIKE 'z%' ESCAPE '\\'", "read < a"),
            ("SELECT * FROM notes WHERE notes MATCH ? ORDER BY bm25(notes)", "read < notes"),
            ("SELECT data ->> '$.x', e.value FROM a, json_each(a.data) e", "read < a"),
            ("SELECT @a, :b, $c, ?1, ?2 FROM a", "read < a"),
            ("SELECT rowid, lower(hex(x)), round(avg(y), 2) FROM a", "read < a"),
        ],
    );
}

#[test]
fn common_table_expressions_are_no_tables() {
    check(
        Dialect::Sqlite,
        &[
            (
                "WITH late AS (SELECT * FROM flight) SELECT * FROM late JOIN airline",
                "read < airline flight",
            ),
            (
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9) SELECT x FROM n",
                "read",
            ),
            (
                "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9) SELECT x FROM N",
                "read",
            ),
            ("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b", "read"),
            ("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a", "read < b"),
            ("WITH airline AS (SELECT 1) SELECT * FROM main.airline", "read < airline"),
            (
                "WITH a AS (SELECT 1) SELECT * FROM (WITH a AS (SELECT * FROM b) SELECT * FROM a), a",
                "read < b",
            ),
            ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a", "read < a"),
            ("SELECT * FROM a WHERE x IN (WITH a AS (SELECT 1 AS y) SELECT y FROM a)", "read < a"),
            ("WITH a AS (SELECT 1) SELECT 1 UNION SELECT * FROM a", "read"),
            (
                "WITH late AS MATERIALIZED (SELECT * FROM flight) SELECT count(*) FROM late",
                "read < flight",
            ),
            (
                "WITH x AS (SELECT id FROM flight) DELETE FROM booking WHERE flight_id IN (SELECT id FROM x)",
                "write < flight > booking",
            ),
            ("WITH booking AS (SELECT 1) DELETE FROM booking", "write > booking"),
            ("WITH x AS (SELECT 1 AS y) INSERT INTO a SELECT y FROM x", "write > a"),
            ("WITH x AS (SELECT 1 AS y) UPDATE a SET z = (SELECT y FROM x)", "write > a"),
        ],
    );
}

#[test]
fn writes_name_their_targets_and_their_sources() {
    check(
        Dialect::Sqlite,
        &[
            ("INSERT INTO airline VALUES (1, 'LH')", "write > airline"),
            ("INSERT OR REPLACE INTO airline SELECT * FROM staging", "write < staging > airline"),
            ("REPLACE INTO airline VALUES (1)", "write > airline"),
            ("INSERT INTO a DEFAULT VALUES", "write > a"),
            (
                "INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = (SELECT z FROM b) RETURNING *",
                "write < b > a",
            ),
            ("INSERT INTO a SELECT * FROM a", "write < a > a"),
            ("UPDATE airline SET name = ? WHERE iata = ?", "write > airline"),
            ("UPDATE OR IGNORE main.airline SET name = 'x'", "write > airline"),
            ("UPDATE a SET x = b.x FROM b WHERE b.id = a.id", "write < b > a"),
            (
                "UPDATE a AS t SET x = 1 WHERE id IN (SELECT id FROM b) RETURNING (SELECT y FROM c)",
                "write < b c > a",
            ),
            ("UPDATE booking SET price = price * 1.1", "write > booking"),
            ("DELETE FROM a WHERE x = (SELECT max(x) FROM a)", "write < a > a"),
            ("DELETE FROM temp.a", "write > a"),
            ("UPDATE a SET changed = datetime('now')", "write > a"),
        ],
    );
}

#[test]
fn schema_statements_name_their_tables() {
    check(
        Dialect::Sqlite,
        &[
            (
                "CREATE TABLE IF NOT EXISTS a (x INTEGER PRIMARY KEY, y TEXT DEFAULT (upper('q')))",
                "schema > a",
            ),
            ("CREATE TABLE a AS SELECT * FROM b", "schema < b > a"),
            ("CREATE TEMP TABLE a (x)", "schema > a ! temporary a"),
            ("CREATE TEMPORARY VIEW v AS SELECT * FROM a", "schema < a > v ! temporary v"),
            ("CREATE VIEW v AS SELECT * FROM a", "schema < a > v"),
            ("CREATE VIRTUAL TABLE notes USING fts5(body)", "schema > notes"),
            ("CREATE UNIQUE INDEX i ON a (x)", "schema > a"),
            ("ALTER TABLE a ADD COLUMN y TEXT", "schema > a"),
            ("ALTER TABLE a RENAME TO b", "schema > a b"),
            ("ALTER TABLE a RENAME COLUMN x TO y", "schema > a"),
            ("ALTER TABLE a DROP COLUMN x", "schema > a"),
            ("DROP TABLE IF EXISTS main.a", "schema > a"),
            ("DROP VIEW v", "schema > v"),
            ("DROP INDEX i", "schema > *"),
            ("DROP TRIGGER t", "schema > *"),
            ("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END", "schema > *"),
            ("ATTACH DATABASE 'other.db' AS other", "schema > *"),
            ("VACUUM", "session > *"),
        ],
    );
}

#[test]
fn other_statements_change_no_table() {
    check(
        Dialect::Sqlite,
        &[
            ("", "session"),
            ("-- nothing", "session"),
            (" ;; ", "session"),
            ("PRAGMA user_version", "session"),
            ("PRAGMA foreign_keys = ON", "session"),
            ("PRAGMA main.table_info(airline)", "session"),
            ("EXPLAIN QUERY PLAN SELECT * FROM a", "session < a"),
            ("EXPLAIN DELETE FROM a", "write > a"),
            ("ANALYZE", "session"),
            ("BEGIN IMMEDIATE", "transaction"),
            ("COMMIT", "transaction"),
            ("END", "transaction"),
            ("ROLLBACK", "transaction"),
            ("SAVEPOINT s", "transaction"),
            ("RELEASE s", "transaction"),
            ("ROLLBACK TO s", "transaction"),
        ],
    );
}

#[test]
fn what_changes_without_a_write_is_not_cached() {
    check(
        Dialect::Sqlite,
        &[
            ("SELECT random()", "read ! volatile random"),
            ("SELECT * FROM a ORDER BY RANDOM()", "read < a ! volatile random"),
            ("SELECT hex(randomblob(16))", "read ! volatile randomblob"),
            ("SELECT CURRENT_TIMESTAMP", "read ! volatile current_timestamp"),
            ("SELECT * FROM a WHERE day = current_date", "read < a ! volatile current_date"),
            ("SELECT date()", "read ! volatile date"),
            ("SELECT date('now')", "read ! volatile date"),
            ("SELECT datetime('NOW', '-1 day')", "read ! volatile datetime"),
            ("SELECT datetime(\"now\")", "read ! volatile datetime"),
            ("SELECT datetime('n' || 'ow')", "read ! volatile datetime"),
            ("SELECT strftime('%s')", "read ! volatile strftime"),
            ("SELECT strftime('%s', 'now')", "read ! volatile strftime"),
            ("SELECT julianday('subsec')", "read ! volatile julianday"),
            ("SELECT unixepoch(), x FROM a", "read < a ! volatile unixepoch"),
            ("SELECT date(?)", "read ! volatile date"),
            ("SELECT date(coalesce(:day, x)) FROM a", "read < a ! volatile date"),
            ("SELECT datetime(x, 'localtime') FROM a", "read < a ! volatile datetime"),
            ("SELECT timediff(x, 'now') FROM a", "read < a ! volatile timediff"),
            (
                "SELECT date('2026-01-01', '+1 month'), date(departs), strftime('%Y', departs) FROM a",
                "read < a",
            ),
            ("SELECT last_insert_rowid()", "read ! session last_insert_rowid"),
            ("SELECT changes(), total_changes()", "read ! session changes"),
            ("SELECT load_extension('x')", "read ! session load_extension"),
            ("SELECT my_function(x) FROM a", "read < a ! unknown my_function"),
            ("SELECT * FROM a WHERE x REGEXP 'y'", "read < a ! unknown regexp"),
            ("SELECT * FROM carray(?1, 3)", "read ! unknown carray"),
            ("SELECT * FROM sqlite_schema", "read < sqlite_schema ! system sqlite_schema"),
            ("SELECT * FROM main.sqlite_master", "read < sqlite_master ! system sqlite_master"),
            ("SELECT * FROM pragma_table_info('a')", "read ! unknown pragma_table_info"),
            (
                "SELECT * FROM pragma_database_list",
                "read < pragma_database_list ! system pragma_database_list",
            ),
            ("SELECT * FROM dbstat", "read < dbstat ! system dbstat"),
            ("SELECT * FROM temp.a", "read < a ! temporary a"),
        ],
    );
}

#[test]
fn several_statements_are_taken_together() {
    check(
        Dialect::Sqlite,
        &[
            ("SELECT * FROM a; SELECT * FROM b", "read < a b ! several"),
            ("BEGIN; UPDATE a SET x = 1; DELETE FROM b; COMMIT", "write > a b ! several"),
            ("INSERT INTO a VALUES (1); DROP TABLE b", "schema > a b ! several"),
        ],
    );
}

#[test]
fn a_misread_keyword_is_an_error() {
    check(
        Dialect::Sqlite,
        &[
            ("SELECT x * FROM a", "error: the keyword FROM was read as a name"),
            ("SELECT * FROM a WHERE x IN b", "error: the statement can not be parsed"),
        ],
    );
}
