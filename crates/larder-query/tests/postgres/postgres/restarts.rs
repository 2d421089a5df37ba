//! A server that goes away and comes back, under a pool that is in use.

use std::{sync::Arc, time::Duration};

use larder_query::{
    Database, DatabaseErrorKind, DatabaseOptions, Params, Queries, RowLimit,
    larder_cache::{Cache, Near},
};
use larder_services::{Service, Setup};

use crate::{number, open, run};

/// A server of its own.
async fn server() -> Arc<Service> {
    let service = tokio::task::spawn_blocking(|| larder_services::start(Setup::Postgres));
    Arc::new(service.await.unwrap().unwrap())
}

/// Does something to the server that blocks.
async fn to(server: &Arc<Service>, what: impl FnOnce(&Service) + Send + 'static) {
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || what(&server)).await.unwrap();
}

async fn database(server: &Service) -> Database {
    let options = DatabaseOptions::default()
        .with_connections_max(4)
        .with_acquire_timeout(Duration::from_secs(60));
    open(server.url(), &options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn readers_go_on_after_a_restart_without_an_error() {
    let server = server().await;
    let database = database(&server).await;
    run(&database, "CREATE TABLE t (n int8); INSERT INTO t VALUES (7)").await;
    let identity = database.identity().clone();
    for _ in 0..2 {
        // All connections are open and idle.
        let readers = (0..4).map(|_| number(&database, "SELECT n FROM t"));
        assert_eq!(futures_util::future::join_all(readers).await, [7; 4]);
        to(&server, |server| server.restart().unwrap()).await;
        let readers = (0..4).map(|_| number(&database, "SELECT n FROM t"));
        assert_eq!(futures_util::future::join_all(readers).await, [7; 4]);
        run(&database, "UPDATE t SET n = 7").await;
    }
    let again = open(server.url(), &DatabaseOptions::default()).await.unwrap();
    assert_eq!(again.identity(), &identity, "also across restarts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn while_the_server_is_away_hits_are_served_and_misses_say_why() {
    let server = server().await;
    let database = database(&server).await;
    run(&database, "CREATE TABLE t (n int8); INSERT INTO t VALUES (7)").await;
    let cache = Cache::builder().near(Near::mebibytes(1)).build().unwrap();
    let queries = Queries::new(database.clone(), cache);
    let read = || queries.query("SELECT n FROM t").fetch_scalar::<i64>();
    read().await.unwrap();
    to(&server, Service::stop).await;
    assert!(read().await.unwrap().source().is_hit());
    let miss = queries.query("SELECT n + 1 FROM t").fetch_scalar::<i64>().await.unwrap_err();
    assert_eq!(miss.database_kind(), Some(DatabaseErrorKind::Connection), "{miss:?}");
    assert!(miss.is_retryable());
    // Nobody can tell whether it is a function that writes; it did not run.
    let call = queries.query("SELECT unheard_of()").fetch_scalar::<i64>().await.unwrap_err();
    assert_eq!(call.database_kind(), Some(DatabaseErrorKind::Connection), "{call:?}");
    assert!(read().await.unwrap().source().is_hit(), "nothing was invalidated");
    to(&server, |server| server.restart().unwrap()).await;
    assert_eq!(*queries.query("SELECT n + 1 FROM t").fetch_scalar::<i64>().await.unwrap(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a live service"]
async fn a_server_that_does_not_answer_holds_nobody_for_longer_than_the_limit() {
    let server = server().await;
    let database = database(&server).await;
    to(&server, Service::pause).await;
    let options = DatabaseOptions::default().with_acquire_timeout(Duration::from_millis(500));
    let error = open(server.url(), &options).await.unwrap_err();
    assert_eq!(error.database_kind(), Some(DatabaseErrorKind::Connection));
    let none = Params::new();
    let never = database.fetch("SELECT 1", &none, RowLimit::All);
    assert!(tokio::time::timeout(Duration::from_millis(500), never).await.is_err());
    to(&server, Service::resume).await;
    assert_eq!(number(&database, "SELECT 7").await, 7);
}
