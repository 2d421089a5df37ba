//! What there is, and what it looks like.
//!
//! Invariant: what is described is one state of the schema. The server counts the statements that
//! change one; if it counted none while the tables were read, or two readings are equal, nothing
//! changed in between.

use std::collections::BTreeSet;

use larder_model::{Catalog, Dialect, Table, TableKind, TableName};

use super::{charsets::Charsets, keys::without_implicit_indexes, parse, watch};
use crate::{Cell, Session, SessionError, SessionErrorKind, Target};

/// How often the tables are read before it is given up that they stand still.
const READINGS_MAX: usize = 5;

pub(in crate::introspect) async fn introspect(
    session: &mut dyn Session,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let mut previous: Option<Reading> = None;
    for _ in 0..READINGS_MAX {
        let before = watch::signal(session).await?;
        let reading = match read(session, target).await {
            Ok(reading) => reading,
            // It was dropped after it had been listed.
            Err(error) if error.kind() == SessionErrorKind::UndefinedTable => continue,
            Err(error) => return Err(error),
        };
        let stands_still = before == watch::signal(session).await?
            || previous.as_ref().is_some_and(|previous| *previous == reading);
        if stands_still {
            return Ok(reading.catalog(session));
        }
        previous = Some(reading);
    }
    Err(SessionError::new(SessionErrorKind::Conflict, None, None))
}

/// What the server printed.
#[derive(PartialEq, Eq)]
struct Reading {
    environment: Environment,
    listed: Vec<Listed>,
    /// One for each listed table; none for what is no table.
    definitions: Vec<Option<String>>,
}

impl Reading {
    fn catalog(self, session: &dyn Session) -> Catalog {
        let context = self.environment.context(session);
        let pairs = self.listed.iter().zip(&self.definitions);
        let tables = pairs.map(|(listed, definition)| {
            let Some(sql) = definition else {
                return Table { kind: listed.kind, ..Table::new(TableName::new(&listed.name)) };
            };
            let mut table = parse::table(&listed.name, sql, context);
            without_implicit_indexes(&mut table);
            self.environment.fold(&mut table);
            table
        });
        Catalog { enums: Vec::new(), tables: tables.collect() }
    }
}

/// Something that has a table's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) kind: TableKind,
}

/// What the meaning of a definition depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    charsets: Charsets,
    /// The default collation of the database.
    collation: Option<String>,
    /// Whether the server takes names of tables for one that differ in case.
    is_folded: bool,
}

impl Environment {
    pub(super) fn context<'a>(&'a self, session: &dyn Session) -> parse::Context<'a> {
        parse::Context {
            dialect: session.dialect(),
            charsets: &self.charsets,
            collation: self.collation.as_deref(),
        }
    }

    /// A name as the server compares it.
    pub(super) fn folded(&self, name: &str) -> String {
        if self.is_folded { name.to_lowercase() } else { name.to_owned() }
    }

    /// Writes the names of tables as the server compares them, and leaves out the collation that
    /// the table would have anyway.
    pub(super) fn fold(&self, table: &mut Table) {
        table.collation =
            table.collation.take().filter(|name| Some(name) != self.collation.as_ref());
        let fold = |name: &mut String| *name = self.folded(name);
        fold(&mut table.name.name);
        if let Some(name) = &mut table.renamed_from {
            fold(name);
        }
        for key in &mut table.foreign_keys {
            fold(&mut key.target.name);
        }
    }
}

async fn read(session: &mut dyn Session, target: &Target) -> Result<Reading, SessionError> {
    let (environment, mut listed) = match target {
        Target::Schema(_) => list(session, None).await?,
        Target::Tables(names) => list(session, Some(names)).await?,
    };
    if let Target::Tables(names) = target {
        let names: Vec<_> = names.iter().map(|name| environment.folded(&name.name)).collect();
        listed.retain(|listed| names.contains(&environment.folded(&listed.name)));
    }
    let tables: Vec<_> = listed.iter().filter(|listed| listed.kind == TableKind::Table).collect();
    let names: Vec<_> = tables.iter().map(|listed| listed.name.as_str()).collect();
    let mut shown = show(session, &names).await?.into_iter();
    let definitions = listed
        .iter()
        .map(|listed| if listed.kind == TableKind::Table { shown.next() } else { None })
        .collect();
    Ok(Reading { environment, listed, definitions })
}

/// The rows of three questions, told apart by their first column. Sequences of MariaDB and views
/// are listed as tables.
const ENVIRONMENT: &str = "SELECT 'charset', CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME \
    FROM information_schema.CHARACTER_SETS; \
    SELECT 'database', @@collation_database, CAST(@@lower_case_table_names AS CHAR)";
const TABLES: &str = "SELECT 'table', TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = DATABASE()";

/// Up to so many tables are looked for one by one. MariaDB opens every table of the database to
/// tell what it is, unless it is asked for one by its name.
const NAMED_MAX: usize = 50;

/// What lists the tables of these names, or of any name, and perhaps some others.
fn list_sql(dialect: Dialect, names: Option<&[TableName]>) -> String {
    let Some(names) = names.filter(|names| names.len() <= NAMED_MAX) else {
        return format!("{ENVIRONMENT}; {TABLES} ORDER BY TABLE_NAME");
    };
    let given = names.iter().map(|name| name.name.clone());
    if names.is_empty() {
        return ENVIRONMENT.to_owned();
    }
    // As a server stores them that does not tell them apart.
    let small = names.iter().map(|name| name.name.to_lowercase());
    let spelled: BTreeSet<_> = given.chain(small).collect();
    let one = |name: &String| format!("{TABLES} AND TABLE_NAME = {}", dialect.text(name));
    let all: Vec<_> = spelled.iter().map(one).collect();
    // What both spellings find is one table.
    format!("{ENVIRONMENT}; {} ORDER BY 2", all.join(" UNION "))
}

/// What there is in the current database that has a table's name, or one of these names.
pub(super) async fn list(
    session: &mut dyn Session,
    names: Option<&[TableName]>,
) -> Result<(Environment, Vec<Listed>), SessionError> {
    let sql = list_sql(session.dialect(), names);
    let (mut environment, mut listed) = (Environment::default(), Vec::new());
    for row in session.fetch(&sql, &[]).await? {
        let text = |at: usize| row.get(at).and_then(Cell::as_text).unwrap_or_default();
        match text(0) {
            "charset" => environment.charsets.insert(text(1), text(2)),
            "database" => {
                environment.collation = Some(text(1).to_owned()).filter(|name| !name.is_empty());
                environment.is_folded = text(2) != "0";
            }
            _ => {
                let kind = match text(2) {
                    "BASE TABLE" | "SYSTEM VERSIONED" => TableKind::Table,
                    "VIEW" | "SYSTEM VIEW" => TableKind::View,
                    _ => TableKind::Other,
                };
                listed.push(Listed { name: text(1).to_owned(), kind });
            }
        }
    }
    Ok((environment, listed))
}

/// The definitions of tables, in their order, by one text.
pub(super) async fn show(
    session: &mut dyn Session,
    names: &[&str],
) -> Result<Vec<String>, SessionError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = session.dialect();
    let statements: Vec<_> =
        names.iter().map(|name| format!("SHOW CREATE TABLE {}", dialect.quoted(name))).collect();
    let rows = session.fetch(&statements.join("; "), &[]).await?;
    let definition = |row: &Vec<Cell>| row.get(1).and_then(Cell::as_text).map(str::to_owned);
    Ok(rows.iter().filter_map(definition).collect())
}
