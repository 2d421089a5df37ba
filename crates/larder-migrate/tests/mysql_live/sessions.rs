//! Sessions.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use larder_migrate::{Cell, Connector, Param, SessionErrorKind, UrlConnector};

use crate::{
    databases::{open, with_databases},
    on_both,
};

on_both!(
    a_session_that_is_dropped_gives_up_its_locks,
    cells_are_integers_texts_and_nulls,
    connections_that_fail_say_why_and_nothing_else,
    every_session_is_strict_in_utc_and_utf8,
    errors_have_their_kind,
    parameters_and_transactions,
    several_statements_run_as_one_text,
);

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

async fn cells_are_integers_texts_and_nulls(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        let sql = "SELECT 1, -1, CAST(5 AS UNSIGNED), TRUE, NULL, 'x', CAST('y' AS BINARY), \
                   18446744073709551615, 1.50, 'größe', @@sql_safe_updates";
        let expected = vec![
            Cell::Integer(1),
            Cell::Integer(-1),
            Cell::Integer(5),
            Cell::Integer(1),
            Cell::Null,
            text("x"),
            text("y"),
            text("18446744073709551615"),
            text("1.50"),
            text("größe"),
            Cell::Integer(0),
        ];
        assert_eq!(session.fetch(sql, &[]).await.unwrap()[..], *std::slice::from_ref(&expected));
        // Prepared statements answer in another format.
        let prepared = format!("{sql} FROM (SELECT 1) AS t WHERE 1 = ?");
        let rows = session.fetch(&prepared, &[Param::Integer(1)]).await.unwrap();
        assert_eq!(rows, [expected]);
        let sql = "SELECT COLUMN_NAME, COLUMN_TYPE, ORDINAL_POSITION \
                   FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
        session.run("CREATE TABLE t (a INT)").await.unwrap();
        let rows = session.fetch(sql, &[Param::Text("t")]).await.unwrap();
        assert_eq!(rows[0][0], text("a"));
        assert_eq!(rows[0][2], Cell::Integer(1));
    })
    .await;
}

async fn parameters_and_transactions(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        session.run("CREATE TABLE t (a BIGINT, b TEXT)").await.unwrap();
        let insert = "INSERT INTO t VALUES (?, ?)";
        session.begin().await.unwrap();
        let params = [Param::Integer(i64::MIN), Param::Text("it's \\ 🛫")];
        assert_eq!(session.execute(insert, &params).await.unwrap(), 1);
        session.commit().await.unwrap();
        session.begin().await.unwrap();
        session.execute(insert, &[Param::Null, Param::Null]).await.unwrap();
        session.rollback().await.unwrap();
        let rows = session.fetch("SELECT a, b FROM t", &[]).await.unwrap();
        assert_eq!(rows, [vec![Cell::Integer(i64::MIN), text("it's \\ 🛫")]]);
    })
    .await;
}

async fn several_statements_run_as_one_text(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        session.run("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)").await.unwrap();
        let rows = session.fetch("SELECT a FROM t ORDER BY a; SELECT 'x'", &[]).await.unwrap();
        assert_eq!(rows, [vec![Cell::Integer(1)], vec![Cell::Integer(2)], vec![text("x")]]);
        let error = session.run("INSERT INTO t VALUES (3); SELEC; SELECT 1").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Statement);
        // What came before the error is done, and the session goes on.
        let rows = session.fetch("SELECT COUNT(*) FROM t", &[]).await.unwrap();
        assert_eq!(rows, [vec![Cell::Integer(3)]]);
    })
    .await;
}

async fn every_session_is_strict_in_utc_and_utf8(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let mut session = open(&url).await;
        session.run("CREATE TABLE t (a VARCHAR(3), m TIMESTAMP NULL, d DATE)").await.unwrap();
        for value in ["a) VALUES ('long'", "d) VALUES ('0000-00-00'", "d) VALUES ('2020-02-31'"] {
            let error = session.run(&format!("INSERT INTO t ({value})")).await.unwrap_err();
            assert_eq!(error.kind(), SessionErrorKind::Statement, "{value}");
        }
        let sql = "INSERT INTO t (a, m) VALUES (\"a\\\\'\", '2020-06-01 12:00:00'); \
                   SELECT a, UNIX_TIMESTAMP(m), @@time_zone, @@character_set_connection FROM t";
        let row = session.fetch(sql, &[]).await.unwrap().remove(0);
        assert_eq!(row[0], text("a\\'"));
        assert_eq!(row[2..], [text("+00:00"), text("utf8mb4")]);
        let sql = "SELECT CAST(UNIX_TIMESTAMP('2020-06-01 12:00:00') AS SIGNED)";
        assert_eq!(session.fetch(sql, &[]).await.unwrap()[0][0], Cell::Integer(1_591_012_800));
        // Whatever the server's own mode is: in others quotes and backslashes mean something else.
        let mode = session.fetch("SELECT @@sql_mode", &[]).await.unwrap();
        let mode = mode[0][0].as_text().unwrap();
        for other in ["ANSI", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT", "PAD_CHAR", "ORACLE"] {
            assert!(!mode.contains(other), "{mode}");
        }
        let error = session.run("CREATE TABLE u (a INT) ENGINE=NoSuchEngine").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Statement);
    })
    .await;
}

