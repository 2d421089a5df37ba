//! A table that is written anew, because SQLite changes little of one that is there.
//!
//! Invariant: rows, their numbers, the counter of `AUTOINCREMENT`, indexes and triggers are kept,
//! and nothing that refers to the table is touched. For that the connection must not enforce
//! foreign keys meanwhile, which can be switched off outside of transactions only: otherwise
//! dropping the old table deletes the rows that refer to it.
//!
//! # Source
//! <https://sqlite.org/lang_altertable.html>, section 7.

use super::{
    altered::{Altered, find_column},
    ddl::{create_index, create_table_alone, default_term, quoted, quoted_table, row_number_alias},
};
use crate::{Dialect, Identity, Table, TableName};

/// Fails where foreign keys are enforced, before anything is lost: the text is no JSON.
const MUST_BE_OFF: &str = "SELECT json('foreign_keys must be off before the transaction begins') \
    FROM pragma_foreign_keys WHERE foreign_keys";

/// The statements that make one table of the other, within a transaction, while foreign keys are
/// not enforced. Both have one name, and columns of one name are the same.
pub(super) fn statements(before: &Table, after: &Table) -> Vec<String> {
    let name = &before.name;
    let scratch = TableName::new(format!("larder_new_{}", name.name));
    let mut statements = vec![MUST_BE_OFF.to_owned(), create_table_alone(after, &scratch)];
    statements.extend(copy(before, after, &scratch));
    if is_counted(before) && is_counted(after) {
        statements.extend(keep_counter(name, &scratch));
    }
    statements.push(format!("DROP TABLE {}", quoted_table(name)));
    // In its old way, renaming leaves alone whatever mentions the name that is taken, and does not
    // mind that nothing has it at this moment. The new table is mentioned nowhere.
    statements.push("PRAGMA legacy_alter_table = ON".to_owned());
    let (from, to) = (quoted_table(&scratch), quoted(&name.name));
    statements.push(format!("ALTER TABLE {from} RENAME TO {to}"));
    statements.push("PRAGMA legacy_alter_table = OFF".to_owned());
    statements.extend(after.indexes.iter().map(|index| create_index(name, index)));
    let triggers = before.dependents.iter().filter(|dependent| dependent.is_own);
    statements.extend(triggers.map(|trigger| trigger.sql.clone()));
    statements
}

fn is_counted(table: &Table) -> bool {
    row_number_alias(table).is_some_and(|column| column.identity == Some(Identity::AutoIncrement))
}

/// The rows, column by column; a column that gains NOT NULL takes its default where it was NULL.
fn copy(before: &Table, after: &Table, scratch: &TableName) -> Option<String> {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    let number = row_number(before, after);
    let alias = row_number_alias(after).map(|column| &column.name);
    for column in after.columns.iter().filter(|column| column.generated.is_none()) {
        let name = quoted(&column.name);
        let value = match find_column(before, &column.name) {
            Some(found) => {
                let default =
                    column.default.as_ref().filter(|_| found.nullable && !column.nullable);
                match default {
                    Some(default) => format!("coalesce({name}, {})", default_term(default)),
                    None => name.clone(),
                }
            }
            // A new column that is the row number keeps the numbers.
            None if alias == Some(&column.name) && !before.without_rowid => match number {
                Some(number) => number.to_owned(),
                None => continue,
            },
            // Its default applies.
            None => continue,
        };
        columns.push(name);
        values.push(value);
    }
    if let Some(number) = number
        && Altered::has_own_row_number(after)
        && !before.without_rowid
    {
        columns.insert(0, number.to_owned());
        values.insert(0, number.to_owned());
    }
    // Without a column in common there is nothing of a row that could be kept.
    (!columns.is_empty()).then(|| {
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}",
            quoted_table(scratch),
            columns.join(", "),
            values.join(", "),
            quoted_table(&before.name)
        )
    })
}

/// A name of the row's number that no column took.
fn row_number(before: &Table, after: &Table) -> Option<&'static str> {
    let is_taken =
        |name: &str| find_column(before, name).is_some() || find_column(after, name).is_some();
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name))
}

/// Carries the counter over: it may be beyond the highest number that is left.
fn keep_counter(name: &TableName, scratch: &TableName) -> [String; 2] {
    let text = |name: &TableName| Dialect::Sqlite.text(&name.name);
    let (name, scratch) = (text(name), text(scratch));
    [
        format!("DELETE FROM \"main\".sqlite_sequence WHERE name = {scratch}"),
        format!(
            "INSERT INTO \"main\".sqlite_sequence (name, seq) \
             SELECT {scratch}, seq FROM \"main\".sqlite_sequence WHERE name = {name}"
        ),
    ]
}
