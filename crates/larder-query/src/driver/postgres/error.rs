//! PostgreSQL's and sqlx's errors, mapped in one place.
//!
//! Guards that a connection which may be out of step with its server is told from one that only
//! reported an error.

use std::error::Error as _;

use crate::{DatabaseError, DatabaseErrorKind, QueryError};

/// Keeps the error as the source and says what kind it is.
pub(super) fn map(error: sqlx::Error) -> DatabaseError {
    let code = sqlstate(&error).map(|code| code.to_owned().into());
    DatabaseError::new(kind(&error), code, error)
}

/// The server's own code for an error that it reported.
fn sqlstate(error: &sqlx::Error) -> Option<&str> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?.code())
}

fn kind(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(_) => {
            sqlstate(error).map_or(DatabaseErrorKind::Other, kind_of_sqlstate)
        }
        sqlx::Error::PoolTimedOut => DatabaseErrorKind::PoolTimeout,
        // What is not PostgreSQL's protocol comes from something else on that port.
        sqlx::Error::Io(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => DatabaseErrorKind::Connection,
        _ => DatabaseErrorKind::Other,
    }
}

/// The kind of an SQLSTATE, whose first two letters are its class.
///
/// # Source
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind_of_sqlstate(code: &str) -> DatabaseErrorKind {
    match code {
        "23502" => DatabaseErrorKind::NotNullViolation,
        "23503" => DatabaseErrorKind::ForeignKeyViolation,
        "23505" => DatabaseErrorKind::UniqueViolation,
        "23514" => DatabaseErrorKind::CheckViolation,
        // The class of read-only transactions has other members that are no such thing.
        "25006" => DatabaseErrorKind::ReadOnly,
        "25P03" | "57014" => DatabaseErrorKind::Timeout,
        "40001" | "40P01" | "55P03" | "55006" => DatabaseErrorKind::Busy,
        "3D000" => DatabaseErrorKind::MissingDatabase,
        "42501" => DatabaseErrorKind::Authentication,
        "42601" => DatabaseErrorKind::Syntax,
        "42703" => DatabaseErrorKind::MissingColumn,
        "42P01" => DatabaseErrorKind::MissingTable,
        "53100" => DatabaseErrorKind::NoSpace,
        // The server, the database or the role has as many connections as it may have.
        "53300" => DatabaseErrorKind::PoolTimeout,
        "57P05" => DatabaseErrorKind::Connection,
        "XX001" | "XX002" => DatabaseErrorKind::Corrupt,
        _ => match code.get(..2).unwrap_or_default() {
            "08" => DatabaseErrorKind::Connection,
            "23" => DatabaseErrorKind::ConstraintViolation,
            "28" => DatabaseErrorKind::Authentication,
            // Rolled back by the server for the sake of others; too little memory.
            "40" | "53" => DatabaseErrorKind::Busy,
            // The server shuts down or starts up.
            "57" if code.starts_with("57P0") => DatabaseErrorKind::Connection,
            _ => DatabaseErrorKind::Other,
        },
    }
}

/// The driver's own error underneath.
fn driver_error(error: &QueryError) -> Option<&sqlx::Error> {
    let QueryError::Database(error) = error else {
        return None;
    };
    error.source()?.downcast_ref()
}

/// Whether the connection answers nothing any more, or what it answers next is not certain. An
/// error that the server reports for a statement is neither.
pub(super) fn is_broken(error: &QueryError) -> bool {
    match driver_error(error) {
        Some(sqlx::Error::Database(error)) => {
            let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
            error.is_none_or(|error| {
                use sqlx::postgres::PgSeverity::{Fatal, Panic};
                matches!(error.severity(), Fatal | Panic)
            })
        }
        // Found before anything was sent, or after everything was received.
        Some(
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::PoolTimedOut,
        )
        | None => false,
        Some(_) => true,
    }
}

/// Whether a statement may have been prepared for a schema that is gone.
pub(super) fn is_outdated(error: &QueryError) -> bool {
    if let QueryError::ParameterCount { .. } | QueryError::ParameterValue { .. } = error {
        // The column that a parameter is meant for may be of another type by now.
        return true;
    }
    let code = driver_error(error).and_then(sqlstate).unwrap_or_default();
    // A result of another type, a statement that somebody deallocated, anything that is not
    // called or typed as it was, an object whose number is gone.
    matches!(code, "0A000" | "26000" | "XX000") || code.starts_with("42")
}

/// Whether the types of the parameters do not follow from the statement.
pub(super) fn is_undetermined_type(error: &QueryError) -> bool {
    let code = driver_error(error).and_then(sqlstate).unwrap_or_default();
    matches!(code, "42P18" | "42725" | "42804" | "42883" | "42P38")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlstate_has_its_kind() {
        use DatabaseErrorKind::*;
        for (code, expected) in [
            ("08006", Connection),
            ("08P01", Connection),
            ("0A000", Other),
            ("22003", Other),
            ("22P02", Other),
            ("23000", ConstraintViolation),
            ("23502", NotNullViolation),
            ("23503", ForeignKeyViolation),
            ("23505", UniqueViolation),
            ("23514", CheckViolation),
            ("23P01", ConstraintViolation),
            ("25006", ReadOnly),
            ("25P02", Other),
            ("25P03", Timeout),
            ("28000", Authentication),
            ("28P01", Authentication),
            ("40001", Busy),
            ("40002", Busy),
            ("40P01", Busy),
            ("42501", Authentication),
            ("42601", Syntax),
            ("42703", MissingColumn),
            ("42883", Other),
            ("42P01", MissingTable),
            ("53000", Busy),
            ("53100", NoSpace),
            ("53200", Busy),
            ("3D000", MissingDatabase),
            ("53300", PoolTimeout),
            ("55P03", Busy),
            ("57014", Timeout),
            ("57P01", Connection),
            ("57P02", Connection),
            ("57P03", Connection),
            ("57P05", Connection),
            ("58030", Other),
            ("XX000", Other),
            ("XX001", Corrupt),
            ("", Other),
        ] {
            assert_eq!(kind_of_sqlstate(code), expected, "{code}");
        }
        assert!(Busy.is_retryable() && Connection.is_retryable() && Timeout.is_retryable());
    }

    #[test]
    fn a_broken_connection_is_told_from_a_failed_statement() {
        let broken = |error| is_broken(&map(error).into());
        assert!(broken(sqlx::Error::Io(std::io::Error::other("reset"))));
        assert!(broken(sqlx::Error::Protocol("unexpected message".into())));
        assert!(!broken(sqlx::Error::PoolTimedOut));
        assert!(!broken(sqlx::Error::Decode("not UTF-8".into())));
        assert!(!is_broken(&QueryError::RowNotFound));
    }
}
