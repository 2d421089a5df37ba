//! PostgreSQL over sqlx.

mod arguments;
mod begin;
mod decode;
mod driver;
mod encode;
mod error;
mod health;
mod kind;
mod numeric;
mod pool;
mod reader;
mod rewrite;
mod rows;
mod scan;
mod session;
mod setup;
mod text;
mod unknown;

use crate::{DatabaseOptions, DatabaseUrl, QueryError, driver::Driver};

pub(super) async fn connect(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
) -> Result<Box<dyn Driver>, QueryError> {
    Ok(Box::new(driver::PostgresDriver::connect(url, options).await?))
}
