//! SQLite's catalog: the table `sqlite_schema`, and the version that every change of it counts up.

use larder_sql::{Dialect, TableName, Writes};

use super::Catalog;
use crate::{Database, Params, QueryError, RowLimit};

/// The state of the schema now.
pub(super) async fn version(database: &Database) -> Result<i64, QueryError> {
    let rows = database.fetch("PRAGMA schema_version", &Params::new(), RowLimit::One).await?;
    let version = rows.rows().first().map(|row| row.get(0)).transpose()?;
    Ok(version.unwrap_or_default())
}

/// The version comes first: a change in between makes the catalog look older than it is.
pub(super) async fn load(database: &Database) -> Result<Catalog, QueryError> {
    let dialect = Dialect::Sqlite;
    let name = |text: &str| TableName::from_catalog(text, dialect);
    let mut catalog = Catalog { version: version(database).await?, ..Catalog::default() };

    let objects = database.fetch(OBJECTS, &Params::new(), RowLimit::All).await?;
    for row in objects.rows() {
        let (kind, object, table, sql): (String, String, String, String) = row.to()?;
        match kind.as_str() {
            "table" => drop(catalog.modules.insert(name(&object))),
            "view" => catalog.add_view(name(&object), &sql, dialect),
            _ => catalog.add_trigger(name(&table), &sql, dialect),
        }
    }
    let keys = database.fetch(FOREIGN_KEYS, &Params::new(), RowLimit::All).await?;
    for row in keys.rows() {
        let (child, parent): (String, String) = row.to::<(String, String)>()?;
        let child = Writes::Tables([name(&child)].into());
        catalog.add_effect(name(&parent), child);
    }
    Ok(catalog)
}

const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema \
    WHERE sql IS NOT NULL AND (type IN ('view', 'trigger') \
      OR (type = 'table' AND rootpage = 0))";

/// Children that change when a row of their parent is deleted or gets another key.
const FOREIGN_KEYS: &str = "SELECT child.name, key.\"table\" \
    FROM sqlite_schema AS child, pragma_foreign_key_list(child.name) AS key \
    WHERE child.type = 'table' \
    AND (key.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
      OR key.on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))";
