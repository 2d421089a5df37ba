//! The schema cache on a database of the query layer.
//!
//! Guards that a table that was changed is changed for the cache too: its answers are
//! invalidated, and what was known of the schema is looked up again.

use async_trait::async_trait;
use larder_model::Dialect;
use larder_query::{Database, DatabaseTransaction, Engine, Params, RowLimit, RowSet, Value};
use larder_schema::{Cell, SchemaStore, SchemaTransaction, StoreError};

/// The database as the schema cache sees it.
#[derive(Debug)]
pub(crate) struct Store(pub(crate) Database);

#[derive(Debug)]
struct StoreTransaction(DatabaseTransaction);

#[async_trait]
impl SchemaStore for Store {
    fn dialect(&self) -> Dialect {
        // The only dialect that there is; `supported` keeps it from the other engines.
        Dialect::Sqlite
    }

    async fn fetch(&self, sql: &str, parameters: &[&str]) -> Result<Vec<Vec<Cell>>, StoreError> {
        supported(&self.0)?;
        cells(&self.0.fetch(sql, &params(parameters), RowLimit::All).await?)
    }

    async fn begin(&self) -> Result<Box<dyn SchemaTransaction>, StoreError> {
        supported(&self.0)?;
        Ok(Box::new(StoreTransaction(self.0.begin().await?)))
    }
}

#[async_trait]
impl SchemaTransaction for StoreTransaction {
    async fn fetch(
        &mut self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        cells(&self.0.fetch(sql, &params(parameters), RowLimit::All).await?)
    }

    async fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.0.execute(sql, &Params::new()).await?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

/// Statements in SQLite's dialect are sent to nobody else.
fn supported(database: &Database) -> Result<(), StoreError> {
    match database.engine() {
        Engine::Sqlite => Ok(()),
        engine => Err(format!("models are supported on SQLite and not on {engine} yet").into()),
    }
}

fn params(texts: &[&str]) -> Params {
    let mut params = Params::new();
    for text in texts {
        params.bind(*text);
    }
    params
}

fn cells(set: &RowSet) -> Result<Vec<Vec<Cell>>, StoreError> {
    let row = |row: &larder_query::Row| row.iter().map(|(_, value)| cell(value)).collect();
    set.rows().iter().map(row).collect()
}

fn cell(value: &Value) -> Result<Cell, StoreError> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::Bool(value) => Ok(Cell::Integer(i64::from(*value))),
        Value::Int(value) => Ok(Cell::Integer(*value)),
        Value::Text(text) => Ok(Cell::Text(text.clone())),
        _ => Err("the description of a schema holds neither numbers with a point nor bytes".into()),
    }
}
