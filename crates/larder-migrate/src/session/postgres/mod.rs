//! A session with PostgreSQL, over one connection of sqlx.
//!
//! Guards that the session is nobody else's, that nothing of an earlier state of the schema is
//! kept in prepared statements, and that text in quotes means the same whatever the role's
//! settings are.

mod error;

use async_trait::async_trait;
use larder_database_url::{DatabaseUrl, PostgresTarget};
use larder_model::Dialect;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Row as _, ValueRef as _,
    postgres::{PgArguments, PgConnection, PgRow, PgTypeInfo, types::Oid},
    query::Query,
};

use crate::{Cell, Param, Session, SessionError};

/// A backslash within quotes is a backslash: everything that we put in quotes relies on it.
const SETUP: &str = "SET standard_conforming_strings = on";

/// Opens a session.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<Box<dyn Session>, SessionError> {
    let options = PostgresTarget::parse(url).map_err(SessionError::url)?.connect_options();
    // A statement that was prepared for a schema of before is worth nothing here.
    let options = options.statement_cache_capacity(0);
    let connection = PgConnection::connect_with(&options).await.map_err(error::map)?;
    let mut session = PostgresSession { connection };
    session.run(SETUP).await?;
    Ok(Box::new(session))
}

#[derive(Debug)]
struct PostgresSession {
    connection: PgConnection,
}

/// A statement that is prepared for this one use only.
fn query<'q>(sql: &str, params: &[Param<'q>]) -> Query<'q, sqlx::Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false);
    params.iter().fold(query, |query, param| match *param {
        Param::Integer(value) => query.bind(value),
        Param::Null => query.bind(None::<&str>),
        Param::Text(text) => query.bind(text),
    })
}

#[async_trait]
impl Session for PostgresSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        let rows = query(sql, params).fetch_all(&mut self.connection).await.map_err(error::map)?;
        rows.iter().map(cells).collect()
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        let done = query(sql, params).execute(&mut self.connection).await.map_err(error::map)?;
        Ok(done.rows_affected())
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        statements.execute(&mut self.connection).await.map_err(error::map)?;
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.run("BEGIN").await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.run("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.run("ROLLBACK").await
    }

    async fn close(self: Box<Self>) {
        // Whoever closes has nothing left to lose: the server ends the session either way.
        let _ = self.connection.close().await;
    }
}

fn cells(row: &PgRow) -> Result<Vec<Cell>, SessionError> {
    (0..row.columns().len()).map(|at| cell(row, at).map_err(error::map)).collect()
}

/// The types by their numbers, which never change, because a type that the driver looks up by
/// name would cost it a statement.
fn cell(row: &PgRow, at: usize) -> Result<Cell, sqlx::Error> {
    if row.try_get_raw(at)?.is_null() {
        return Ok(Cell::Null);
    }
    let ty: &PgTypeInfo = row.column(at).type_info();
    Ok(match ty.oid().map(|Oid(number)| number) {
        Some(16) => Cell::Integer(i64::from(row.try_get::<bool, _>(at)?)),
        Some(18) => Cell::Text(letter(row.try_get::<i8, _>(at)?)),
        Some(20) => Cell::Integer(row.try_get(at)?),
        Some(21) => Cell::Integer(i64::from(row.try_get::<i16, _>(at)?)),
        Some(23) => Cell::Integer(i64::from(row.try_get::<i32, _>(at)?)),
        Some(26) => Cell::Integer(i64::from(row.try_get::<Oid, _>(at)?.0)),
        _ => Cell::Text(row.try_get(at)?),
    })
}

/// PostgreSQL's type `"char"`: one byte, and none for zero.
fn letter(byte: i8) -> String {
    match byte.cast_unsigned() {
        0 => String::new(),
        byte => char::from(byte).to_string(),
    }
}
