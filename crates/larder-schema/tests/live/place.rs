//! A database of a test's own, and the ways to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use larder_migrate::{Connector as _, MigrateOptions, Migrator, UrlConnector};
use larder_schema::{BackOff, Schema, SchemaOptions};

/// A database that nobody else uses, gone when the test is over.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) url: String,
    /// What ends it: a folder, or a server and a statement.
    end: End,
}

#[derive(Debug)]
enum End {
    Folder { _folder: tempfile::TempDir },
    Server { url: String, sql: String },
}

impl Place {
    pub(crate) fn in_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("live.db").display());
        Self { url, end: End::Folder { _folder: folder } }
    }

    /// A database on the server that the variable names.
    pub(crate) async fn on_server(variable: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set; `cargo xtask test` starts the servers")
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("larder_schema_{}_{number}", std::process::id());
        run(&server, &format!("CREATE DATABASE {name}")).await;
        let (rest, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (rest, _) = rest.rsplit_once('/').unwrap();
        let mut url = format!("{rest}/{name}");
        if !parameters.is_empty() {
            url = format!("{url}?{parameters}");
        }
        let force = if variable.contains("POSTGRES") { " WITH (FORCE)" } else { "" };
        let sql = format!("DROP DATABASE {name}{force}");
        Self { url, end: End::Server { url: server, sql } }
    }

    /// A handle as another process would have it.
    pub(crate) async fn process(&self) -> Schema {
        self.process_with(options()).await
    }

    pub(crate) async fn process_with(&self, options: SchemaOptions) -> Schema {
        self.process_at(&self.url, options).await
    }

    pub(crate) async fn process_at(&self, url: &str, options: SchemaOptions) -> Schema {
        let connector = Arc::new(UrlConnector::new(url));
        let migrator = Migrator::new(connector, MigrateOptions::default());
        Schema::open(Arc::new(migrator), options).await.unwrap()
    }

    /// Does what somebody else would do.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.url, sql).await;
    }

    pub(crate) async fn end(self) {
        if let End::Server { url, sql } = self.end {
            run(&url, &sql).await;
        }
    }
}

pub(crate) fn options() -> SchemaOptions {
    SchemaOptions::default().with_back_off(BackOff::NONE).with_max_size(1_000)
}

async fn run(url: &str, sql: &str) {
    let mut session = UrlConnector::new(url).connect().await.unwrap();
    session.run(sql).await.unwrap();
    session.close().await;
}

/// Does it again until it is so; databases that count changes tell of them a moment later.
pub(crate) async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let come = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), come).await.expect("it did not come to pass");
}
