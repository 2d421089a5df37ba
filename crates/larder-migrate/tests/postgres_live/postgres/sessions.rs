//! A session runs statements, and says what a caller can do about its errors.

use std::error::Error as _;

use larder_migrate::{Cell, Connector as _, Param, SessionErrorKind, UrlConnector};

use crate::databases::with_session;

#[tokio::test]
#[ignore = "needs a live service"]
async fn values_of_every_type_that_is_asked_for_are_read() {
    with_session(|mut session, _| async move {
        let sql = "SELECT 1::int2, 2::int4, 3::int8, true, false, 'a'::text, 'b'::varchar, \
            'c'::name, 'd'::\"char\", ''::\"char\", 7::oid, NULL::text, NULL::int8, 'e', \
            $1 + 1, $2, $3";
        let params = [Param::Integer(41), Param::Text("it's"), Param::Null];
        let rows = session.fetch(sql, &params).await.unwrap();
        let text = |text: &str| Cell::Text(text.to_owned());
        let expected = vec![
            Cell::Integer(1),
            Cell::Integer(2),
            Cell::Integer(3),
            Cell::Integer(1),
            Cell::Integer(0),
            text("a"),
            text("b"),
            text("c"),
            text("d"),
            text(""),
            Cell::Integer(7),
            Cell::Null,
            Cell::Null,
            text("e"),
            Cell::Integer(42),
            text("it's"),
            Cell::Null,
        ];
        assert_eq!(rows, [expected]);
        assert!(session.fetch("SELECT 1.5::float8", &[]).await.is_err());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn a_statement_after_a_change_of_its_table_is_no_statement_of_before() {
    with_session(|mut session, _| async move {
        session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await.unwrap();
        let read = "SELECT * FROM t";
        assert_eq!(session.fetch(read, &[]).await.unwrap(), [[Cell::Integer(1)]]);
        session.run("ALTER TABLE t ALTER a TYPE text; ALTER TABLE t ADD b int").await.unwrap();
        let rows = session.fetch(read, &[]).await.unwrap();
        assert_eq!(rows, [[Cell::Text("1".into()), Cell::Null]]);
        let prepared = session.fetch("SELECT name FROM pg_prepared_statements", &[]).await.unwrap();
        assert!(prepared.iter().all(|row| row[0] == Cell::Text(String::new())), "{prepared:?}");
        let changed = session.execute("UPDATE t SET b = $1", &[Param::Integer(2)]).await;
        assert_eq!(changed.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn errors_say_what_can_be_done() {
    with_session(|mut session, url| async move {
        session.run("CREATE TABLE t (a int UNIQUE); INSERT INTO t VALUES (1)").await.unwrap();
        use SessionErrorKind::*;
        for (sql, kind, code) in [
            ("SELECT * FROM missing", UndefinedTable, "42P01"),
            ("CREATE TABLE missing.t (a int)", UndefinedTable, "3F000"),
            ("CREATE TABLE u (a missing)", UndefinedTable, "42704"),
            ("SELECT missing FROM t", UndefinedColumn, "42703"),
            ("CREATE TABLE t (a int)", Exists, "42P07"),
            ("ALTER TABLE t ADD a int", Exists, "42701"),
            ("INSERT INTO t VALUES (1)", Statement, "23505"),
            ("SELEC 1", Statement, "42601"),
            ("BEGIN READ ONLY; CREATE TABLE u (a int)", Permission, "25006"),
        ] {
            let error = session.run(sql).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{sql}: {error:?}");
            session.run("ROLLBACK").await.unwrap();
        }
        let mut other = UrlConnector::new(&url).connect().await.unwrap();
        other.begin().await.unwrap();
        other.run("LOCK TABLE t").await.unwrap();
        let lock = "BEGIN; SET LOCAL lock_timeout = '20ms'; LOCK TABLE t";
        assert_eq!(session.run(lock).await.unwrap_err().kind(), Busy);
        session.run("ROLLBACK").await.unwrap();
        other.close().await;
        session.run("BEGIN; LOCK TABLE t; ROLLBACK").await.unwrap();
        let end = "SELECT pg_terminate_backend(pg_backend_pid())";
        assert_eq!(session.run(end).await.unwrap_err().kind(), Connection);
        assert_eq!(session.run("SELECT 1").await.unwrap_err().kind(), Connection);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn two_sessions_that_create_one_table_at_once_are_in_conflict() {
    with_session(|mut session, url| async move {
        let mut other = UrlConnector::new(&url).connect().await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE t (a int)").await.unwrap();
        let second = tokio::spawn(async move { other.run("CREATE TABLE t (a int)").await });
        // The second one waits for the first one's end.
        let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND database = \
            (SELECT oid FROM pg_database WHERE datname = current_database()) OR (NOT granted AND \
            locktype = 'transactionid')";
        let waits = async {
            while session.fetch(waiting, &[]).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), waits).await.unwrap();
        session.commit().await.unwrap();
        let error = second.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Conflict, "{error:?}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn dropping_a_session_undoes_what_was_not_committed() {
    with_session(|mut session, url| async move {
        let mut other = UrlConnector::new(&url).connect().await.unwrap();
        other.begin().await.unwrap();
        other.run("CREATE TABLE t (a int); SELECT pg_advisory_lock(7)").await.unwrap();
        drop(other);
        let gone = async {
            let locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = \
                (SELECT oid FROM pg_database WHERE datname = current_database())";
            while !session.fetch(locks, &[]).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.unwrap();
        let error = session.run("SELECT * FROM t").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::UndefinedTable);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a live service"]
async fn nothing_of_a_url_is_in_an_error() {
    with_session(|_, url| async move {
        let with_password = |user: &str| {
            let mut url = url::Url::parse(&url).unwrap();
            url.set_username(user).unwrap();
            url.set_password(Some("hunter2")).unwrap();
            url
        };
        let mut wrong = with_password("hunter_role");
        wrong.set_port(Some(1)).unwrap();
        let connector = UrlConnector::new(wrong);
        let error = connector.connect().await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Connection);
        let shown = format!("{error} {error:?} {:?} {connector:?}", error.source());
        assert!(!shown.contains("hunter"), "{shown}");
        let unknown = with_password("no_such_role");
        let error = UrlConnector::new(unknown).connect().await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Permission);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    })
    .await;
}
