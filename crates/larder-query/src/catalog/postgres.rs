//! The catalog of PostgreSQL.

use super::Catalog;
use crate::{Database, QueryError};

/// The state of the schema now.
pub(super) async fn version(database: &Database) -> Result<i64, QueryError> {
    Err(QueryError::EngineNotCompiled { engine: database.engine() })
}

/// Reads the catalog.
pub(super) async fn load(database: &Database) -> Result<Catalog, QueryError> {
    Err(QueryError::EngineNotCompiled { engine: database.engine() })
}
