//! Databases of a test's own, dropped after it whether it passed or not.

use std::{env, panic::resume_unwind};

use larder_migrate::{Connector as _, Session, UrlConnector};

fn server() -> String {
    env::var("LARDER_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("LARDER_POSTGRES_URL is not set; `cargo xtask test` starts the servers")
    })
}

/// The server's URL with another database.
fn url_of(database: &str) -> String {
    let server = server();
    let (place, parameters) = match server.split_once('?') {
        Some((place, parameters)) => (place.to_owned(), format!("?{parameters}")),
        None => (server, String::new()),
    };
    let authority = place.find("://").map_or(0, |at| at + 3);
    let end = place[authority..].find('/').map_or(place.len(), |at| authority + at);
    format!("{}/{database}{parameters}", &place[..end])
}

/// The same database as the superuser of the servers that `cargo xtask test` starts.
#[allow(dead_code, reason = "few tests need the right to everything")]
pub(crate) fn as_superuser(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_username("postgres").unwrap();
    url.set_password(Some("larder")).unwrap();
    url.into()
}

async fn open(url: &str) -> Box<dyn Session> {
    UrlConnector::new(url).connect().await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Runs a test with the URLs of `N` empty databases.
pub(crate) async fn with_databases<const N: usize, F>(test: impl FnOnce([String; N]) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let names: [String; N] =
        std::array::from_fn(|_| format!("larder_test_{:016x}", rand::random::<u64>()));
    let mut session = open(&server()).await;
    for name in &names {
        session.run(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    }
    let done = tokio::spawn(test(names.clone().map(|name| url_of(&name)))).await;
    for name in &names {
        session.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    }
    if let Err(failed) = done {
        resume_unwind(failed.into_panic());
    }
}

/// Runs a test with a session with an empty database.
#[allow(dead_code, reason = "tests of pairs of databases have two")]
pub(crate) async fn with_session<F>(
    test: impl FnOnce(Box<dyn Session>, String) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    with_databases(|[url]: [String; 1]| async move {
        let session = open(&url).await;
        test(session, url).await;
    })
    .await;
}
