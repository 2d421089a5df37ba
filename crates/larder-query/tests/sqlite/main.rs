//! The SQLite driver against real files and databases in memory.

#![cfg(feature = "sqlite")]

mod connecting;
mod statements;
mod transactions;

use larder_query::{Database, DatabaseOptions, Params, QueryError, Row, RowLimit, RowSet};
use tempfile::TempDir;

/// A database in a file of its own, which is deleted in the end.
struct Fixture {
    database: Database,
    directory: TempDir,
}

impl Fixture {
    async fn new(options: &DatabaseOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = open(&directory, "?mode=rwc", options).await.unwrap();
        Self { database, directory }
    }
}

fn url(directory: &TempDir, parameters: &str) -> String {
    format!("sqlite://{}/test.db{parameters}", directory.path().display())
}

async fn open(
    directory: &TempDir,
    parameters: &str,
    options: &DatabaseOptions,
) -> Result<Database, QueryError> {
    Database::connect(&url(directory, parameters).parse()?, options).await
}

async fn memory() -> Database {
    let url = "sqlite::memory:".parse().unwrap();
    Database::connect(&url, &DatabaseOptions::default()).await.unwrap()
}

async fn run(database: &Database, sql: &str) {
    database.execute(sql, &Params::new()).await.unwrap();
}

async fn rows(database: &Database, sql: &str) -> RowSet {
    database.fetch(sql, &Params::new(), RowLimit::All).await.unwrap()
}

/// The value of a statement that returns one row of one column.
async fn number(database: &Database, sql: &str) -> i64 {
    rows(database, sql).await.rows().first().map(Row::to).unwrap().unwrap()
}
