//! One line per analysis, so that a table of statements can be read.
//!
//! `read < airline flight` is a cacheable query of two tables; `! …` is the reason against
//! caching a query; `> booking` are the tables written and `> *` is everything.

use larder_sql::{Analysis, Dialect, StatementKind, TableName, Uncacheable, Writes, analyze};

/// Checks every statement and shows all that differ at once.
pub(crate) fn check(dialect: Dialect, cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (sql, expected) in cases {
        let found = summary(sql, dialect);
        if found != *expected {
            wrong += &format!("\n{sql}\n  expected: {expected}\n  found:    {found}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

pub(crate) fn summary(sql: &str, dialect: Dialect) -> String {
    let analysis = match analyze(sql, dialect) {
        Ok(analysis) => analysis,
        Err(error) => return format!("error: {error}"),
    };
    let mut line = format!("{:?}", analysis.kind).to_lowercase();
    if !analysis.reads.is_empty() {
        line += " <";
        line += &names(&analysis.reads);
    }
    match &analysis.writes {
        Writes::Everything => line += " > *",
        Writes::Tables(tables) if tables.is_empty() => {}
        Writes::Tables(tables) => {
            line += " >";
            line += &names(tables);
        }
    }
    line += &reason(&analysis);
    line
}

fn names<'a>(tables: impl IntoIterator<Item = &'a TableName>) -> String {
    tables.into_iter().map(|table| format!(" {table}")).collect()
}

/// What follows from the kind is checked here and not repeated in every line.
fn reason(analysis: &Analysis) -> String {
    match (&analysis.cacheability, analysis.kind) {
        (Ok(()), kind) => {
            assert_eq!(kind, StatementKind::Read);
            assert!(analysis.writes.is_empty());
            String::new()
        }
        (Err(Uncacheable::NotARead), kind) => {
            assert_ne!(kind, StatementKind::Read);
            String::new()
        }
        (Err(Uncacheable::Writes), kind) => {
            assert!(kind >= StatementKind::Write || !analysis.writes.is_empty());
            String::new()
        }
        (Err(Uncacheable::Locking), _) => " ! locking".to_owned(),
        (Err(Uncacheable::MultipleStatements), _) => " ! several".to_owned(),
        (Err(Uncacheable::SessionState { name }), _) => format!(" ! session {name}"),
        (Err(Uncacheable::SystemTable { table }), _) => format!(" ! system {table}"),
        (Err(Uncacheable::Temporary { table }), _) => format!(" ! temporary {table}"),
        (Err(Uncacheable::UnknownFunction { name }), _) => format!(" ! unknown {name}"),
        (Err(Uncacheable::Volatile { name }), _) => format!(" ! volatile {name}"),
        (Err(other), _) => format!(" ! {other}"),
    }
}
