//! PostgreSQL's and sqlx's errors, mapped in one place.
//!
//! Guards that a caller learns what it can do about an error, and never a part of the URL.

use sqlx::postgres::PgDatabaseError;

use crate::{SessionError, SessionErrorKind};

/// Keeps the error as the source and says what kind it is.
pub(super) fn map(error: sqlx::Error) -> SessionError {
    let (kind, code) = match &error {
        sqlx::Error::Database(reported) => {
            let reported = reported.try_downcast_ref::<PgDatabaseError>();
            let code = reported.map_or("", PgDatabaseError::code);
            let schema = reported.and_then(PgDatabaseError::schema);
            (kind_of(code, schema), Some(code.to_owned()))
        }
        // What is not PostgreSQL's protocol comes from something else on that port.
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => (SessionErrorKind::Connection, None),
        sqlx::Error::Configuration(_) => (SessionErrorKind::Unsupported, None),
        _ => (SessionErrorKind::Statement, None),
    };
    SessionError::new(kind, code, Some(Box::new(error)))
}

/// The kind of an SQLSTATE, whose first two letters are its class; `schema` is that of the table
/// that the error is about.
///
/// # Source
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind_of(code: &str, schema: Option<&str>) -> SessionErrorKind {
    match code {
        // Two sessions created one thing at one time, and the catalog's own key told them apart.
        "23505" if schema == Some("pg_catalog") => SessionErrorKind::Conflict,
        // The catalog's row was changed by another session ("tuple concurrently updated") or is
        // gone ("cache lookup failed"); both are gone when one looks again.
        "XX000" | "40001" | "40P01" => SessionErrorKind::Conflict,
        "55P03" | "55006" => SessionErrorKind::Busy,
        // A function or a type that is not there belongs to an extension or a file that is not.
        "3F000" | "42704" | "42883" | "42P01" => SessionErrorKind::UndefinedTable,
        "42703" => SessionErrorKind::UndefinedColumn,
        "42701" | "42710" | "42723" | "42P06" | "42P07" => SessionErrorKind::Exists,
        // A read-only transaction or a standby refuses what a role without the right would be
        // refused.
        "25006" | "42501" => SessionErrorKind::Permission,
        "3D000" | "53300" => SessionErrorKind::Connection,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => SessionErrorKind::Connection,
        _ => match code.get(..2).unwrap_or_default() {
            "08" => SessionErrorKind::Connection,
            "28" => SessionErrorKind::Permission,
            _ => SessionErrorKind::Statement,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlstate_has_its_kind() {
        use SessionErrorKind::*;
        for (code, expected) in [
            ("08000", Connection),
            ("08006", Connection),
            ("08P01", Connection),
            ("22001", Statement),
            ("23505", Statement),
            ("23514", Statement),
            ("25006", Permission),
            ("25P02", Statement),
            ("28000", Permission),
            ("28P01", Permission),
            ("2BP01", Statement),
            ("3D000", Connection),
            ("3F000", UndefinedTable),
            ("40001", Conflict),
            ("40P01", Conflict),
            ("42501", Permission),
            ("42601", Statement),
            ("42701", Exists),
            ("42703", UndefinedColumn),
            ("42704", UndefinedTable),
            ("42710", Exists),
            ("42883", UndefinedTable),
            ("42P01", UndefinedTable),
            ("42P06", Exists),
            ("42P07", Exists),
            ("53300", Connection),
            ("55006", Busy),
            ("55P03", Busy),
            ("57014", Statement),
            ("57P01", Connection),
            ("57P03", Connection),
            ("XX000", Conflict),
            ("", Statement),
        ] {
            assert_eq!(kind_of(code, None), expected, "{code}");
        }
    }

    #[test]
    fn a_doubled_key_of_the_catalog_is_a_conflict_and_one_of_a_table_is_not() {
        assert_eq!(kind_of("23505", Some("pg_catalog")), SessionErrorKind::Conflict);
        assert_eq!(kind_of("23505", Some("public")), SessionErrorKind::Statement);
    }

    #[test]
    fn a_broken_connection_is_told_from_a_failed_statement() {
        let io = sqlx::Error::Io(std::io::Error::other("reset"));
        assert_eq!(map(io).kind(), SessionErrorKind::Connection);
        let decode = sqlx::Error::Decode("not UTF-8".into());
        assert_eq!(map(decode).kind(), SessionErrorKind::Statement);
    }
}
