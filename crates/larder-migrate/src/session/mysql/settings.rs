//! What every session is set to.
//!
//! Guards that the server refuses what it would otherwise cut off or make up: without a strict
//! mode, a value that does not fit is stored as another one.

use larder_model::Dialect;
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _};

use super::{cells, error};
use crate::{Cell, SessionError};

/// Text in UTF-8; backslashes escape and double quotes hold text; an engine that is not there is
/// an error; names are printed in quotes. Whoever waits for a table longer than the ten seconds
/// gives up, since all who come later wait behind it.
const SETTINGS: &str = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, \
    completion_type = 0, foreign_key_checks = 1, unique_checks = 1, sql_quote_show_create = 1, \
    sql_safe_updates = 0, lock_wait_timeout = 10, sql_mode = 'STRICT_ALL_TABLES,\
    STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
    NO_ENGINE_SUBSTITUTION'";

/// MariaDB before 10.10 gives the first timestamp of a table a default that nobody asked for.
/// Where a session may not say otherwise, statements of ours say it column by column.
const EXPLICIT_DEFAULTS: &str = "SET explicit_defaults_for_timestamp = 1";

/// Sets up a session and tells whose it is.
pub(super) async fn set_up(connection: &mut MySqlConnection) -> Result<Dialect, SessionError> {
    connection.execute(AssertSqlSafe(SETTINGS)).await.map_err(error::map)?;
    let sql = "SELECT VERSION(), @@explicit_defaults_for_timestamp";
    let row = sqlx::raw_sql(sql).fetch_one(&mut *connection).await.map_err(error::map)?;
    let cells = if row.is_empty() { Vec::new() } else { cells::of(&row).map_err(error::map)? };
    let dialect = dialect_of(cells.first().and_then(Cell::as_text).unwrap_or_default());
    if !cells.get(1).is_some_and(Cell::is_true) {
        let _ = connection.execute(EXPLICIT_DEFAULTS).await;
    }
    Ok(dialect)
}

fn dialect_of(version: &str) -> Dialect {
    if version.contains("MariaDB") { Dialect::MariaDb } else { Dialect::MySql }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_dialect() {
        assert_eq!(dialect_of("10.11.18-MariaDB-0+deb12u1"), Dialect::MariaDb);
        assert_eq!(dialect_of("5.5.5-10.6.1-MariaDB"), Dialect::MariaDb);
        assert_eq!(dialect_of("9.7.4-2"), Dialect::MySql);
    }
}
