//! URLs, identities, pools, refusals and what is shown of them.

use std::{error::Error as _, time::Duration};

use larder_query::{DatabaseErrorKind, DatabaseOptions, Engine, Params, QueryError, Value};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use crate::{
    Fixture,
    fixture::{number, open, run_on},
};

/// The error and everything below it, as people see it.
fn shown(error: &QueryError) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    shown
}

/// Nobody waits for the time limit: a refusal comes by itself.
fn patient() -> DatabaseOptions {
    DatabaseOptions::default().with_acquire_timeout(Duration::from_secs(60))
}

pub(crate) async fn one_database_has_one_identity_whatever_its_address(f: Fixture) {
    let again = f.open(&DatabaseOptions::default()).await;
    assert_eq!(again.identity(), f.database.identity());
    let by_name = open(&f.url().replace("127.0.0.1", "localhost"), &patient()).await.unwrap();
    assert_eq!(by_name.identity(), f.database.identity());
    let elsewhere = f.url().replace(&*f.name, "mysql");
    let elsewhere = open(&elsewhere, &patient()).await.unwrap();
    assert_ne!(elsewhere.identity(), f.database.identity());
    let shown = format!("{} {:?}", f.database.identity(), f.database);
    assert!(!shown.contains("larder:larder"), "{shown}");
}

pub(crate) async fn the_server_decides_which_engine_it_is(f: Fixture) {
    for scheme in ["mysql", "mariadb"] {
        let (_, rest) =
            f.url().split_once("://").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let database = open(&format!("{scheme}://{rest}"), &patient()).await.unwrap();
        let is_mariadb = matches!(
            crate::fixture::rows(&database, "SELECT VERSION()").await.rows()[0].value(0),
            Some(Value::Text(version)) if version.contains("MariaDB")
        );
        let expected = if is_mariadb { Engine::MariaDb } else { Engine::MySql };
        assert_eq!(database.engine(), expected, "{scheme}");
    }
}

pub(crate) async fn a_wrong_password_is_refused_and_not_shown(f: Fixture) {
    let error = open(&f.url_as("larder", "hunter2"), &patient()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Authentication), "{error:?}");
    assert!(!error.is_retryable());
    assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));
    let nowhere = f.url().replace(&*f.name, "no_such_database");
    let error = open(&nowhere, &patient()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::MissingDatabase), "{error:?}");
}

pub(crate) async fn a_port_without_a_server_is_refused(f: Fixture) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = f.url().replace(&f.place(), &place).replace("larder:larder", "larder:hunter2");
    let error = open(&url, &patient()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    assert!(error.is_retryable());
    assert!(!shown(&error).contains("hunter2"));
}

/// PostgreSQL and Redis wait for the client to speak first, as this client waits for the server.
pub(crate) async fn a_server_of_another_kind_does_not_hang(f: Fixture) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = f.url().replace(&f.place(), &listener.local_addr().unwrap().to_string());
    let options = DatabaseOptions::default().with_acquire_timeout(Duration::from_millis(200));
    let silent = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let error = open(&url, &options).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    assert!(shown(&error).contains("did not answer in time"), "{error:?}");
    silent.abort();
}

pub(crate) async fn a_server_that_closes_at_once_is_an_error(f: Fixture) {
    for greeting in [&b""[..], b"-ERR unknown command\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = f.url().replace(&f.place(), &listener.local_addr().unwrap().to_string());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting).await.unwrap();
        });
        let error = open(&url, &patient()).await.unwrap_err();
        assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection), "{error:?}");
        server.await.unwrap();
    }
}

pub(crate) async fn health_says_what_was_found(f: Fixture) {
    let health = f.database.health().await.unwrap();
    assert!(health.server.starts_with(&f.engine().to_string()), "{}", health.server);
    let fact = |name: &str| health.facts.iter().find(|fact| fact.name == name).unwrap();
    assert_eq!(fact("time zone of the session").value, "+00:00");
    assert_eq!(fact("encryption").value, "none");
    assert!(fact("connections at most").value.parse::<u64>().unwrap() > 0);
    assert!(fact("account").value.starts_with("larder@"));
    assert_eq!(fact("isolation level").value, "REPEATABLE-READ");
    assert_eq!(fact("lock wait timeout undoes").value, "the statement");
    assert!(health.advice.is_empty(), "{:?}", health.advice);
    assert!(health.latency > Duration::ZERO);
}

pub(crate) async fn quotes_mean_what_they_did_whatever_a_session_sets(f: Fixture) {
    f.run("SET SESSION sql_mode = 'ANSI_QUOTES'").await;
    assert_eq!(f.value("SELECT \"a\"").await, Value::Text("a".into()));
}

pub(crate) async fn after_closing_nothing_works(f: Fixture) {
    let database = f.open(&DatabaseOptions::default()).await;
    let transaction = database.begin().await.unwrap();
    let closing = tokio::spawn({
        let database = database.clone();
        async move { database.close().await }
    });
    transaction.rollback().await.unwrap();
    closing.await.unwrap();
    let error = database.execute("SELECT 1", &Params::new()).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    assert!(database.begin().await.is_err());
}

pub(crate) async fn no_free_connection_is_reported_as_such(f: Fixture) {
    let options = patient().with_connections_max(1);
    let database = f.open(&options.with_acquire_timeout(Duration::from_secs(3))).await;
    let held = database.begin().await.unwrap();
    let error = database.begin().await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::PoolTimeout));
    held.rollback().await.unwrap();
    database.begin().await.unwrap().rollback().await.unwrap();
}

pub(crate) async fn a_connection_that_the_server_closed_is_replaced(f: Fixture) {
    let database = f.open(&DatabaseOptions::default().with_connections_max(1)).await;
    f.run("CREATE TABLE t (a INT)").await;
    for statement in ["read", "begin", "write"] {
        let id = number(&database, "SELECT CONNECTION_ID()").await;
        f.run(&format!("KILL {id}")).await;
        let gone = async || {
            let sql =
                format!("SELECT count(*) FROM information_schema.processlist WHERE id = {id}");
            f.number(&sql).await == 0
        };
        crate::fixture::eventually("the connection is gone", gone).await;
        match statement {
            "read" => assert_eq!(number(&database, "SELECT 7").await, 7),
            "begin" => database.begin().await.unwrap().rollback().await.unwrap(),
            _ => {
                // It may have taken effect, for all that can be told, and is not repeated.
                let insert = database.execute("INSERT INTO t VALUES (1)", &Params::new()).await;
                let error = insert.unwrap_err();
                assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
                run_on(&database, "INSERT INTO t VALUES (2)").await;
            }
        }
    }
    assert_eq!(f.number("SELECT sum(a) FROM t").await, 2);
}

pub(crate) async fn connections_are_bounded_and_reused(f: Fixture) {
    let database = f.open(&DatabaseOptions::default().with_connections_max(3)).await;
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { number(&database, "SELECT CONNECTION_ID()").await })
        })
        .collect();
    let mut connections = std::collections::BTreeSet::new();
    for task in tasks {
        connections.insert(task.await.unwrap());
    }
    assert!(connections.len() <= 3, "{connections:?}");
}
