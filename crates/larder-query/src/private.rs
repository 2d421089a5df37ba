//! Statements that make one connection of a pool unlike the others.
//!
//! Guards that they are noticed. Temporary tables, views and triggers, attached databases and
//! some settings are seen by one connection only, and no catalog tells which.

use larder_sql::StatementKind;

/// Settings that change no answer and no write.
const HARMLESS: [&str; 16] = [
    "ANALYSIS_LIMIT",
    "APPLICATION_ID",
    "AUTOMATIC_INDEX",
    "BUSY_TIMEOUT",
    "CACHE_SIZE",
    "FOREIGN_KEY_CHECK",
    "INCREMENTAL_VACUUM",
    "INTEGRITY_CHECK",
    "JOURNAL_MODE",
    "MMAP_SIZE",
    "OPTIMIZE",
    "QUICK_CHECK",
    "SCHEMA_VERSION",
    "SYNCHRONOUS",
    "USER_VERSION",
    "WAL_CHECKPOINT",
];

/// Whether a statement may do so. It errs to that side: a comment can make it so.
pub(crate) fn makes_private(sql: &str, kind: Option<StatementKind>, is_single: bool) -> bool {
    // A single statement that reads or writes rows is known to do nothing else.
    if is_single && matches!(kind, Some(StatementKind::Read | StatementKind::Write)) {
        return false;
    }
    let sql = sql.to_ascii_uppercase();
    let mut words = sql.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    while let Some(word) = words.next() {
        match word {
            "ATTACH" | "DETACH" | "TEMP" | "TEMPORARY" => return true,
            "PRAGMA" if changes_setting(&sql) && !words.next().is_some_and(is_harmless) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// A pragma without an argument only tells.
fn changes_setting(sql: &str) -> bool {
    sql.contains(['=', '('])
}

/// Pragmas that list something take the name of a table.
fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || name.ends_with("_LIST") || name.ends_with("INFO")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str) -> bool {
        let analysis = larder_sql::analyze(sql, larder_sql::Dialect::Sqlite);
        makes_private(sql, analysis.ok().map(|analysis| analysis.kind), true)
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
        assert!(makes_private(sql, Some(StatementKind::Write), false));
    }
}