async fn errors_have_their_kind(variable: &str) {
    use SessionErrorKind::*;
    with_databases(variable, async |[url]: [String; 1]| {
        let (mut session, mut other) = (open(&url).await, open(&url).await);
        let setup = "CREATE TABLE t (a INT PRIMARY KEY, b INT, CONSTRAINT c CHECK (b > 0)); \
                     INSERT INTO t VALUES (1, 1)";
        session.run(setup).await.unwrap();
        for (sql, expected) in [
            ("SELECT * FROM missing", UndefinedTable),
            ("DROP TABLE missing", UndefinedTable),
            ("SELECT missing FROM t", UndefinedColumn),
            ("ALTER TABLE t DROP COLUMN missing", UndefinedColumn),
            ("CREATE TABLE t (a INT)", Exists),
            ("ALTER TABLE t ADD COLUMN a INT", Exists),
            ("ALTER TABLE t ADD KEY k (b), ADD KEY k (b)", Exists),
            ("USE missing", Statement),
            ("SELEC 1", Statement),
            ("INSERT INTO t VALUES (1, 1)", Statement),
        ] {
            let error = session.run(sql).await.unwrap_err();
            assert_eq!(error.kind(), expected, "{sql}: {error:?}");
            assert!(error.code().is_some(), "{sql}");
        }
        session.begin().await.unwrap();
        session.run("SELECT * FROM t FOR UPDATE").await.unwrap();
        let error = other.run("SELECT * FROM t FOR UPDATE NOWAIT").await.unwrap_err();
        assert_eq!(error.kind(), Busy, "{error:?}");
        other.run("SET lock_wait_timeout = 1").await.unwrap();
        let error = other.run("ALTER TABLE t ADD COLUMN d INT").await.unwrap_err();
        assert_eq!(error.kind(), Busy, "{error:?}");
    })
    .await;
}

async fn connections_that_fail_say_why_and_nothing_else(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let (_, place) = url.rsplit_once('@').unwrap();
        let scheme = url.split(':').next().unwrap();
        let secret = "hunter2";
        for (url, expected) in [
            (format!("{scheme}://nobody:{secret}@{place}"), SessionErrorKind::Permission),
            (format!("{scheme}://u:{secret}@127.0.0.1:1/{secret}"), SessionErrorKind::Connection),
            (format!("{scheme}://u:{secret}@h/d?{secret}=1"), SessionErrorKind::Unsupported),
        ] {
            let error = UrlConnector::new(&url).connect().await.unwrap_err();
            assert_eq!(error.kind(), expected, "{error:?}");
            let mut shown = format!("{error} {error:?}");
            let mut source = error.source();
            while let Some(inner) = source {
                shown.push_str(&inner.to_string());
                source = inner.source();
            }
            assert!(!shown.contains(secret), "{shown}");
        }
        let session = open(&url).await;
        assert_eq!(
            format!("{session:?}"),
            format!("MySqlSession {{ dialect: {:?}, .. }}", session.dialect())
        );
    })
    .await;
}

async fn a_session_that_is_dropped_gives_up_its_locks(variable: &str) {
    with_databases(variable, async |[url]: [String; 1]| {
        let name = format!("larder_{:x}", rand::random::<u64>());
        let sql = format!("SELECT GET_LOCK('{name}', 0)");
        let mut holder = open(&url).await;
        assert_eq!(holder.fetch(&sql, &[]).await.unwrap()[0][0], Cell::Integer(1));
        let mut other = open(&url).await;
        assert_eq!(other.fetch(&sql, &[]).await.unwrap()[0][0], Cell::Integer(0));
        drop(holder);
        #[expect(clippy::disallowed_methods, reason = "the server's clock, not ours, decides")]
        let start = Instant::now();
        loop {
            if other.fetch(&sql, &[]).await.unwrap()[0][0] == Cell::Integer(1) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "the lock is still held");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
