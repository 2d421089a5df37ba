//! A connection to SQLite.
//!
//! Guards against three silences of the
//! driver: a parameter that is not bound is NULL, the count of changed rows is that of whatever
//! changed rows last, and a thread that dies looks like the end of the rows.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use larder_database_url::{DatabaseUrl, SqliteTarget};
use larder_model::{Dialect, SqlToken, sql_tokens};
use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Either, Executor as _, Row as _,
    SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteArguments, SqliteJournalMode, SqliteRow},
};

use super::sqlite_error::map;
use crate::{Cell, Param, Session, SessionError, SessionErrorKind};

/// How long a statement waits for another program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a connection as the query layer does.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<Box<dyn Session>, SessionError> {
    let target = SqliteTarget::parse(url).map_err(SessionError::url)?;
    let mut options = target.connect_options().busy_timeout(BUSY_TIMEOUT);
    if !target.in_memory() && !target.read_only() {
        options = options.journal_mode(SqliteJournalMode::Wal);
    }
    let connection = SqliteConnection::connect_with(&options).await.map_err(map)?;
    Ok(Box::new(SqliteSession { connection }))
}

#[derive(Debug)]
struct SqliteSession {
    connection: SqliteConnection,
}

impl SqliteSession {
    /// Runs one statement with parameters.
    async fn step(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<(Vec<Vec<Cell>>, u64), SessionError> {
        let tokens = sql_tokens(Dialect::Sqlite, sql);
        if parameters(&tokens) != params.len() {
            return Err(misused("a statement takes another number of parameters"));
        }
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(params)?);
        // A cached statement has the columns of the schema as it was.
        let mut steps = self.connection.fetch_many(query.persistent(false));
        let (mut rows, mut changed, mut ended) = (Vec::new(), 0, false);
        while let Some(step) = steps.try_next().await.map_err(map)? {
            match step {
                Either::Left(outcome) => (changed, ended) = (outcome.rows_affected(), true),
                Either::Right(row) => rows.push(cells(&row)?),
            }
        }
        if !ended {
            return Err(map(sqlx::Error::WorkerCrashed));
        }
        let writes = ["DELETE", "INSERT", "REPLACE", "UPDATE", "WITH"];
        let changes = tokens.first().is_some_and(|verb| writes.iter().any(|word| verb.is(word)));
        Ok((rows, if changes { changed } else { 0 }))
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        Ok(self.step(sql, params).await?.0)
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        Ok(self.step(sql, params).await?.1)
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        let does_something = sql_tokens(Dialect::Sqlite, sql).iter().any(|token| !token.is(";"));
        let mut ended = !does_something;
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let mut steps = self.connection.fetch_many(query);
        while let Some(step) = steps.try_next().await.map_err(map)? {
            ended = step.is_left();
        }
        match ended {
            true => Ok(()),
            false => Err(map(sqlx::Error::WorkerCrashed)),
        }
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.run("BEGIN IMMEDIATE").await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.run("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        // Steps switch this on for one statement; a transaction that ends there does not take it
        // back.
        self.run("ROLLBACK; PRAGMA legacy_alter_table = OFF").await
    }

    async fn close(self: Box<Self>) {
        // What was not committed is lost either way, and there is nothing left to do.
        let _ = self.connection.close().await;
    }
}

/// How many parameters a statement takes: the highest number behind a question mark.
fn parameters(tokens: &[SqlToken<'_>]) -> usize {
    let pairs = tokens.windows(2).filter(|pair| pair[0].is("?"));
    let numbers = pairs.filter_map(|pair| pair[1].text.parse::<usize>().ok());
    numbers.max().unwrap_or_default()
}

fn arguments(params: &[Param<'_>]) -> Result<SqliteArguments, SessionError> {
    let mut arguments = SqliteArguments::default();
    for param in params {
        let added = match param {
            Param::Integer(value) => arguments.add(*value),
            Param::Null => arguments.add(None::<String>),
            Param::Text(text) => arguments.add((*text).to_owned()),
        };
        added
            .map_err(|source| SessionError::new(SessionErrorKind::Statement, None, Some(source)))?;
    }
    Ok(arguments)
}

fn cells(row: &SqliteRow) -> Result<Vec<Cell>, SessionError> {
    (0..row.len()).map(|at| cell(row, at)).collect()
}

/// The value by its storage class; what the column was declared as decides nothing.
fn cell(row: &SqliteRow, at: usize) -> Result<Cell, SessionError> {
    let raw = row.try_get_raw(at).map_err(map)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let class = raw.type_info().name().to_owned();
    match class.as_str() {
        "INTEGER" => row.try_get_unchecked(at).map(Cell::Integer).map_err(map),
        "TEXT" => row.try_get_unchecked(at).map(Cell::Text).map_err(map),
        _ => Err(misused("a column is neither a text nor an integer")),
    }
}

/// A statement of ours that was not written for this.
fn misused(why: &'static str) -> SessionError {
    SessionError::new(SessionErrorKind::Statement, None, Some(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(url: &str) -> Result<Box<dyn Session>, SessionError> {
        connect(&url.parse().unwrap()).await
    }

    async fn memory() -> Box<dyn Session> {
        open("sqlite::memory:").await.unwrap()
    }

    #[tokio::test]
    async fn values_come_back_as_they_are_stored() {
        let mut session = memory().await;
        let params = [Param::Integer(-1), Param::Text("a'b"), Param::Null];
        let rows = session.fetch("SELECT ?1, ?2, ?3, ?1 WHERE ?3 IS NULL", &params).await.unwrap();
        let expected = [Cell::Integer(-1), Cell::Text("a'b".into()), Cell::Null, Cell::Integer(-1)];
        assert_eq!(rows, [expected]);
        assert!(session.fetch("SELECT 1.5", &[]).await.is_err());
    }

    #[tokio::test]
    async fn a_parameter_too_few_or_too_many_is_an_error() {
        let mut session = memory().await;
        for (sql, params) in
            [("SELECT ?1, ?2", &[Param::Null][..]), ("SELECT ?1", &[Param::Null; 2])]
        {
            let error = session.fetch(sql, params).await.unwrap_err();
            assert_eq!(error.kind(), SessionErrorKind::Statement, "{sql}");
        }
        assert!(session.fetch("SELECT '?1'", &[]).await.is_ok());
    }

    #[tokio::test]
    async fn only_statements_that_write_report_changed_rows() {
        let mut session = memory().await;
        session.run("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").await.unwrap();
        let mut changed = async |sql| session.execute(sql, &[]).await.unwrap();
        assert_eq!(changed("UPDATE t SET a = 3").await, 2);
        assert_eq!(changed("CREATE TABLE u (a)").await, 0);
        assert_eq!(changed("DELETE FROM t WHERE a = 4").await, 0);
        session.run("-- nothing").await.unwrap();
        session.run("; ;").await.unwrap();
    }

    #[tokio::test]
    async fn a_transaction_that_is_not_committed_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/t.db", directory.path().display());
        let missing = open(&url).await.unwrap_err();
        assert_eq!(missing.kind(), SessionErrorKind::Connection);
        let mut session = open(&format!("{url}?mode=rwc")).await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE a (x)").await.unwrap();
        session.rollback().await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE b (x)").await.unwrap();
        session.commit().await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE c (x)").await.unwrap();
        session.close().await;
        let mut session = open(&format!("{url}?mode=ro")).await.unwrap();
        let rows = session.fetch("SELECT name FROM sqlite_schema", &[]).await.unwrap();
        assert_eq!(rows, [[Cell::Text("b".into())]]);
        let error = session.run("CREATE TABLE c (x)").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Permission);
    }
}
