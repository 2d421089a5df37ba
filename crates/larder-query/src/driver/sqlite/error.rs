//! SQLite's and sqlx's errors, mapped in one place.

use std::error::Error as _;

use crate::{DatabaseError, DatabaseErrorKind, QueryError};

/// Keeps the error as the source and says what kind it is.
pub(super) fn map(error: sqlx::Error) -> DatabaseError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .map(|code| code.into_owned().into());
    DatabaseError::new(kind(&error), code, error)
}

/// Whether the connection's thread died, so that the connection answers nothing any more.
pub(super) fn is_dead(error: &QueryError) -> bool {
    let QueryError::Database(error) = error else {
        return false;
    };
    let source = error.source().and_then(|source| source.downcast_ref());
    matches!(source, Some(sqlx::Error::WorkerCrashed))
}

fn kind(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok());
            kind_of_code(code.unwrap_or_default(), error.message())
        }
        sqlx::Error::PoolTimedOut => DatabaseErrorKind::PoolTimeout,
        sqlx::Error::Io(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => DatabaseErrorKind::Connection,
        _ => DatabaseErrorKind::Other,
    }
}

/// The kind of an extended result code, whose low byte is the primary one.
///
/// # Source
/// <https://sqlite.org/rescode.html>. The code 1 stands for everything that is wrong with a
/// statement; which of it is only in the message.
fn kind_of_code(code: i32, message: &str) -> DatabaseErrorKind {
    match (code & 0xff, code >> 8) {
        (1, _) => kind_of_message(message),
        (3 | 23, _) => DatabaseErrorKind::Authentication,
        (5 | 6, _) => DatabaseErrorKind::Busy,
        (8, _) => DatabaseErrorKind::ReadOnly,
        (9, _) => DatabaseErrorKind::Timeout,
        (10 | 14, _) => DatabaseErrorKind::Connection,
        (11 | 26, _) => DatabaseErrorKind::Corrupt,
        (13, _) => DatabaseErrorKind::NoSpace,
        (19, 1) => DatabaseErrorKind::CheckViolation,
        (19, 3) => DatabaseErrorKind::ForeignKeyViolation,
        (19, 5) => DatabaseErrorKind::NotNullViolation,
        // A primary key, a unique index, a rowid.
        (19, 6 | 8 | 10) => DatabaseErrorKind::UniqueViolation,
        (19, _) => DatabaseErrorKind::ConstraintViolation,
        _ => DatabaseErrorKind::Other,
    }
}

fn kind_of_message(message: &str) -> DatabaseErrorKind {
    if message.starts_with("no such table") {
        DatabaseErrorKind::MissingTable
    } else if message.starts_with("no such column") || message.contains(" has no column named ") {
        DatabaseErrorKind::MissingColumn
    } else if message.ends_with("syntax error")
        || message.starts_with("incomplete input")
        || message.starts_with("unrecognized token")
    {
        DatabaseErrorKind::Syntax
    } else {
        DatabaseErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_kind() {
        use DatabaseErrorKind::*;
        for (code, expected) in [
            (5, Busy),
            (517, Busy),
            (6, Busy),
            (262, Busy),
            (8, ReadOnly),
            (1032, ReadOnly),
            (9, Timeout),
            (11, Corrupt),
            (13, NoSpace),
            (14, Connection),
            (26, Corrupt),
            (275, CheckViolation),
            (787, ForeignKeyViolation),
            (1299, NotNullViolation),
            (1555, UniqueViolation),
            (2067, UniqueViolation),
            (2579, UniqueViolation),
            (1811, ConstraintViolation),
            (21, Other),
        ] {
            assert_eq!(kind_of_code(code, ""), expected, "{code}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_statement_is_in_its_message() {
        use DatabaseErrorKind::*;
        for (message, expected) in [
            ("no such table: main.x", MissingTable),
            ("no such column: x", MissingColumn),
            ("table t has no column named x", MissingColumn),
            ("near \"SELEC\": syntax error", Syntax),
            ("incomplete input", Syntax),
            ("unrecognized token: \"#\"", Syntax),
            ("wrong number of arguments to function abs()", Other),
        ] {
            assert_eq!(kind_of_code(1, message), expected, "{message}");
        }
    }

    #[test]
    fn a_dead_connection_is_told_from_other_errors() {
        assert!(is_dead(&map(sqlx::Error::WorkerCrashed).into()));
        assert!(!is_dead(&map(sqlx::Error::PoolClosed).into()));
        assert!(!is_dead(&QueryError::RowNotFound));
    }

    #[test]
    fn errors_of_the_pool_and_the_worker_have_kinds() {
        assert_eq!(map(sqlx::Error::PoolTimedOut).kind(), DatabaseErrorKind::PoolTimeout);
        assert_eq!(map(sqlx::Error::PoolClosed).kind(), DatabaseErrorKind::Connection);
        assert_eq!(map(sqlx::Error::WorkerCrashed).kind(), DatabaseErrorKind::Connection);
    }
}
