//! SQLite's and sqlx's errors, mapped in one place.

use crate::{SessionError, SessionErrorKind};

/// Keeps the error as the source and says what can be done about it.
pub(super) fn map(error: sqlx::Error) -> SessionError {
    let code = error.as_database_error().and_then(|error| error.code()).map(Into::into);
    SessionError::new(kind(&error), code, Some(Box::new(error)))
}

fn kind(error: &sqlx::Error) -> SessionErrorKind {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            kind_of_code(code.unwrap_or_default(), error.message())
        }
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => SessionErrorKind::Connection,
        _ => SessionErrorKind::Statement,
    }
}

/// The kind of an extended result code, whose low byte is the primary one.
///
/// # Source
/// <https://sqlite.org/rescode.html>. The code 1 stands for everything that is wrong with a
/// statement; which of it is only in the message.
fn kind_of_code(code: i32, message: &str) -> SessionErrorKind {
    match code & 0xff {
        1 => kind_of_message(message),
        // Permission, authorisation, a file or a database that may only be read.
        3 | 8 | 23 => SessionErrorKind::Permission,
        5 | 6 => SessionErrorKind::Busy,
        // Input and output, a file that is damaged, can not be opened or is no database.
        10 | 11 | 14 | 26 => SessionErrorKind::Connection,
        // The schema changed again and again while a statement began.
        17 => SessionErrorKind::Conflict,
        _ => SessionErrorKind::Statement,
    }
}

fn kind_of_message(message: &str) -> SessionErrorKind {
    let has = |part| message.contains(part);
    if has("no such column") || has(" has no column named ") {
        SessionErrorKind::UndefinedColumn
    } else if has("no such table") || has("no such view") || has("no such index") {
        SessionErrorKind::UndefinedTable
    } else if has("already exists") || has("there is already") || has("duplicate column name") {
        SessionErrorKind::Exists
    } else {
        SessionErrorKind::Statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind() {
        use SessionErrorKind::*;
        for (code, expected) in [
            (3, Permission),
            (5, Busy),
            (261, Busy),
            (517, Busy),
            (6, Busy),
            (262, Busy),
            (8, Permission),
            (1032, Permission),
            (10, Connection),
            (778, Connection),
            (11, Connection),
            (14, Connection),
            (270, Connection),
            (17, Conflict),
            (19, Statement),
            (23, Permission),
            (26, Connection),
        ] {
            assert_eq!(kind_of_code(code, ""), expected, "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_statement_is_in_its_message() {
        use SessionErrorKind::*;
        for (message, expected) in [
            ("no such table: main.x", UndefinedTable),
            ("error in view v: no such table: main.x", UndefinedTable),
            ("no such index: x", UndefinedTable),
            ("no such column: x", UndefinedColumn),
            ("table t has no column named x", UndefinedColumn),
            ("no such column: \"x\"", UndefinedColumn),
            ("table t already exists", Exists),
            ("index i already exists", Exists),
            ("there is already a table named i", Exists),
            ("duplicate column name: a", Exists),
            ("near \"SELEC\": syntax error", Statement),
        ] {
            assert_eq!(kind_of_code(1, message), expected, "{message}");
        }
    }

    #[tokio::test]
    async fn the_messages_are_those_that_sqlite_has() {
        use SessionErrorKind::*;
        let url = "sqlite::memory:".parse().unwrap();
        let mut session = crate::session::sqlite::connect(&url).await.unwrap();
        session.run("CREATE TABLE t (a); CREATE INDEX i ON t (a)").await.unwrap();
        for (sql, expected) in [
            ("CREATE TABLE t (a)", Exists),
            ("CREATE TABLE i (a)", Exists),
            ("CREATE INDEX t ON t (a)", Exists),
            ("ALTER TABLE t ADD COLUMN a", Exists),
            ("CREATE INDEX i ON t (a)", Exists),
            ("SELECT a FROM u", UndefinedTable),
            ("DROP TABLE u", UndefinedTable),
            ("DROP INDEX u", UndefinedTable),
            ("SELECT b FROM t", UndefinedColumn),
            ("INSERT INTO t (b) VALUES (1)", UndefinedColumn),
            ("ALTER TABLE t DROP COLUMN b", UndefinedColumn),
            ("SELEC", Statement),
        ] {
            let error = session.run(sql).await.unwrap_err();
            assert_eq!(error.kind(), expected, "{sql}");
            assert!(error.code().is_some(), "{sql}");
        }
    }
}
