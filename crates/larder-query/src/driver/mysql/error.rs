//! The server's and sqlx's errors, mapped in one place.

use std::error::Error as _;

use sqlx::mysql::MySqlDatabaseError;

use crate::{DatabaseError, DatabaseErrorKind, QueryError};

/// Keeps the error as the source and says what kind it is.
pub(super) fn map(error: sqlx::Error) -> DatabaseError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .map(|code| code.into_owned().into());
    DatabaseError::new(kind(&error), code, error)
}

/// An error of our own about the connection.
pub(super) fn own(kind: DatabaseErrorKind, message: &'static str) -> DatabaseError {
    DatabaseError::new(kind, None, message)
}

/// The server's number for an error.
pub(super) fn number(error: &QueryError) -> Option<u16> {
    number_of(sqlx_error(error)?)
}

/// Whether the connection may answer further statements: only an error that the server sent as
/// the answer to a statement leaves both sides in step.
pub(super) fn keeps_connection(error: &QueryError) -> bool {
    match sqlx_error(error) {
        Some(error) => number_of(error).is_some_and(|number| !ENDS_SESSION.contains(&number)),
        // Ours: nothing was sent.
        None => true,
    }
}

/// Whether the connection was gone before the statement, or went with it.
pub(super) fn is_lost(error: &QueryError) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Io(_)) => true,
        Some(error) => number_of(error).is_some_and(|number| ENDS_SESSION.contains(&number)),
        None => false,
    }
}

/// Whether the server had given up the connection before it saw the statement.
pub(super) fn was_never_seen(error: &QueryError) -> bool {
    number(error) == Some(IDLE_FOR_TOO_LONG)
}

/// What the server says when it ends a connection that lay idle, before it closes it.
const IDLE_FOR_TOO_LONG: u16 = 4031;
/// The server shuts down, or somebody killed the connection.
const ENDS_SESSION: [u16; 8] = [1053, 1079, 1080, 1927, 2006, 2013, 3169, IDLE_FOR_TOO_LONG];

fn sqlx_error(error: &QueryError) -> Option<&sqlx::Error> {
    let QueryError::Database(error) = error else { return None };
    error.source()?.downcast_ref()
}

