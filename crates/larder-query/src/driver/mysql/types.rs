//! The types that the driver underneath has no Rust type for.
//!
//! It names `DATE`, `DATETIME` and `DECIMAL` only through crates that are not compiled in. The
//! columns of a result name them as well, so the server is asked for one of each.

use sqlx::{
    Column as _, MySqlConnection, Row as _, TypeInfo as _,
    mysql::{MySqlRow, MySqlTypeInfo},
};

use super::error;
use crate::{DatabaseErrorKind, Engine, QueryError};

/// What parameters of these types are sent as.
#[derive(Clone, Debug)]
pub(super) struct Types {
    pub(super) date: MySqlTypeInfo,
    pub(super) decimal: MySqlTypeInfo,
    pub(super) timestamp: MySqlTypeInfo,
    /// Whether the server turns the parameters of a prepared statement into the types that it was
    /// first given, as MySQL does.
    pub(super) are_remembered: bool,
}

const ONE_OF_EACH: &str = "SELECT CAST('2000-01-01' AS DATE), CAST('1.5' AS DECIMAL(65, 30)), \
                           CAST('2000-01-01' AS DATETIME(6))";

impl Types {
    /// Asks the server.
    pub(super) async fn ask(
        connection: &mut MySqlConnection,
        engine: Engine,
    ) -> Result<Self, QueryError> {
        let row = sqlx::query(ONE_OF_EACH).fetch_one(connection).await.map_err(error::map)?;
        Ok(Self {
            date: named(&row, 0, "DATE")?,
            decimal: named(&row, 1, "DECIMAL")?,
            timestamp: named(&row, 2, "DATETIME")?,
            are_remembered: engine == Engine::MySql,
        })
    }
}

fn named(row: &MySqlRow, index: usize, name: &str) -> Result<MySqlTypeInfo, QueryError> {
    let kind = row.columns().get(index).map(|column| column.type_info().clone());
    kind.filter(|kind| kind.name() == name).ok_or_else(|| {
        error::own(DatabaseErrorKind::Other, "the server does not know the types of SQL").into()
    })
}
