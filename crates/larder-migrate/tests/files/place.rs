//! A database of a test's own, and what tests ask it.

use std::{path::Path, sync::Arc, time::Duration};

use larder_migrate::{
    Cell, Connector, FileReport, FileRunError, FileStanding, FileVersion, MigrateOptions,
    MigrationFiles, Migrator, Session, UpOptions, UrlConnector,
};
use rand::RngExt as _;

/// A database of a test's own, dropped at its end if the test passes.
#[derive(Debug)]
pub(crate) struct Place {
    connector: Arc<dyn Connector>,
    server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

/// Where the database was created.
#[derive(Debug)]
struct Server {
    connector: Arc<dyn Connector>,
    drop: String,
}

impl Place {
    /// A file of SQLite's.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "there is no such test"))]
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        Self { connector: sqlite(&path), server: None, _folder: Some(folder) }
    }

    /// A database on the server that the variable names; `name` stands for the database in what
    /// creates and drops it.
    pub(crate) async fn on_server(variable: &str, create: &str, drop: &str) -> Self {
        let url = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set; `cargo xtask test` starts the servers")
        });
        let number: u64 = rand::rng().random();
        let name = format!("files_{number:016x}");
        let server: Arc<dyn Connector> = Arc::new(UrlConnector::new(&url));
        let mut session = server.connect().await.unwrap();
        session.run(&create.replace("name", &name)).await.unwrap();
        session.close().await;
        // The database is the last part of the URL's path.
        let (rest, query) = url.split_once('?').map_or((&*url, ""), |(rest, query)| (rest, query));
        let base = rest.rsplit_once('/').unwrap().0;
        let own = format!("{base}/{name}{}{query}", if query.is_empty() { "" } else { "?" });
        Self {
            connector: Arc::new(UrlConnector::new(own)),
            server: Some(Server { connector: server, drop: drop.replace("name", &name) }),
            _folder: None,
        }
    }

    pub(crate) fn options() -> MigrateOptions {
        MigrateOptions::new()
            .with_lock_timeout(Duration::from_secs(60))
            .with_lease(Duration::from_secs(2))
    }

    /// A migrator as another process would have it.
    pub(crate) fn migrator(&self) -> Migrator {
        self.migrator_with(Self::options())
    }

    pub(crate) fn migrator_with(&self, options: MigrateOptions) -> Migrator {
        Migrator::new(Arc::clone(&self.connector), options)
    }

    pub(crate) async fn session(&self) -> Box<dyn Session> {
        self.connector.connect().await.unwrap()
    }

    /// Runs a statement as somebody else would.
    pub(crate) async fn run(&self, sql: &str) {
        let mut session = self.session().await;
        session.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        session.close().await;
    }

    /// The single integer that a query returns, or `None` if it fails.
    pub(crate) async fn integer(&self, sql: &str) -> Option<i64> {
        let mut session = self.session().await;
        let rows = session.fetch(sql, &[]).await;
        session.close().await;
        rows.ok()?.first()?.first().and_then(Cell::as_integer)
    }

    /// How many rows a table has; `None` if it is not there.
    pub(crate) async fn count(&self, table: &str) -> Option<i64> {
        self.integer(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub(crate) async fn up(&self, files: &MigrationFiles) -> Result<FileReport, FileRunError> {
        self.migrator().up(files, &UpOptions::new()).await
    }

    /// Runs files that must run.
    pub(crate) async fn up_all(&self, files: &MigrationFiles) -> Vec<String> {
        let report = self.up(files).await.unwrap_or_else(|error| panic!("{}", told(&error)));
        texts(&report)
    }

    pub(crate) async fn standings(&self, files: &MigrationFiles) -> Vec<(String, &'static str)> {
        let standings = self.migrator().file_standings(files).await.unwrap();
        let pair = |one: &FileStanding| (one.version.to_string(), one.state.as_str());
        standings.iter().map(pair).collect()
    }

    /// Drops the database.
    pub(crate) async fn close(self) {
        let Some(Server { connector, drop }) = self.server else { return };
        let mut session = connector.connect().await.unwrap();
        session.run(&drop).await.unwrap();
        session.close().await;
    }
}

fn sqlite(path: &Path) -> Arc<dyn Connector> {
    Arc::new(UrlConnector::new(format!("sqlite://{}?mode=rwc", path.display())))
}

pub(crate) fn files(texts: &[(&str, &str)]) -> MigrationFiles {
    MigrationFiles::from_texts(texts.iter().copied()).unwrap()
}

pub(crate) fn version(text: &str) -> FileVersion {
    FileVersion::parse(text).unwrap()
}

pub(crate) fn texts(report: &FileReport) -> Vec<String> {
    report.versions().iter().map(ToString::to_string).collect()
}

/// An error with all of its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
