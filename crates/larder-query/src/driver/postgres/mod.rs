//! PostgreSQL over sqlx.

use crate::{DatabaseOptions, DatabaseUrl, QueryError, driver::Driver};

pub(super) async fn connect(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
) -> Result<Box<dyn Driver>, QueryError> {
    let _ = options;
    Err(QueryError::EngineNotCompiled { engine: url.engine() })
}
