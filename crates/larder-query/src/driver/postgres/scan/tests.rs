//! Placeholders, verbs and sessions are found, and only where they are.

use proptest::prelude::*;

use super::*;

fn numbers(sql: &str) -> Vec<usize> {
    scan(sql).placeholders.iter().map(|placeholder| placeholder.number).collect()
}

fn verbs(sql: &str) -> Vec<Verb> {
    scan(sql).pieces.iter().map(|piece| piece.verb).collect()
}

fn changes_session(sql: &str) -> bool {
    scan(sql).pieces.iter().any(|piece| piece.changes_session)
}

#[test]
fn parameters_are_found_where_they_stand() {
    assert_eq!(numbers("SELECT $1, $2 WHERE x=$1"), [1, 2, 1]);
    assert_eq!(numbers("SELECT $1::int4[], ($10)"), [1, 10]);
    assert_eq!(numbers("SELECT a->$1, a @> $2, a ? $3 FROM t"), [1, 2, 3]);
    let sql = "SELECT 'é', $12";
    let found = scan(sql);
    assert_eq!(&sql[found.placeholders[0].text.clone()], "$12");
}

#[test]
fn quotes_comments_and_names_hold_no_parameters() {
    for sql in [
        "SELECT '$1'",
        "SELECT 'it''s $1'",
        "SELECT ':zz', 'a:b'",
        "SELECT E'\\'$1'",
        "SELECT e'\\\\', '$1'",
        "SELECT \"$1\"",
        "SELECT \"a\"\"$1\"",
        "SELECT $$ $1 $$",
        "SELECT $a$ $1 $$ $b$ $a$",
        "SELECT $é$ $1 $é$",
        "SELECT a$1, é$2, _$3 FROM t",
        "SELECT 1 -- $1",
        "SELECT 1 /* $1 /* $2 */ $3 */",
        "SELECT '$1",
        "SELECT $$ $1",
        "SELECT 1 /* $1",
        "SELECT $name",
    ] {
        assert_eq!(numbers(sql), [0_usize; 0], "{sql}");
    }
    assert_eq!(numbers("SELECT 'a\\', $1"), [1], "a backslash is a letter");
    assert_eq!(numbers("SELECT 1 -- $1\n, $2"), [2]);
    assert_eq!(numbers("SELECT $a$ $1 $a$, $2"), [2]);
    assert!(scan("SELECT a ?| b").question_mark && !scan("SELECT '?'").question_mark);
}

#[test]
fn each_statement_has_its_verb() {
    use Verb::*;
    assert_eq!(verbs("insert into t values (1); UPDATE t SET a = 1"), [Write; 2]);
    assert_eq!(verbs(" /* x */ MERGE INTO t USING u ON true"), [Write]);
    assert_eq!(verbs("(SELECT 1) UNION SELECT 2; VALUES (1); TABLE t"), [Read; 3]);
    assert_eq!(verbs("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x"), [Read]);
    assert_eq!(verbs("WITH RECURSIVE x(a) AS (SELECT 1) INSERT INTO t SELECT 1"), [Write]);
    assert_eq!(verbs("EXPLAIN ANALYZE DELETE FROM t"), [Other]);
    assert_eq!(verbs("BEGIN; START TRANSACTION; COMMIT; END; ROLLBACK; ABORT"), [Transaction; 6]);
    assert_eq!(verbs("PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'"), [Transaction; 2]);
    assert_eq!(verbs("SAVEPOINT a; RELEASE a; ROLLBACK TO a"), [Savepoint; 3]);
    assert_eq!(verbs("ROLLBACK TRANSACTION TO SAVEPOINT a"), [Savepoint]);
    assert_eq!(verbs("; -- nothing\n ;"), []);
    assert_eq!(verbs("SELECT ';', $$;$$, \";\" /* ; */"), [Read]);
}

#[test]
fn a_body_in_sql_is_one_statement() {
    let body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
                SELECT 2; END; SELECT 3";
    assert_eq!(verbs(body), [Verb::Other, Verb::Read]);
    let texts: Vec<_> = scan(body).pieces.iter().map(|piece| &body[piece.text.clone()]).collect();
    assert!(texts[0].ends_with("END") && texts[1].trim() == "SELECT 3", "{texts:?}");
}

#[test]
fn what_lasts_as_long_as_the_session_is_noticed() {
    for sql in [
        "SET search_path = x",
        "set session authorization x",
        "RESET ALL",
        "DISCARD TEMP",
        "LISTEN a",
        "LOAD 'x'",
        "PREPARE p AS SELECT 1",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "DO $$ BEGIN NULL; END $$",
        "CALL p()",
        "CREATE TEMP TABLE t (a int)",
        "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
        "CREATE LOCAL TEMP TABLE t (a int)",
        "SELECT 1 INTO TEMP t",
        "CREATE TABLE pg_temp.t (a int)",
        "EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_catalog.\"pg_try_advisory_lock\"(1)",
        "SELECT set_config('a.b', 'true', false)",
        "SELECT set_config('a.b', $1, $2)",
        "SELECT set_config('a.b', 'c', NOT true)",
        "SELECT set_config('a.b', 'c', true AND false)",
        "SELECT set_config('a.b', (SELECT true), false)",
        "SELECT 1; SET a.b = 'c'",
    ] {
        assert!(changes_session(sql), "{sql}");
    }
}

#[test]
fn what_ends_with_the_transaction_is_not() {
    for sql in [
        "SET LOCAL search_path = x",
        "SET TRANSACTION READ ONLY",
        "SET CONSTRAINTS ALL DEFERRED",
        "UPDATE t SET a = 1",
        "SELECT set_config('a.b', $1, true)",
        "SELECT set_config('a.b', coalesce($1, 'x'), TRUE), 2",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT temp, temporary FROM weather",
        "SELECT 'SET x', \"temp\" FROM t",
        "CREATE TABLE t (a int)",
        "SHOW search_path",
    ] {
        assert!(!changes_session(sql), "{sql}");
    }
}

#[test]
fn what_may_change_types_is_noticed() {
    let changes = |sql| scan(sql).pieces.iter().any(|piece| piece.changes_types);
    assert!(changes("ALTER TABLE t ALTER a TYPE text"));
    assert!(changes("SELECT 1; drop table t"));
    assert!(!changes("CREATE TABLE t (a int)") && !changes("UPDATE t SET alter = 1"));
}

proptest! {
    #[test]
    fn any_text_is_scanned(sql in "[?$:()'\"/*;, a1eé\\\\\n-]{0,40}") {
        let found = scan(&sql);
        for piece in &found.pieces {
            prop_assert!(sql.get(piece.text.clone()).is_some());
        }
        for placeholder in &found.placeholders {
            prop_assert!(sql[placeholder.text.clone()].starts_with('$'));
        }
    }
}
