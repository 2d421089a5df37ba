//! What the registry's tables look like in a database.
//!
//! Invariant: a table that others made is only ever given more columns, and those may be NULL.

use std::collections::BTreeMap;

use larder_model::Dialect;

use crate::{
    Cell, MigrateError, MigrateOptions, Param, Session,
    registry::{Names, Registry, RegistryTable, placeholder},
};

/// The columns of the tables that are there, by names in lower case, with the most characters
/// that they hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    tables: BTreeMap<RegistryTable, BTreeMap<String, Option<i64>>>,
}

impl Shape {
    pub(super) fn has(&self, table: RegistryTable) -> bool {
        self.tables.contains_key(&table)
    }

    pub(super) fn has_column(&self, table: RegistryTable, column: &str) -> bool {
        self.tables.get(&table).is_some_and(|columns| columns.contains_key(column))
    }

    /// The most characters that a column holds, if there is a limit.
    pub(super) fn width(&self, table: RegistryTable, column: &str) -> Option<usize> {
        let width = self.tables.get(&table)?.get(column).copied().flatten()?;
        usize::try_from(width).ok()
    }

    /// Whether the history was begun by others, with a column for the checksum that is too short
    /// or in which it has to be unique, and with words for the status that are not ours.
    pub(super) fn is_history_narrow(&self) -> bool {
        self.has_column(RegistryTable::Migrations, "checksum_full")
    }

    fn missing(&self, names: &Names) -> Vec<String> {
        let statements = RegistryTable::ALL.into_iter().flat_map(|table| {
            let quoted = names.quoted(table);
            match self.tables.get(&table) {
                None => vec![table.create(names.dialect, &quoted)],
                Some(has) => table.complete(names.dialect, &quoted, |name| has.contains_key(name)),
            }
        });
        statements.collect()
    }

    fn foreign(&self, names: &Names) -> Option<String> {
        let lacks = |table: &RegistryTable| {
            let lacks = |name: &&&str| !self.has_column(*table, name);
            self.has(*table).then(|| table.expected().iter().find(lacks)).flatten()
        };
        RegistryTable::ALL.iter().find_map(|table| {
            let column = lacks(table)?;
            Some(format!(
                "table {:?} is somebody else's: it has no column {column:?}; another prefix helps",
                names.bare(*table)
            ))
        })
    }
}

impl Registry {
    /// Looks which tables are there. One statement.
    pub(crate) async fn inspect(
        session: &mut dyn Session,
        options: &MigrateOptions,
    ) -> Result<Self, MigrateError> {
        let names = Names::new(session.dialect(), options);
        let bare = RegistryTable::ALL.map(|table| names.bare(table));
        let mut params: Vec<_> = bare.iter().map(|name| Param::Text(name)).collect();
        if names.dialect == Dialect::Postgres {
            params.push(Param::Text(&names.schema));
        }
        let rows = session.fetch(&columns_sql(names.dialect), &params).await;
        let rows = rows.map_err(MigrateError::session("look at the registry's tables"))?;
        let mut shape = Shape::default();
        for row in rows {
            let [Cell::Text(table), Cell::Text(column), length] = row.as_slice() else { continue };
            let Some(at) = bare.iter().position(|name| name.eq_ignore_ascii_case(table)) else {
                continue;
            };
            let columns = shape.tables.entry(RegistryTable::ALL[at]).or_default();
            columns.insert(column.to_ascii_lowercase(), length.as_integer());
        }
        Ok(Self { names, shape })
    }

    /// Whether any of its tables is there.
    pub(crate) fn has(&self, table: RegistryTable) -> bool {
        self.shape.has(table)
    }

    /// The statements that create what is missing.
    ///
    /// # Errors
    /// [`MigrateError::Registry`] if a table of that name serves another purpose.
    pub(crate) fn missing(&self) -> Result<Vec<String>, MigrateError> {
        if let Some(reason) = self.shape.foreign(&self.names) {
            return Err(MigrateError::Registry { reason });
        }
        Ok(self.shape.missing(&self.names))
    }
}

/// A statement that returns table, column and the most characters of it.
fn columns_sql(dialect: Dialect) -> String {
    let one = |number| placeholder(dialect, number);
    let names = format!("{}, {}, {}, {}", one(1), one(2), one(3), one(4));
    match dialect {
        Dialect::MariaDb | Dialect::MySql => format!(
            "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR), \
             CAST(character_maximum_length AS SIGNED) FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name IN ({names})"
        ),
        Dialect::Sqlite => format!(
            "SELECT m.name, c.name, NULL FROM main.sqlite_master m \
             JOIN pragma_table_info(m.name, 'main') c \
             WHERE m.type = 'table' AND m.name COLLATE NOCASE IN ({names})"
        ),
        _ => format!(
            "SELECT CAST(c.relname AS text), CAST(a.attname AS text), \
             CASE WHEN a.atttypmod > 4 THEN CAST(a.atttypmod - 4 AS bigint) END \
             FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
             WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') \
             AND c.relname IN ({names}) AND n.nspname = {}",
            one(5)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dialect: Dialect) -> Names {
        Names::new(dialect, &MigrateOptions::new())
    }

    fn shape(table: RegistryTable, columns: &[&str]) -> Shape {
        let columns = columns.iter().map(|name| ((*name).to_owned(), None)).collect();
        Shape { tables: BTreeMap::from([(table, columns)]) }
    }

    #[test]
    fn nothing_there_means_four_tables() {
        let missing = Shape::default().missing(&names(Dialect::Postgres));
        assert_eq!(missing.len(), 4);
        assert!(missing[0].starts_with(r#"CREATE TABLE "public"."dataflow_migration_lock" ("#));
    }

    #[test]
    fn a_table_for_another_purpose_is_left_alone() {
        let shape = shape(RegistryTable::Meta, &["id", "content"]);
        let reason = shape.foreign(&names(Dialect::Sqlite)).unwrap();
        assert!(reason.contains("dataflow_meta") && reason.contains("key"), "{reason}");
    }

    #[test]
    fn the_narrow_history_is_told_by_its_columns() {
        let seed = ["version", "checksum", "status", "applied_at"];
        assert!(shape(RegistryTable::Migrations, &seed).foreign(&names(Dialect::MySql)).is_none());
        assert!(!shape(RegistryTable::Migrations, &seed).is_history_narrow());
        let completed = ["version", "checksum", "status", "applied_at", "seq", "checksum_full"];
        assert!(shape(RegistryTable::Migrations, &completed).is_history_narrow());
    }
}
