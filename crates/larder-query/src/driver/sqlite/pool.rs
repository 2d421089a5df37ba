//! Statements outside of transactions, and what is common to those inside.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{TryStreamExt as _, stream::BoxStream};
use larder_core::{Clock as _, Health, SystemClock};
use larder_database_url::SqliteTarget;
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, Row as _, SqlSafeStr as _,
    SqliteConnection, Statement as _,
    sqlite::{SqlitePool, SqliteQueryResult, SqliteRow},
};

use super::{
    arguments::arguments,
    begin, connect, error, identity, rows,
    scan::{Scan, Verb, scan},
};
use crate::{
    Columns, DatabaseError, DatabaseIdentity, DatabaseOptions, DatabaseUrl, Engine, Executed,
    Params, QueryError, RowLimit, RowSet,
    driver::{Driver, DriverTransaction},
};

/// A pool of connections to one SQLite database.
#[derive(Debug)]
pub(in crate::driver) struct SqliteDriver {
    pool: SqlitePool,
    identity: DatabaseIdentity,
    read_only: bool,
}

impl SqliteDriver {
    pub(in crate::driver) async fn connect(
        url: &DatabaseUrl,
        options: &DatabaseOptions,
    ) -> Result<Self, QueryError> {
        let target = SqliteTarget::parse(url)?;
        let pool = connect::open(&target, options).await?;
        let identity = identity::ask(&pool).await?;
        Ok(Self { pool, identity, read_only: target.read_only() })
    }

    async fn acquire(&self) -> Result<begin::PooledConnection, QueryError> {
        self.pool.acquire().await.map_err(|source| error::map(source).into())
    }
}

#[async_trait]
impl Driver for SqliteDriver {
    async fn fetch(
        &self,
        sql: &str,
        params: &Params,
        limit: RowLimit,
    ) -> Result<RowSet, QueryError> {
        refuse_transactions(sql)?;
        let mut connection = self.acquire().await?;
        let outcome = fetch(&mut connection, sql, params, limit).await;
        abandon_if_dead(connection, outcome)
    }

    async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        refuse_transactions(sql)?;
        let mut connection = self.acquire().await?;
        let outcome = execute(&mut connection, sql, params).await;
        abandon_if_dead(connection, outcome)
    }

    async fn begin(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        let transaction = begin::begin(self.acquire().await?, self.read_only).await?;
        Ok(Box::new(transaction))
    }

    async fn begin_unenforced(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        let transaction = begin::begin_unenforced(self.acquire().await?, self.read_only).await?;
        Ok(Box::new(transaction))
    }

    async fn health(&self) -> Result<Health, QueryError> {
        let clock = SystemClock::new();
        let before = clock.now();
        let sql = "SELECT sqlite_version(), journal_mode FROM pragma_journal_mode";
        let set = self.fetch(sql, &Params::new(), RowLimit::One).await?;
        let latency = clock.now().since(before);
        let (version, journal) = match set.rows().first() {
            Some(row) => row.to::<(String, String)>()?,
            None => Default::default(),
        };
        let health = Health::new(latency, format!("SQLite {version}"));
        Ok(health.with_fact("journal mode", journal))
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    fn identity(&self) -> &DatabaseIdentity {
        &self.identity
    }

    fn engine(&self) -> Engine {
        Engine::Sqlite
    }
}

/// Keeps a connection whose thread died from going back to the pool, which would wait for an
/// answer that never comes.
fn abandon_if_dead<T>(
    connection: begin::PooledConnection,
    outcome: Result<T, QueryError>,
) -> Result<T, QueryError> {
    if outcome.as_ref().is_err_and(error::is_dead) {
        drop(connection.detach());
    }
    outcome
}

/// A transaction that is begun by hand would go on for whoever gets the connection next.
fn refuse_transactions(sql: &str) -> Result<(), QueryError> {
    let control = |verb: &Verb| matches!(verb, Verb::Savepoint | Verb::Transaction);
    if scan(sql)?.verbs.iter().any(control) {
        return Err(QueryError::TransactionControl);
    }
    Ok(())
}

/// Runs a statement and collects its rows.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    sql: &str,
    params: &Params,
    limit: RowLimit,
) -> Result<RowSet, QueryError> {
    let scan = scan(sql)?;
    let mut steps = Steps::run(connection, sql, params, &scan)?;
    let mut set: Option<RowSet> = None;
    let mut ended = false;
    while let Some(step) = steps.next().await? {
        let Either::Right(row) = step else {
            ended = set.is_some();
            continue;
        };
        if ended {
            return Err(QueryError::SeveralResults);
        }
        let values = rows::values(&row)?;
        set.get_or_insert_with(|| RowSet::new(rows::columns(row.columns()))).push(values);
        if limit == RowLimit::One {
            break;
        }
    }
    drop(steps);
    match set {
        Some(set) => Ok(set),
        None => describe(connection, sql, &scan).await.map(RowSet::new),
    }
}

/// The columns of a statement that returned no row.
async fn describe(
    connection: &mut SqliteConnection,
    sql: &str,
    scan: &Scan,
) -> Result<Columns, QueryError> {
    if scan.star {
        // Preparing goes through the cache, which may know the table as it was.
        connection.clear_cached_statements().await.map_err(error::map)?;
    }
    let statement =
        connection.prepare(AssertSqlSafe(sql).into_sql_str()).await.map_err(error::map)?;
    Ok(rows::columns(statement.columns()))
}

