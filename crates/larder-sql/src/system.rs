//! The tables that belong to the server or to one session. Their rows change without a write
//! that any text shows, so nothing that reads them is cached.

use sqlparser::ast::{ObjectName, ObjectNamePart};

use crate::{Dialect, TableName};

/// What kind of table a name that is not an ordinary one stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    System,
    Temporary,
}

/// `None` for an ordinary table.
pub(crate) fn special(name: &ObjectName, table: &TableName, dialect: Dialect) -> Option<Special> {
    let schema = schema(name);
    let schema = schema.as_deref();
    let table = table.as_str().to_ascii_lowercase();
    match dialect {
        Dialect::MariaDb | Dialect::MySql => match schema? {
            "information_schema" | "mysql" | "performance_schema" | "sys" => Some(Special::System),
            _ => None,
        },
        Dialect::PostgreSql => match schema {
            Some(schema) if schema.starts_with("pg_temp") => Some(Special::Temporary),
            Some("information_schema") => Some(Special::System),
            Some(schema) if schema.starts_with("pg_") => Some(Special::System),
            // The system catalog is searched before every other schema.
            None if table.starts_with("pg_") => Some(Special::System),
            _ => None,
        },
        Dialect::Sqlite => match schema {
            Some("temp") => Some(Special::Temporary),
            _ if is_sqlite_system(&table) => Some(Special::System),
            _ => None,
        },
    }
}

/// SQLite reserves the prefix `sqlite_`; the others are virtual tables that it brings along.
fn is_sqlite_system(table: &str) -> bool {
    let reserved = ["sqlite_", "pragma_"];
    reserved.iter().any(|prefix| table.starts_with(prefix))
        || ["bytecode", "dbstat", "tables_used"].contains(&table)
}

fn schema(name: &ObjectName) -> Option<String> {
    match name.0.iter().rev().nth(1)? {
        ObjectNamePart::Identifier(ident) => Some(ident.value.to_ascii_lowercase()),
        ObjectNamePart::Function(_) => None,
    }
}
