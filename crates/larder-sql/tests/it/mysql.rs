//! The statements of MySQL and MariaDB.

use larder_sql::Dialect;

use crate::summary::{check, summary};

#[test]
fn queries_name_every_table_they_read() {
    check(
        Dialect::MySql,
        &[
            ("SELECT * FROM airportdb.airline WHERE airline_id = 1", "read < airline"),
            ("SELECT * FROM `Airline` AS a", "read < airline"),
            ("SELECT * FROM \"airline\"", "read < airline"),
            ("SELECT 1 FROM DUAL", "read"),
            ("SELECT * FROM `dual`", "read < dual"),
            (
                "SELECT f.flightno, al.airlinename FROM flight f INNER JOIN airline al ON al.airline_id = f.airline_id STRAIGHT_JOIN airport ap ORDER BY f.departure LIMIT 5, 10",
                "read < airline airport flight",
            ),
            ("SELECT SQL_NO_CACHE HIGH_PRIORITY * FROM a", "read < a"),
            ("SELECT * FROM a PARTITION (p0), b USE INDEX (i)", "read < a b"),
            (
                "SELECT GROUP_CONCAT(DISTINCT x ORDER BY y SEPARATOR ';') FROM a GROUP BY z WITH ROLLUP",
                "read < a",
            ),
            (
                "SELECT IF(x, y, z), LEFT(x, 1), REPLACE(x, 'a', 'b'), INSERT(x, 1, 2, 'c') FROM a",
                "read < a",
            ),
            ("SELECT a->'$.x', a->>'$.y', JSON_EXTRACT(a, '$.z') FROM b", "read < b"),
            ("SELECT * FROM a WHERE MATCH (x) AGAINST ('y' IN BOOLEAN MODE)", "read < a"),
            (
                "SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (x INT PATH '$.x')) j JOIN a",
                "read < a",
            ),
            ("SELECT * FROM a WHERE x REGEXP 'y' AND z <=> NULL AND w DIV 2 = 1", "read < a"),
            (
                "SELECT DATE_ADD(x, INTERVAL 1 DAY), UNIX_TIMESTAMP(x), CAST(y AS SIGNED) FROM a # FROM b",
                "read < a",
            ),
            ("WITH airline AS (SELECT * FROM airline) SELECT * FROM airline", "read < airline"),
            ("WITH t AS (SELECT 1) SELECT * FROM T", "read < t"),
            ("WITH t AS (SELECT 1), u AS (SELECT * FROM t) SELECT * FROM u", "read"),
            ("SELECT 5--3 FROM a", "read < a"),
        ],
    );
}

#[test]
fn writes_name_their_targets_and_their_sources() {
    check(
        Dialect::MySql,
        &[
            ("INSERT IGNORE airline VALUES (1)", "write > airline"),
            ("INSERT INTO a SET x = 1, y = (SELECT z FROM b)", "write < b > a"),
            (
                "INSERT INTO a (x) VALUES (1) ON DUPLICATE KEY UPDATE x = VALUES(x), y = (SELECT z FROM b)",
                "write < b > a",
            ),
            ("REPLACE INTO a SELECT * FROM b", "write < b > a"),
            ("REPLACE a VALUES (1)", "write > a"),
            (
                "UPDATE airline SET name = 'x' WHERE iata = 'LH' ORDER BY id LIMIT 1",
                "write > airline",
            ),
            ("UPDATE LOW_PRIORITY IGNORE airline SET x = 1", "write > airline"),
            (
                "UPDATE airline a JOIN flight f ON a.id = f.id SET a.x = f.y",
                "write < flight > airline",
            ),
            (
                "UPDATE airline a JOIN flight f ON a.id = f.id SET a.x = 1, f.y = 2",
                "write > airline flight",
            ),
            ("UPDATE airline a JOIN flight f ON a.id = f.id SET x = 1", "write > airline flight"),
            (
                "UPDATE airline a, flight f SET a.x = f.y WHERE a.id = f.id",
                "write < flight > airline",
            ),
            ("UPDATE a LEFT JOIN (SELECT * FROM b) c ON a.id = c.id SET a.x = 1", "write < b > a"),
            ("UPDATE db1.a JOIN db2.a ON true SET a.x = 1", "write > a"),
            (
                "WITH c AS (SELECT * FROM b) UPDATE a JOIN c ON a.id = c.id SET a.x = 1",
                "write < b > a",
            ),
            ("DELETE FROM airline WHERE id = 1 LIMIT 1", "write > airline"),
            ("DELETE LOW_PRIORITY FROM airline", "write > airline"),
            ("DELETE a FROM airline a JOIN flight f ON a.id = f.id", "write < flight > airline"),
            (
                "DELETE a, f FROM airline a JOIN flight f JOIN booking b",
                "write < booking > airline flight",
            ),
            (
                "DELETE FROM a USING airline a JOIN flight f ON a.id = f.id",
                "write < flight > airline",
            ),
            (
                "DELETE airline FROM airline JOIN (SELECT id FROM flight) f ON true",
                "write < flight > airline",
            ),
            ("TRUNCATE TABLE airline", "write > airline"),
            ("CALL settle(1)", "write > *"),
        ],
    );
}

