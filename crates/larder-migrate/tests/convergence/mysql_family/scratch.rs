//! Databases of one's own on a server.

use std::panic::AssertUnwindSafe;

use larder_migrate::{Connector, Session, Target, UrlConnector, normalise};
use larder_model::{Catalog, Dialect, Lowered};

use crate::harness::{Pair, Scratch, converge};

/// A database under a random name, and the URL that leads to it.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
    server: String,
}

impl Database {
    /// Makes one on the server that a variable names.
    pub(crate) async fn create(variable: &str) -> Self {
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

    pub(crate) async fn open(&self) -> Box<dyn Session> {
        open(&self.url).await
    }

    pub(crate) async fn drop(self) {
        let mut session = open(&self.server).await;
        session.run(&format!("DROP DATABASE {}", self.name)).await.unwrap();
        session.close().await;
    }
}

async fn open(url: &str) -> Box<dyn Session> {
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
    let outcome = tokio::spawn(AssertUnwindSafe(test(urls.try_into().unwrap())).0).await;
    for database in databases {
        database.drop().await;
    }
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Has a plan lead from one schema to another, and back if `both`.
pub(crate) async fn check(
    variable: &'static str,
    name: &'static str,
    from: &'static str,
    to: &'static str,
    both: bool,
) {
    let directions = if both { vec![(from, to), (to, from)] } else { vec![(from, to)] };
    for (current, desired) in directions {
        with_databases(variable, async move |[one, other]: [String; 2]| {
            let pair = Pair { name, current, desired };
            let mut current = Scratch::open(&one).await;
            let mut desired = Scratch::open(&other).await;
            converge(&pair, &mut current, &mut desired).await;
            recreate(&mut desired, &one).await;
        })
        .await;
    }
}

/// What a description is, a table made from it is as well, and so is a temporary one: nothing of
/// it was lost.
async fn recreate(desired: &mut Scratch, scratch: &str) {
    let wanted = desired.look().await;
    let mut session = open(scratch).await;
    let models: Vec<_> = wanted
        .tables
        .iter()
        .filter(|table| table.opaque.is_none())
        .map(|table| Lowered { enums: Vec::new(), table: table.clone() })
        .collect();
    let expected = Catalog {
        enums: Vec::new(),
        tables: models.iter().map(|model| model.table.clone()).collect(),
    };
    let found = normalise(&mut *session, models).await.unwrap();
    assert_eq!(
        without_names(found, session.dialect()),
        without_names(expected, desired.session.dialect()),
    );
}

/// Names of checks that the server made up are others in another table.
fn without_names(mut catalog: Catalog, _: Dialect) -> Catalog {
    for table in &mut catalog.tables {
        for check in &mut table.checks {
            check.name = None;
        }
        table.checks.sort_by(|one, other| one.expression.cmp(&other.expression));
    }
    catalog
}

/// The tables of the current database.
pub(crate) async fn look(session: &mut dyn Session) -> Catalog {
    larder_migrate::introspect(session, &Target::Schema(None)).await.unwrap()
}