fn number_of(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

fn kind(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(_) => {
            let sqlstate = error.as_database_error().and_then(|error| error.code());
            kind_of_number(number_of(error).unwrap_or_default(), sqlstate.as_deref())
        }
        sqlx::Error::PoolTimedOut => DatabaseErrorKind::PoolTimeout,
        sqlx::Error::Io(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => DatabaseErrorKind::Connection,
        _ => DatabaseErrorKind::Other,
    }
}

/// The kind of an error number. The SQLSTATE decides where the two servers use one number for
/// two things.
///
/// # Source
/// <https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html> and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
fn kind_of_number(number: u16, sqlstate: Option<&str>) -> DatabaseErrorKind {
    match number {
        // No access to a server, database, table, column, routine; the account is locked or its
        // password has expired; the host is blocked.
        1044 | 1045 | 1095 | 1129 | 1130 | 1142 | 1143 | 1227 | 1251 | 1370 | 1410 | 1698
        | 1820 | 1862 | 3118 | 3955 | 4151 => DatabaseErrorKind::Authentication,
        // Deadlock, a lock held for too long, the lock table is full, a row changed meanwhile.
        1205 | 1206 | 1213 | 3058 | 3572 => DatabaseErrorKind::Busy,
        1020 => DatabaseErrorKind::Busy,
        3819 => DatabaseErrorKind::CheckViolation,
        4025 if sqlstate == Some("23000") => DatabaseErrorKind::CheckViolation,
        // Too many connections; the server or the account shuts down or is over its limits.
        1040 | 1053 | 1079 | 1080 | 1152 | 1158 | 1159 | 1160 | 1161 | 1184 | 1203 | 1226
        | 1927 | 2002 | 2003 | 2006 | 2013 | 3169 | 4031 => DatabaseErrorKind::Connection,
        // A table or its index is damaged.
        1034 | 1035 | 1194 | 1195 | 1712 | 1877 => DatabaseErrorKind::Corrupt,
        1216 | 1217 | 1451 | 1452 | 1761 | 1762 => DatabaseErrorKind::ForeignKeyViolation,
        1054 => DatabaseErrorKind::MissingColumn,
        // An unknown table, an unknown database.
        1049 => DatabaseErrorKind::MissingDatabase,
        1051 | 1109 | 1146 => DatabaseErrorKind::MissingTable,
        // The disk, a table, the temporary space, a file.
        1021 | 1041 | 1114 | 3519 => DatabaseErrorKind::NoSpace,
        1048 | 1263 | 1364 => DatabaseErrorKind::NotNullViolation,
        1290 | 1792 | 1836 | 3100 | 4208 => DatabaseErrorKind::ReadOnly,
        1064 | 1149 | 1295 => DatabaseErrorKind::Syntax,
        1317 | 1907 | 1969 | 3024 => DatabaseErrorKind::Timeout,
        1022 | 1062 | 1169 | 1586 | 1859 => DatabaseErrorKind::UniqueViolation,
        _ => kind_of_sqlstate(sqlstate.unwrap_or_default()),
    }
}

/// The kind of what has no number in the table.
fn kind_of_sqlstate(sqlstate: &str) -> DatabaseErrorKind {
    match sqlstate {
        "28000" => DatabaseErrorKind::Authentication,
        "40001" => DatabaseErrorKind::Busy,
        "42S02" => DatabaseErrorKind::MissingTable,
        "42S22" => DatabaseErrorKind::MissingColumn,
        "70100" => DatabaseErrorKind::Timeout,
        state if state.starts_with("08") => DatabaseErrorKind::Connection,
        state if state.starts_with("23") => DatabaseErrorKind::ConstraintViolation,
        _ => DatabaseErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_kind() {
        use DatabaseErrorKind::*;
        for (number, sqlstate, expected) in [
            (1040, "08004", Connection),
            (1044, "42000", Authentication),
            (1045, "28000", Authentication),
            (1048, "23000", NotNullViolation),
            (1054, "42S22", MissingColumn),
            (1062, "23000", UniqueViolation),
            (1064, "42000", Syntax),
            (1114, "HY000", NoSpace),
            (1021, "HY000", NoSpace),
            (1142, "42000", Authentication),
            (1146, "42S02", MissingTable),
            (1203, "42000", Connection),
            (1205, "HY000", Busy),
            (1213, "40001", Busy),
            (1290, "HY000", ReadOnly),
            (1317, "70100", Timeout),
            (1364, "HY000", NotNullViolation),
            (1451, "23000", ForeignKeyViolation),
            (1452, "23000", ForeignKeyViolation),
            (1792, "25006", ReadOnly),
            (1836, "HY000", ReadOnly),
            (1969, "70100", Timeout),
            (2006, "HY000", Connection),
            (2013, "HY000", Connection),
            (3024, "HY000", Timeout),
            (3819, "HY000", CheckViolation),
            (4025, "23000", CheckViolation),
            // MySQL's number for something else.
            (4025, "HY000", Other),
            (4031, "HY000", Connection),
            (9999, "23000", ConstraintViolation),
            (9999, "40001", Busy),
            (9999, "HY000", Other),
        ] {
            assert_eq!(kind_of_number(number, Some(sqlstate)), expected, "{number} {sqlstate}");
        }
    }

    #[test]
    fn only_the_servers_own_answers_keep_a_connection() {
        let io = || QueryError::from(map(sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into())));
        assert!(!keeps_connection(&io()) && is_lost(&io()));
        let protocol = QueryError::from(map(sqlx::Error::Protocol("odd".into())));
        assert!(!keeps_connection(&protocol) && !is_lost(&protocol));
        assert!(keeps_connection(&QueryError::RowNotFound));
        assert!(!was_never_seen(&io()));
    }
}
