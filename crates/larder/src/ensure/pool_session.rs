//! A connection for migrations out of the query layer's pool.
//!
//! Guards that a database in memory, which has one connection, is migrated on that one.

use std::fmt;

use async_trait::async_trait;
use larder_migrate::{Cell, Connector, Param, Session, SessionError, SessionErrorKind};
use larder_model::Dialect;
use larder_query::{
    Database, DatabaseErrorKind, DatabaseTransaction, Engine, Params, QueryError, RowLimit, RowSet,
    Value,
};

/// The way to a database in memory.
#[derive(Debug)]
pub(super) struct PoolConnector(pub(super) Database);

#[async_trait]
impl Connector for PoolConnector {
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError> {
        Ok(Box::new(PoolSession::new(self.0.clone())))
    }
}

/// The pool as a session: a transaction has a connection of its own, every other statement
/// whichever is free. For a pool of one connection that makes no difference.
pub(super) struct PoolSession {
    database: Database,
    transaction: Option<DatabaseTransaction>,
}

impl PoolSession {
    pub(super) const fn new(database: Database) -> Self {
        Self { database, transaction: None }
    }

    async fn rows(&mut self, sql: &str, params: &Params) -> Result<RowSet, QueryError> {
        match &mut self.transaction {
            Some(transaction) => transaction.fetch(sql, params, RowLimit::All).await,
            None => self.database.fetch(sql, params, RowLimit::All).await,
        }
    }

    async fn changed(&mut self, sql: &str, params: &Params) -> Result<u64, QueryError> {
        let executed = match &mut self.transaction {
            Some(transaction) => transaction.execute(sql, params).await?,
            None => self.database.execute(sql, params).await?,
        };
        Ok(executed.rows_affected)
    }
}

#[async_trait]
impl Session for PoolSession {
    fn dialect(&self) -> Dialect {
        match self.database.engine() {
            Engine::MariaDb => Dialect::MariaDb,
            Engine::MySql => Dialect::MySql,
            Engine::Postgres => Dialect::Postgres,
            _ => Dialect::Sqlite,
        }
    }

    async fn fetch(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Cell>>, SessionError> {
        let set = self.rows(sql, &bound(params)).await.map_err(error)?;
        let row = |row: &larder_query::Row| row.iter().map(|(_, value)| cell(value)).collect();
        set.rows().iter().map(row).collect()
    }

    async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SessionError> {
        self.changed(sql, &bound(params)).await.map_err(error)
    }

    async fn run(&mut self, sql: &str) -> Result<(), SessionError> {
        // The settings of a connection of one's own; this one is everybody's. References are not
        // enforced during a transaction only.
        if self.transaction.is_none() && sql.trim_start().starts_with("PRAGMA ") {
            return Ok(());
        }
        self.changed(sql, &Params::new()).await.map_err(error)?;
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        self.transaction = Some(self.database.begin_unenforced().await.map_err(error)?);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        if let Some(transaction) = self.transaction.take() {
            transaction.commit().await.map_err(error)?;
        }
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        if let Some(transaction) = self.transaction.take() {
            transaction.rollback().await.map_err(error)?;
        }
        Ok(())
    }

    async fn close(self: Box<Self>) {}
}

impl fmt::Debug for PoolSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSession")
            .field("database", &self.database)
            .field("is_in_transaction", &self.transaction.is_some())
            .finish_non_exhaustive()
    }
}

fn bound(params: &[Param<'_>]) -> Params {
    let mut bound = Params::new();
    for param in params {
        match param {
            Param::Integer(value) => bound.bind(*value),
            Param::Null => bound.bind(None::<String>),
            Param::Text(text) => bound.bind(*text),
        };
    }
    bound
}

fn cell(value: &Value) -> Result<Cell, SessionError> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::Bool(value) => Ok(Cell::Integer(i64::from(*value))),
        Value::Int(value) => Ok(Cell::Integer(*value)),
        Value::Text(text) => Ok(Cell::Text(text.clone())),
        other => {
            let reason = format!("a description of a schema holds no {other:?}");
            Err(SessionError::new(SessionErrorKind::Statement, None, Some(reason.into())))
        }
    }
}

fn error(source: QueryError) -> SessionError {
    let kind = match source.database_kind() {
        Some(DatabaseErrorKind::Authentication | DatabaseErrorKind::ReadOnly) => {
            SessionErrorKind::Permission
        }
        Some(
            DatabaseErrorKind::Busy | DatabaseErrorKind::PoolTimeout | DatabaseErrorKind::Timeout,
        ) => SessionErrorKind::Busy,
        Some(DatabaseErrorKind::Connection) => SessionErrorKind::Connection,
        Some(DatabaseErrorKind::MissingColumn) => SessionErrorKind::UndefinedColumn,
        Some(DatabaseErrorKind::MissingTable) => SessionErrorKind::UndefinedTable,
        _ => SessionErrorKind::Statement,
    };
    SessionError::new(kind, None, Some(Box::new(source)))
}
