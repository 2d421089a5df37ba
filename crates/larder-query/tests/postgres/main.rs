//! The driver for PostgreSQL, against a real server.
#![cfg(feature = "postgres")]

mod postgres;
#[cfg(feature = "tls-rustls")]
mod postgres_tls;
mod postgres_unix;

use larder_query::{Database, DatabaseOptions, Params, QueryError, RowLimit, RowSet};

/// The URL of a setup.
fn url(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` starts the servers"))
}

/// A URL with one more parameter.
fn with(url: &str, parameter: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{parameter}")
}

async fn open(url: &str, options: &DatabaseOptions) -> Result<Database, QueryError> {
    Database::connect(&url.parse()?, options).await
}

/// A database of its own on the server, dropped in the end.
struct Fixture {
    server: String,
    name: String,
    database: Database,
}

impl Fixture {
    async fn new() -> Self {
        Self::with_options(&DatabaseOptions::default()).await
    }

    async fn with_options(options: &DatabaseOptions) -> Self {
        Self::on("LARDER_POSTGRES_URL", options).await
    }

    async fn on(variable: &str, options: &DatabaseOptions) -> Self {
        let server = url(variable);
        let name = random_name();
        let admin = open(&server, &DatabaseOptions::default()).await.unwrap();
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        admin.close().await;
        let database = open(&with(&server, &format!("dbname={name}")), options).await.unwrap();
        Self { server, name, database }
    }

    fn url(&self) -> String {
        with(&self.server, &format!("dbname={}", self.name))
    }

    /// Another pool, as another program has it.
    async fn again(&self) -> Database {
        self.with_parameter("application_name=other").await
    }

    async fn with_parameter(&self, parameter: &str) -> Database {
        open(&with(&self.url(), parameter), &DatabaseOptions::default()).await.unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let admin = open(&server, &DatabaseOptions::default()).await.unwrap();
                run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        // A test that failed already says why; this would hide it.
        let _ = cleaner.join();
    }
}

fn random_name() -> String {
    let bytes = larder_core::Epoch::random().as_bytes().to_owned();
    bytes.iter().fold("larder_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

async fn run(database: &Database, sql: &str) {
    let outcome = database.execute(sql, &Params::new()).await;
    outcome.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn rows(database: &Database, sql: &str) -> RowSet {
    let outcome = database.fetch(sql, &Params::new(), RowLimit::All).await;
    outcome.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

async fn number(database: &Database, sql: &str) -> i64 {
    rows(database, sql).await.to::<i64>().unwrap().into_iter().sum()
}
