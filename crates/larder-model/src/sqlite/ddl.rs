//! SQLite's statements.
//!
//! Invariant: names and texts stand in quotes, with the quotes inside them doubled; numbers and
//! blobs consist of digits. Nothing of a model can end its own quotes.

use std::fmt::Write as _;

use crate::{ColumnKind, ColumnModel, DefaultValue, Identifier, TableModel, sqlite::declared};

pub(crate) fn quoted(name: &Identifier) -> String {
    format!("\"{}\"", name.as_str().replace('"', "\"\""))
}

/// SQLite refuses to create these.
pub(crate) fn is_reserved(table: &Identifier) -> bool {
    let prefix = table.as_str().as_bytes().get(..7);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"sqlite_"))
}

/// The table goes to the main database, also where a temporary one of the same name exists.
///
/// A key of one integer column becomes an alias of the row number, which SQLite assigns.
pub(crate) fn create_table(table: &TableModel) -> String {
    let mut parts: Vec<_> =
        table.columns().iter().map(|column| definition(column, false)).collect();
    let key: Vec<_> = table.key().map(|column| quoted(column.name())).collect();
    if !key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    format!("CREATE TABLE \"main\".{} ({})", quoted(table.name()), parts.join(", "))
}

pub(crate) fn add_column(table: &TableModel, column: &ColumnModel, strict: bool) -> String {
    let definition = definition(column, strict);
    format!("ALTER TABLE \"main\".{} ADD COLUMN {definition}", quoted(table.name()))
}

fn definition(column: &ColumnModel, strict: bool) -> String {
    let mut text = format!("{} {}", quoted(column.name()), declared(column.kind(), strict));
    if !column.is_nullable() {
        text.push_str(" NOT NULL");
    }
    if column.is_unique() {
        text.push_str(" UNIQUE");
    }
    if let Some(default) = column.default_value() {
        text.push_str(" DEFAULT ");
        text.push_str(&literal(default, column.kind()));
    }
    text
}

fn literal(value: &DefaultValue, kind: ColumnKind) -> String {
    match value {
        DefaultValue::Blob(bytes) => {
            let mut text = "X'".to_owned();
            for byte in bytes.iter() {
                // Writing into a text does not fail.
                let _ = write!(text, "{byte:02X}");
            }
            text.push('\'');
            text
        }
        DefaultValue::Boolean(value) => i32::from(*value).to_string(),
        // A decimal is a text here, and as a number it would lose its zeros at the end.
        DefaultValue::Number(digits) if kind == ColumnKind::Decimal => text_literal(digits),
        DefaultValue::Number(digits) => digits.clone().into_owned(),
        DefaultValue::Text(text) => text_literal(text),
    }
}

fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    fn column(of: &str, kind: ColumnKind, default: Option<DefaultValue>) -> ColumnModel {
        ColumnModel::new(name(of), kind, true, default)
    }

    #[test]
    fn a_table_is_written_with_everything_it_has() {
        let columns = vec![
            ColumnModel::of::<i64>(name("id"), None).with_key(),
            ColumnModel::of::<String>(name("iata"), None).with_unique(),
            ColumnModel::of::<Option<bool>>(name("active"), Some(DefaultValue::Boolean(true))),
        ];
        let table = TableModel::new(name("airline"), columns).unwrap();
        assert_eq!(
            create_table(&table),
            "CREATE TABLE \"main\".\"airline\" (\"id\" INTEGER NOT NULL, \
             \"iata\" TEXT NOT NULL UNIQUE, \"active\" BOOLEAN DEFAULT 1, PRIMARY KEY (\"id\"))"
        );
        assert_eq!(
            add_column(&table, &table.columns()[2], true),
            "ALTER TABLE \"main\".\"airline\" ADD COLUMN \"active\" INTEGER DEFAULT 1"
        );
    }

    #[test]
    fn nothing_ends_its_own_quotes() {
        assert_eq!(quoted(&name("a\"b\"")), "\"a\"\"b\"\"\"");
        let default = |value, kind| definition(&column("c", kind, Some(value)), false);
        assert_eq!(
            default(DefaultValue::Text("it's".into()), ColumnKind::Text),
            "\"c\" TEXT DEFAULT 'it''s'"
        );
        assert_eq!(
            default(DefaultValue::Number("0.10".into()), ColumnKind::Decimal),
            "\"c\" TEXT DEFAULT '0.10'"
        );
        assert_eq!(
            default(DefaultValue::Number("-1.5".into()), ColumnKind::Real),
            "\"c\" REAL DEFAULT -1.5"
        );
        assert_eq!(
            default(DefaultValue::Blob([0, 255].as_slice().into()), ColumnKind::Blob),
            "\"c\" BLOB DEFAULT X'00FF'"
        );
    }

    #[test]
    fn reserved_names_are_known_in_any_case() {
        assert!(is_reserved(&name("SQLite_x")));
        assert!(!is_reserved(&name("sqlite")));
        assert!(!is_reserved(&name("sqlité_")));
    }
}
