//! Statements outside of transactions, and what is common to those inside.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, SqlSafeStr as _, SqliteConnection,
    Statement as _, sqlite::SqlitePool,
};

use super::{
    arguments::arguments,
    begin, connect, error, identity, rows,
    scan::{Scan, Verb, scan},
};
use crate::{
    Columns, DatabaseIdentity, DatabaseOptions, DatabaseUrl, Engine, Executed, Params, QueryError,
    RowLimit, RowSet,
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
        let target = connect::Target::parse(url)?;
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
        fetch(&mut *self.acquire().await?, sql, params, limit).await
    }

    async fn execute(&self, sql: &str, params: &Params) -> Result<Executed, QueryError> {
        refuse_transactions(sql)?;
        execute(&mut *self.acquire().await?, sql, params).await
    }

    async fn begin(&self) -> Result<Box<dyn DriverTransaction>, QueryError> {
        let transaction = begin::begin(self.acquire().await?, self.read_only).await?;
        Ok(Box::new(transaction))
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
    let query = query(sql, params, &scan)?;
    let set = match limit {
        RowLimit::All => {
            let mut stream = connection.fetch_many(query);
            let mut set: Option<RowSet> = None;
            let mut ended = false;
            while let Some(item) = stream.try_next().await.map_err(error::map)? {
                let Either::Right(row) = item else {
                    ended = set.is_some();
                    continue;
                };
                if ended {
                    return Err(QueryError::SeveralResults);
                }
                let values = rows::values(&row)?;
                set.get_or_insert_with(|| RowSet::new(rows::columns(sqlx::Row::columns(&row))))
                    .push(values);
            }
            set
        }
        RowLimit::One => match query.fetch_optional(&mut *connection).await.map_err(error::map)? {
            Some(row) => {
                let mut set = RowSet::new(rows::columns(sqlx::Row::columns(&row)));
                set.push(rows::values(&row)?);
                Some(set)
            }
            None => None,
        },
    };
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
    let mut stream = connection.fetch_many(query(sql, params, &scan)?);
    let mut outcomes = Vec::with_capacity(1);
    while let Some(item) = stream.try_next().await.map_err(error::map)? {
        if let Either::Left(outcome) = item {
            outcomes.push(outcome);
        }
    }
    // SQLite repeats the last count for statements that change nothing. The bodies of triggers
    // look like statements, and then nothing is known about which count belongs to which.
    let mut executed = Executed::default();
    if outcomes.len() == scan.verbs.len() {
        for (verb, outcome) in scan.verbs.iter().zip(&outcomes) {
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

type Query = sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn query(sql: &str, params: &Params, scan: &Scan) -> Result<Query, QueryError> {
    let arguments = arguments(params, scan.parameters)?;
    // The statement is the caller's, who is as free to write it as with any driver; values come
    // as parameters. With a star the cached statement would go on to know the old columns, and
    // the driver's thread panics when there is one more.
    Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(!scan.star))
}
