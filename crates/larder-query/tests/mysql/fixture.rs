//! A database of its own for each case.

use std::{
    future::Future,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use larder_query::{
    Database, DatabaseOptions, Engine, Params, QueryError, Row, RowLimit, RowSet, Value,
};

/// A database on a live server, which is dropped in the end.
#[derive(Clone)]
pub(crate) struct Fixture {
    /// What the setup's variable says.
    base: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) database: Database,
}

/// The URL of a setup.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` starts the servers"))
}

/// Runs a case and removes its database, also if it fails.
pub(crate) async fn run<F>(setup: &str, case: impl FnOnce(Fixture) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let fixture = Fixture::new(&variable(setup)).await;
    let outcome = tokio::spawn(case(fixture.clone())).await;
    fixture.run(&format!("DROP DATABASE IF EXISTS {}", fixture.name)).await;
    fixture.database.close().await;
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

impl Fixture {
    pub(crate) async fn new(base: &str) -> Self {
        let name = format!("larder_t_{:016x}", random());
        let admin = open(base, &DatabaseOptions::default()).await.unwrap();
        run_on(&admin, &format!("CREATE DATABASE {name}")).await;
        admin.close().await;
        let database = open(&with_database(base, &name), &DatabaseOptions::default()).await;
        Self { base: base.into(), name: name.into(), database: database.unwrap() }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.database.engine()
    }

    pub(crate) fn is_mariadb(&self) -> bool {
        self.engine() == Engine::MariaDb
    }

    /// The URL of the case's database.
    pub(crate) fn url(&self) -> String {
        with_database(&self.base, &self.name)
    }

    /// The same for another account.
    pub(crate) fn url_as(&self, account: &str, password: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, place) = rest.rsplit_once('@').unwrap();
        format!("{scheme}://{account}:{password}@{place}")
    }

    /// The host and port of the server.
    pub(crate) fn place(&self) -> String {
        let (_, rest) = self.base.split_once('@').unwrap();
        rest.split('/').next().unwrap().to_owned()
    }

    /// Another pool of connections to the same database.
    pub(crate) async fn open(&self, options: &DatabaseOptions) -> Database {
        open(&self.url(), options).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        run_on(&self.database, sql).await;
    }

    pub(crate) async fn rows(&self, sql: &str) -> RowSet {
        rows(&self.database, sql).await
    }

    /// The value of a statement that returns one row of one column.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        number(&self.database, sql).await
    }

    /// The only value of the only row.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        self.rows(sql).await.into_rows().remove(0).into_values().remove(0)
    }
}

pub(crate) async fn open(url: &str, options: &DatabaseOptions) -> Result<Database, QueryError> {
    Database::connect(&url.parse()?, options).await
}

pub(crate) async fn run_on(database: &Database, sql: &str) {
    if let Err(error) = database.execute(sql, &Params::new()).await {
        panic!("{sql}: {error:?}");
    }
}

pub(crate) async fn rows(database: &Database, sql: &str) -> RowSet {
    match database.fetch(sql, &Params::new(), RowLimit::All).await {
        Ok(rows) => rows,
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

pub(crate) async fn number(database: &Database, sql: &str) -> i64 {
    rows(database, sql).await.rows().first().map(Row::to).unwrap().unwrap()
}

/// Polls until a condition holds; fails after a long time.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    for _ in 0..2_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("it never came to this: {what}");
}

fn with_database(base: &str, name: &str) -> String {
    let (start, parameters) = match base.split_once('?') {
        Some((start, parameters)) => (start, format!("?{parameters}")),
        None => (base, String::new()),
    };
    let (server, _) = start.rsplit_once('/').unwrap();
    format!("{server}/{name}{parameters}")
}

pub(crate) fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    #[expect(clippy::disallowed_methods, reason = "it is only there to differ")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    RandomState::new().hash_one(now)
}
