//! MySQL and MariaDB.
//!
//! Invariant: statements mean the same whatever the server is set to. Every session has the same
//! mode, text in UTF-8 and moments in UTC.

mod cells;
mod error;
mod settings;

use std::{error::Error as StdError, fmt};

use async_trait::async_trait;
use larder_database_url::{DatabaseUrl, MySqlTarget, MySqlTls};
use larder_model::Dialect;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, mysql::MySqlArguments,
};

use crate::{Cell, Param, Session, SessionError, SessionErrorKind};

/// Opens a session.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<Box<dyn Session>, SessionError> {
    let target = MySqlTarget::parse(url).map_err(SessionError::url)?;
    let mut connection = open(&target).await?;
    let dialect = settings::set_up(&mut connection).await?;
    Ok(Box::new(MySqlSession { connection, dialect }))
}

/// Opens a connection. A server may ask for the password itself (`caching_sha2_password`), which
/// goes over an encrypted connection only: where nothing leaves the machine, it is encrypted then.
async fn open(target: &MySqlTarget) -> Result<MySqlConnection, SessionError> {
    match target.connect_options().connect().await {
        Err(sqlx::Error::Configuration(source)) => match target.tls() {
            MySqlTls::Local if cfg!(feature = "tls-rustls") => {
                target.encrypted().connect_options().connect().await.map_err(error::map)
            }
            _ => Err(login_needs_encryption(source)),
        },
        opened => opened.map_err(error::map),
    }
}

fn login_needs_encryption(source: Box<dyn StdError + Send + Sync>) -> SessionError {
    SessionError::new(SessionErrorKind::Connection, None, Some(source))
}

/// A connection of one's own to a server.
struct MySqlSession {
    connection: MySqlConnection,
    dialect: Dialect,
}

impl fmt::Debug for MySqlSession {
    /// The connection knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlSession").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

type Query = sqlx::query::Query<'static, sqlx::MySql, MySqlArguments>;

/// Statements stay prepared: what has parameters is about the registry and the catalog, whose
/// tables do not change, and to close a statement costs 40 ms. The driver sends the close, to which
/// there is no answer, and the network holds the next statement back until the server has
/// acknowledged it.
fn prepared(sql: &str, params: &[Param<'_>]) -> Query {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    params.iter().fold(query, |query, param| match *param {
        Param::Integer(value) => query.bind(value),
        Param::Null => query.bind(None::<String>),
        Param::Text(text) => query.bind(text.to_owned()),
    })
}

#[async_trait]
impl Session for MySqlSession {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Without parameters the text may have several statements, whose rows follow each other.
    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        let connection = &mut self.connection;
        let rows = if params.is_empty() {
            // Many of the statements that show something can not be prepared.
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await
        } else {
            prepared(sql, params).fetch_all(connection).await
        };
        rows.map_err(error::map)?
            .iter()
            .map(cells::of)
            .collect::<Result<_, _>>()
            .map_err(error::map)
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        let done = prepared(sql, params).execute(&mut self.connection).await;
        Ok(done.map_err(error::map)?.rows_affected())
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        statements.execute(&mut self.connection).await.map(drop).map_err(error::map)
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.run("START TRANSACTION").await
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        self.run("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        self.run("ROLLBACK").await
    }

    async fn close(self: Box<Self>) {
        // The server notices either way.
        let _ = self.connection.close().await;
    }
}
