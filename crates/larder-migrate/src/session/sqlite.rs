//! A connection to SQLite.
//!
//! Guards that a file is created only if the URL says so, and against three silences of the
//! driver: a parameter that is not bound is NULL, the count of changed rows is that of whatever
//! changed rows last, and a thread that dies looks like the end of the rows.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use larder_model::{Dialect, SqlToken, sql_tokens};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _,
    Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow},
};

use super::sqlite_error::map;
use crate::{Cell, Param, Session, SessionError, SessionErrorKind};

/// How long a statement waits for another program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a connection as the query layer does.
pub(super) async fn connect(url: &str) -> Result<Box<dyn Session>, SessionError> {
    let options = options(url)?;
    let connection = SqliteConnection::connect_with(&options).await.map_err(map)?;
    Ok(Box::new(SqliteSession { connection }))
}

/// What a URL says: `sqlite:` or `sqlite://`, a path, and `mode=` and `immutable=` behind it.
///
/// A file that is not there is created with `mode=rwc` only. A file that may be written is brought
/// into the mode of a write-ahead log.
fn options(url: &str) -> Result<SqliteConnectOptions, SessionError> {
    let rest = url.trim().split_once(':').map(|(_, rest)| rest).ok_or_else(no_database)?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = percent_decode(path).filter(|path| !path.is_empty()).ok_or_else(no_database)?;
    let (mut memory, mut read_only, mut create, mut immutable) =
        (path == ":memory:", false, false, false);
    for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
        match parameter {
            "mode=memory" => memory = true,
            "mode=ro" => (read_only, create) = (true, false),
            "mode=rw" => (read_only, create) = (false, false),
            "mode=rwc" => (read_only, create) = (false, true),
            "immutable=true" | "immutable=1" => immutable = true,
            "immutable=false" | "immutable=0" => immutable = false,
            _ => return Err(no_database()),
        }
    }
    let options = SqliteConnectOptions::new()
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // Statements may hold secrets as literals.
        .disable_statement_logging();
    if memory {
        // Private to its one connection, so the name does not matter.
        return Ok(options.filename(":memory:").in_memory(true));
    }
    let read_only = read_only || immutable;
    let options = options
        .filename(path)
        .read_only(read_only)
        .immutable(immutable)
        .create_if_missing(create && !immutable);
    Ok(match read_only {
        true => options,
        false => options.journal_mode(SqliteJournalMode::Wal),
    })
}

fn no_database() -> SessionError {
    SessionError::new(SessionErrorKind::Unsupported, None, None)
}

/// Resolves `%41` to `A`; `None` if the text is not encoded so.
fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
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

    async fn memory() -> Box<dyn Session> {
        connect("sqlite::memory:").await.unwrap()
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
        let missing = connect(&url).await.unwrap_err();
        assert_eq!(missing.kind(), SessionErrorKind::Connection);
        let mut session = connect(&format!("{url}?mode=rwc")).await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE a (x)").await.unwrap();
        session.rollback().await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE b (x)").await.unwrap();
        session.commit().await.unwrap();
        session.begin().await.unwrap();
        session.run("CREATE TABLE c (x)").await.unwrap();
        session.close().await;
        let mut session = connect(&format!("{url}?mode=ro")).await.unwrap();
        let rows = session.fetch("SELECT name FROM sqlite_schema", &[]).await.unwrap();
        assert_eq!(rows, [[Cell::Text("b".into())]]);
        let error = session.run("CREATE TABLE c (x)").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Permission);
    }

    #[test]
    fn a_url_is_read_as_the_query_layer_reads_it() {
        let check = |url: &str, path: Option<&str>| {
            let found = options(url).ok().map(|options| options.get_filename().to_owned());
            assert_eq!(found.as_deref(), path.map(std::path::Path::new), "{url}");
        };
        check("sqlite://a.db", Some("a.db"));
        check("sqlite:///a.db?mode=rwc", Some("/a.db"));
        check("sqlite:a%20%3F%23.db?mode=ro", Some("a ?#.db"));
        check("sqlite:a?mode=rw&immutable=1", Some("a"));
        check("sqlite::memory:", Some(":memory:"));
        check("sqlite://x?mode=memory", Some(":memory:"));
        check("sqlite://", None);
        check("sqlite:%zz", None);
        check("sqlite:a?mode=other", None);
    }
}
