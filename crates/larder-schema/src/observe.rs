//! What a database says of a table.
//!
//! Invariant: a description is of one state of the table, the current one. It is asked for in one
//! statement that reads the list of tables itself, and so stands in a read transaction, in which
//! SQLite's functions on pragmas answer too.

use larder_model::{Dialect, ObservedColumn, ObservedTable, Relation, TableModel};

use crate::{Cell, SchemaError, SchemaStore, SchemaTransaction, StoreError};

/// What can run a statement that reads.
pub(crate) enum Reader<'a> {
    Store(&'a dyn SchemaStore),
    Transaction(&'a mut dyn SchemaTransaction),
}

impl Reader<'_> {
    async fn fetch(
        &mut self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        match self {
            Self::Store(store) => store.fetch(sql, parameters).await,
            Self::Transaction(transaction) => transaction.fetch(sql, parameters).await,
        }
    }
}

/// Describes the table that has the model's name, if there is one.
///
/// Whether it has rows is asked within a transaction only: outside, the answer could be of
/// another table than the description.
pub(crate) async fn observe(
    reader: &mut Reader<'_>,
    dialect: Dialect,
    table: &TableModel,
) -> Result<Option<ObservedTable>, SchemaError> {
    let name = table.name();
    let store_error = |source| SchemaError::store(name, source);
    let rows = reader.fetch(DESCRIBE, &[name.as_str()]).await.map_err(store_error)?;
    let undescribed = || SchemaError::Undescribed { table: name.clone() };
    let Some(mut observed) = describe(rows).ok_or_else(undescribed)? else {
        return Ok(None);
    };
    if observed.relation == Relation::Table && matches!(reader, Reader::Transaction(_)) {
        let probe = format!("SELECT EXISTS (SELECT 1 FROM \"main\".{})", dialect.quoted(name));
        let rows = reader.fetch(&probe, &[]).await.map_err(store_error)?;
        observed.has_rows = rows != [[Cell::Integer(0)]];
    }
    Ok(Some(observed))
}

/// One row for each column of the table; a view has no columns here.
///
/// A column is unique if a unique index has it and nothing else, without a condition, or if it is
/// the whole primary key.
const DESCRIBE: &str = "\
    SELECT l.type, l.strict, c.name, c.type, c.\"notnull\", c.pk, \
        EXISTS ( \
            SELECT 1 FROM pragma_index_list(s.name, 'main') AS i \
            WHERE i.\"unique\" AND NOT i.partial \
            AND (SELECT count(*) FROM pragma_index_info(i.name, 'main')) = 1 \
            AND (SELECT p.name FROM pragma_index_info(i.name, 'main') AS p) = c.name \
        ) OR (c.pk = 1 AND NOT EXISTS ( \
            SELECT 1 FROM pragma_table_xinfo(s.name, 'main') AS k WHERE k.pk = 2 \
        )) \
    FROM main.sqlite_schema AS s \
    JOIN pragma_table_list(s.name) AS l ON l.schema = 'main' \
    LEFT JOIN pragma_table_xinfo(CASE s.type WHEN 'table' THEN s.name END, 'main') AS c \
    WHERE s.type IN ('table', 'view') AND s.name = ?1 COLLATE NOCASE \
    ORDER BY c.cid";

/// `None` if the rows are not of the expected form; `Some(None)` if there is no such table.
fn describe(rows: Vec<Vec<Cell>>) -> Option<Option<ObservedTable>> {
    let Some([Cell::Text(relation), Cell::Integer(strict), ..]) = rows.first().map(Vec::as_slice)
    else {
        return rows.is_empty().then_some(None);
    };
    let relation = match relation.as_str() {
        "table" => Relation::Table,
        "view" => Relation::View,
        _ => Relation::Virtual,
    };
    let strict = *strict != 0;
    let columns = match relation {
        Relation::Table => rows.into_iter().map(column).collect::<Option<_>>()?,
        _ => Vec::new(),
    };
    let mut observed = ObservedTable::new(columns);
    observed.relation = relation;
    observed.strict = strict;
    Some(Some(observed))
}

fn column(row: Vec<Cell>) -> Option<ObservedColumn> {
    let row = <[Cell; 7]>::try_from(row).ok()?;
    let [_, _, Cell::Text(name), Cell::Text(declared), not_null, key, unique] = row else {
        return None;
    };
    let (Cell::Integer(not_null), Cell::Integer(key), Cell::Integer(unique)) =
        (not_null, key, unique)
    else {
        return None;
    };
    let mut column = ObservedColumn::new(name, declared);
    column.nullable = not_null == 0;
    column.key = key != 0;
    column.unique = unique != 0;
    Some(column)
}