#[test]
fn schema_statements_name_their_tables() {
    check(
        Dialect::MySql,
        &[
            ("CREATE TABLE a LIKE b", "schema > a"),
            (
                "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, KEY (x)) ENGINE=InnoDB",
                "schema > a",
            ),
            ("CREATE TEMPORARY TABLE a (x INT)", "schema > a ! temporary a"),
            ("CREATE TABLE a SELECT * FROM b", "schema < b > a"),
            ("RENAME TABLE a TO b, c TO d", "schema > a b c d"),
            ("ALTER TABLE a RENAME TO b", "schema > a b"),
            ("ALTER TABLE a ADD COLUMN x INT AFTER y, DROP INDEX i, CHANGE p q INT", "schema > a"),
            ("DROP TABLE IF EXISTS a, b", "schema > a b"),
            ("DROP INDEX i ON a", "schema > a"),
            ("DROP DATABASE d", "schema > *"),
            ("CREATE VIEW v AS SELECT * FROM a", "schema < a > v"),
        ],
    );
}

#[test]
fn what_changes_without_a_write_is_not_cached() {
    check(
        Dialect::MySql,
        &[
            ("SELECT NOW(), CURDATE()", "read ! volatile now"),
            ("SELECT SYSDATE()", "read ! volatile sysdate"),
            ("SELECT CURRENT_TIMESTAMP(6)", "read ! volatile current_timestamp"),
            ("SELECT UTC_TIMESTAMP", "read ! volatile utc_timestamp"),
            ("SELECT UNIX_TIMESTAMP()", "read ! volatile unix_timestamp"),
            ("SELECT * FROM a ORDER BY RAND()", "read < a ! volatile rand"),
            ("SELECT UUID()", "read ! volatile uuid"),
            ("SELECT SLEEP(1)", "read ! volatile sleep"),
            ("SELECT GET_LOCK('x', 1)", "read ! volatile get_lock"),
            ("SELECT LAST_INSERT_ID()", "read ! session last_insert_id"),
            ("SELECT FOUND_ROWS(), ROW_COUNT()", "read ! session found_rows"),
            ("SELECT CONNECTION_ID()", "read ! session connection_id"),
            ("SELECT DATABASE(), VERSION()", "read ! session database"),
            ("SELECT CURRENT_USER", "read ! session current_user"),
            ("SELECT USER()", "read ! session user"),
            ("SELECT user FROM a", "read < a"),
            ("SELECT @x", "read ! session @x"),
            ("SELECT @@global.sql_mode", "read ! session @@global"),
            ("SELECT @n := @n + 1 FROM a", "read < a ! session @n"),
            ("SELECT * FROM a WHERE x = @`quoted`", "read < a ! session @"),
            ("SELECT SQL_CALC_FOUND_ROWS * FROM a", "read < a ! session SQL_CALC_FOUND_ROWS"),
            ("SELECT db.f(x) FROM a", "read < a ! unknown db.f"),
            ("SELECT `lower`(x) FROM a", "read < a ! unknown `lower`"),
            ("SELECT * FROM a FOR UPDATE", "read < a ! locking"),
            ("SELECT * FROM a FOR SHARE NOWAIT", "read < a ! locking"),
            ("SELECT * FROM a LOCK IN SHARE MODE", "read < a ! locking"),
            ("SELECT * FROM information_schema.tables", "read < tables ! system tables"),
            ("SELECT * FROM mysql.user", "read < user ! system user"),
            ("SELECT * FROM performance_schema.threads", "read < threads ! system threads"),
        ],
    );
}

#[test]
fn other_statements_change_no_table() {
    check(
        Dialect::MySql,
        &[
            ("SHOW TABLES", "session"),
            ("DESCRIBE a", "session < a"),
            ("EXPLAIN SELECT * FROM a", "session < a"),
            ("SET @x = 1", "session"),
            ("USE airportdb", "session"),
            ("LOCK TABLES a READ", "session"),
            ("UNLOCK TABLES", "session"),
            ("START TRANSACTION READ ONLY", "transaction"),
        ],
    );
}

#[test]
fn what_depends_on_the_server_is_an_error() {
    let comment =
        "error: an executable comment means different things to different server versions";
    let mode = "error: where a string ends depends on the server's sql_mode";
    check(
        Dialect::MySql,
        &[
            ("SELECT /*!50000 STRAIGHT_JOIN */ * FROM a", comment),
            ("SELECT * FROM a /*M!100000 JOIN b */", comment),
            ("/*!99999 WITH a AS (SELECT 1) */ SELECT * FROM a", comment),
            (r"SELECT * FROM a WHERE x = 'it\'s'", mode),
            (r"SELECT * FROM a WHERE x = '\\'", "read < a"),
            ("SELECT * FROM a WHERE x = 'it''s'", "read < a"),
            ("SELECT SQL_CACHE * FROM airline", "error: the keyword SQL_CACHE was read as a name"),
            ("DELETE QUICK FROM airline", "error: the keyword QUICK was read as a name"),
        ],
    );
}

#[test]
fn the_two_servers_differ_in_their_functions() {
    let cases = [
        ("SELECT UUID_TO_BIN(x) FROM a", Dialect::MySql),
        ("SELECT NVL(x, 0) FROM a", Dialect::MariaDb),
    ];
    for (sql, owner) in cases {
        for dialect in [Dialect::MariaDb, Dialect::MySql] {
            let cacheable = summary(sql, dialect) == "read < a";
            assert_eq!(cacheable, dialect == owner, "{sql} in {dialect:?}");
        }
    }
}