/// Runs a statement for what it does.
pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &str,
    params: &Params,
) -> Result<Executed, QueryError> {
    let scan = scan(sql)?;
    let mut steps = Steps::run(connection, sql, params, &scan)?;
    let mut outcomes = Vec::with_capacity(2);
    while let Some(step) = steps.next().await? {
        if let Either::Left(outcome) = step {
            outcomes.push(outcome);
        }
    }
    // SQLite repeats the last count for statements that change nothing. The bodies of triggers
    // look like statements, and then nothing is known about which count belongs to which.
    let outcomes = outcomes.get(probes(&scan)..).unwrap_or_default();
    let mut executed = Executed::default();
    if outcomes.len() == scan.verbs.len() {
        for (verb, outcome) in scan.verbs.iter().zip(outcomes) {
            if !matches!(verb, Verb::Insert | Verb::Update) {
                continue;
            }
            executed.rows_affected += outcome.rows_affected();
            if *verb == Verb::Insert && outcome.rows_affected() > 0 {
                executed.last_insert_id = Some(outcome.last_insert_rowid());
            }
        }
    }
    Ok(executed)
}

/// Reads nothing, but makes SQLite notice that somebody changed the schema.
const PROBE: &str = "SELECT 1 FROM sqlite_schema LIMIT 0;";

/// How many statements go ahead of the caller's.
fn probes(scan: &Scan) -> usize {
    usize::from(scan.star)
}

/// The rows and outcomes of a text of statements.
struct Steps<'a> {
    stream: BoxStream<'a, Result<Either<SqliteQueryResult, SqliteRow>, sqlx::Error>>,
    /// How many outcomes there must be at least.
    owed: usize,
    /// Whether the last step was an outcome.
    ended: bool,
}

impl<'a> Steps<'a> {
    /// Starts the statements.
    ///
    /// The driver takes a statement's columns when it prepares it, but SQLite prepares once more
    /// by itself when it finds that the schema has changed. If a `*` then stands for one more
    /// column, the driver's thread panics. So a text with a star is not taken from the cache of
    /// prepared statements, and it is prepared only after a probe has brought the connection's
    /// view of the schema up to date; the driver prepares the statements of a text one by one.
    fn run(
        connection: &'a mut SqliteConnection,
        sql: &str,
        params: &Params,
        scan: &Scan,
    ) -> Result<Self, QueryError> {
        let arguments = arguments(params, scan.parameters)?;
        // The statement is the caller's, who is as free to write it as with any driver; values
        // come as parameters.
        let text: Arc<str> = if scan.star { [PROBE, sql].concat().into() } else { sql.into() };
        let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(!scan.star);
        let owed = if scan.verbs.is_empty() { 0 } else { 1 + probes(scan) };
        Ok(Self { stream: connection.fetch_many(query), owed, ended: true })
    }

    async fn next(
        &mut self,
    ) -> Result<Option<Either<SqliteQueryResult, SqliteRow>>, DatabaseError> {
        let step = self.stream.try_next().await.map_err(error::map)?;
        match &step {
            Some(Either::Left(_)) => {
                self.owed = self.owed.saturating_sub(1);
                self.ended = true;
            }
            Some(Either::Right(_)) => self.ended = false,
            // The thread died without a word, and what it returned so far is not all.
            None if self.owed > 0 || !self.ended => {
                return Err(error::map(sqlx::Error::WorkerCrashed));
            }
            None => {}
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_dies_is_an_error_and_costs_no_connection() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/t.db?mode=rwc", directory.path().display());
        let options = DatabaseOptions::default().with_connections_max(1);
        let driver = SqliteDriver::connect(&url.parse().unwrap(), &options).await.unwrap();
        let none = Params::new();
        driver.execute("CREATE TABLE t (a)", &none).await.unwrap();
        driver.execute("INSERT INTO t VALUES (1)", &none).await.unwrap();
        // A scan that overlooks the star makes the driver keep the statement's old columns.
        let blind = Scan { parameters: 0, star: false, verbs: [Verb::Other].into_iter().collect() };
        for round in 0..2 {
            let mut connection = driver.acquire().await.unwrap();
            let mut outcome = Ok(());
            for column in ["x", "y"] {
                let mut steps = Steps::run(&mut connection, "SELECT * FROM t", &none, &blind);
                outcome = loop {
                    match steps.as_mut().unwrap().next().await {
                        Ok(Some(_)) => {}
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(QueryError::from(error)),
                    }
                };
                drop(steps);
                if outcome.is_ok() {
                    let alter = format!("ALTER TABLE t ADD COLUMN {column}{round}");
                    execute(&mut connection, &alter, &none).await.unwrap();
                }
            }
            assert!(outcome.as_ref().is_err_and(error::is_dead), "{outcome:?}");
            assert!(abandon_if_dead(connection, outcome).is_err());
        }
        let set = driver.fetch("SELECT * FROM t", &none, RowLimit::All).await.unwrap();
        assert_eq!(set.columns().len(), 3);
    }
}
