//! Statements that make one connection of a pool unlike the others.
//!
//! Guards that they are noticed. What is temporary and what is set for a session is seen by one
//! connection only, and no catalog tells which.

mod mysql;
mod postgres;
mod sqlite;

use larder_sql::{Dialect, StatementKind};

/// Whether a statement may do so. It errs to that side: a comment can make it so.
pub(crate) fn makes_private(
    sql: &str,
    kind: Option<StatementKind>,
    is_single: bool,
    dialect: Dialect,
) -> bool {
    // A single statement that reads or writes rows is known to do nothing else.
    if is_single && matches!(kind, Some(StatementKind::Read | StatementKind::Write)) {
        return false;
    }
    match dialect {
        Dialect::MariaDb | Dialect::MySql => mysql::makes_private(sql),
        Dialect::PostgreSql => postgres::makes_private(sql),
        // A dialect that is not known here would be SQLite's.
        _ => sqlite::makes_private(sql),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str) -> bool {
        let analysis = larder_sql::analyze(sql, Dialect::Sqlite);
        makes_private(sql, analysis.ok().map(|analysis| analysis.kind), true, Dialect::Sqlite)
    }

    #[test]
    fn what_one_connection_sees_alone_is_noticed() {
        for sql in [
            "ATTACH DATABASE 'x.db' AS x",
            "attach 'x.db' as x",
            "DETACH x",
            "CREATE TEMP TABLE airline (id)",
            "CREATE TEMPORARY VIEW v AS SELECT 1",
            "create /* a comment */ temp trigger t after insert on a begin select 1; end",
            "CREATE TABLE temp.airline (id)",
            "PRAGMA case_sensitive_like = ON",
            "PRAGMA writable_schema(1)",
            "PRAGMA foreign_keys = OFF",
        ] {
            assert!(check(sql), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for sql in [
            "SELECT 'ATTACH', temp FROM weather",
            "INSERT INTO log VALUES ('CREATE TEMP TABLE')",
            "CREATE TABLE airline (id)",
            "PRAGMA optimize",
            "PRAGMA user_version = 7",
            "PRAGMA table_info('airline')",
            "PRAGMA case_sensitive_like",
            "VACUUM",
        ] {
            assert!(!check(sql), "{sql}");
        }
    }

    #[test]
    fn a_text_of_several_statements_is_looked_through() {
        let sql = "INSERT INTO a VALUES (1); ATTACH 'x.db' AS x";
        assert!(makes_private(sql, Some(StatementKind::Write), false, Dialect::Sqlite));
    }
}
