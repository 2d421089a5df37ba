//! A database of its own, and a cache over it.

use std::sync::Arc;

use larder_cache::{Cache, Near};
use larder_core::{MemoryBackend, MemoryConfig};
use larder_query::{Database, DatabaseOptions, Params, Queries};

use crate::guard::Recorder;

pub(crate) struct Fixture {
    pub(crate) queries: Queries,
    pub(crate) guard: Arc<Recorder>,
    /// What has to be dropped in the end, and from where.
    admin: Option<(Database, String)>,
    _dir: Option<tempfile::TempDir>,
}

impl Fixture {
    fn over(database: Database, admin: Option<(Database, String)>) -> Self {
        let queries = queries_on(&database);
        let guard = Arc::new(Recorder::new(database));
        assert!(queries.guard_models(Arc::clone(&guard) as _));
        Self { queries, guard, admin, _dir: None }
    }

    /// Another process: the same database and guard, nothing in its near tier.
    pub(crate) fn other_process(&self, far: &Queries) -> Queries {
        let cache = Cache::builder().near(Near::mebibytes(8));
        let cache = cache.far(Arc::clone(far.cache().far().unwrap())).build().unwrap();
        let queries = Queries::new(self.queries.database().clone(), cache);
        assert!(queries.guard_models(Arc::clone(&self.guard) as _));
        queries
    }

    pub(crate) async fn close(self) {
        self.queries.database().close().await;
        if let Some((admin, name)) = self.admin {
            admin.execute(&format!("DROP DATABASE {name}"), &Params::new()).await.unwrap();
            admin.close().await;
        }
    }
}

fn queries_on(database: &Database) -> Queries {
    let far = Arc::new(MemoryBackend::new(MemoryConfig::default()));
    let cache = Cache::builder().near(Near::mebibytes(8)).far(far).build().unwrap();
    Queries::new(database.clone(), cache)
}

async fn open(url: &str) -> Database {
    Database::connect(&url.parse().unwrap(), &DatabaseOptions::default()).await.unwrap()
}

#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("a.db").display());
    let fixture = Fixture::over(open(&url).await, None);
    Fixture { _dir: Some(dir), ..fixture }
}

#[cfg(feature = "postgres")]
pub(crate) async fn postgres() -> Fixture {
    on_server("LARDER_POSTGRES_URL").await
}

#[cfg(feature = "mysql")]
pub(crate) async fn mysql() -> Fixture {
    on_server("LARDER_MYSQL_URL").await
}

#[cfg(feature = "mysql")]
pub(crate) async fn mariadb() -> Fixture {
    on_server("LARDER_MARIADB_URL").await
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn on_server(variable: &str) -> Fixture {
    let base = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; `cargo xtask test` starts the servers"));
    let (start, parameters) = base.split_once('?').unwrap_or((&base, ""));
    let (server, _) = start.rsplit_once('/').unwrap();
    let name = format!("larder_table_{}", uuid::Uuid::new_v4().simple());
    let admin = open(&base).await;
    admin.execute(&format!("CREATE DATABASE {name}"), &Params::new()).await.unwrap();
    let database = open(&format!("{server}/{name}?{parameters}")).await;
    Fixture::over(database, Some((admin, name)))
}
