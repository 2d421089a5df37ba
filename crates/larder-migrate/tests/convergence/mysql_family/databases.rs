//! Databases of one's own on a server.

use larder_migrate::{Connector, Session, UrlConnector};

/// A database under a random name, and the URL that leads to it.
struct Database {
    name: String,
    url: String,
    server: String,
}

impl Database {
    /// Makes one on the server that a variable names.
    async fn create(variable: &str) -> Self {
        let server = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set; `cargo xtask test` starts the servers")
        });
        let name = format!("larder_c_{:016x}", rand::random::<u64>());
        let (place, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (authority, _) = place.rsplit_once('/').unwrap();
        let url = format!("{authority}/{name}?{parameters}");
        let mut session = open(&server).await;
        // Another default than that of the tables that models make.
        let sql = format!("CREATE DATABASE {name} COLLATE utf8mb4_general_ci");
        session.run(&sql).await.unwrap();
        session.close().await;
        Self { name, url, server }
    }

    async fn drop(self) {
        let mut session = open(&self.server).await;
        session.run(&format!("DROP DATABASE {}", self.name)).await.unwrap();
        session.close().await;
    }
}

pub(crate) async fn open(url: &str) -> Box<dyn Session> {
    UrlConnector::new(url).connect().await.unwrap()
}

/// Runs a test with databases of its own, which are dropped whether it passes or not.
pub(crate) async fn with_databases<const N: usize, F>(
    variable: &str,
    test: impl FnOnce([String; N]) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut databases = Vec::new();
    for _ in 0..N {
        databases.push(Database::create(variable).await);
    }
    let urls: Vec<_> = databases.iter().map(|database| database.url.clone()).collect();
    let outcome = tokio::spawn(test(urls.try_into().unwrap())).await;
    for database in databases {
        database.drop().await;
    }
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}
