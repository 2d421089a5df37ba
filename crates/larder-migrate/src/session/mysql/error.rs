//! The server's and sqlx's errors, mapped in one place.

use sqlx::mysql::MySqlDatabaseError;

use crate::{SessionError, SessionErrorKind};

/// Keeps the error as the source and says what kind it is.
pub(super) fn map(error: sqlx::Error) -> SessionError {
    let number = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .map(MySqlDatabaseError::number);
    let kind = match number {
        Some(number) => kind_of_number(number),
        None => kind_of(&error),
    };
    SessionError::new(kind, number.map(|number| number.to_string()), Some(error.into()))
}

const fn kind_of(error: &sqlx::Error) -> SessionErrorKind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => SessionErrorKind::Connection,
        sqlx::Error::Configuration(_) => SessionErrorKind::Unsupported,
        _ => SessionErrorKind::Statement,
    }
}

/// # Source
/// <https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html> and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
const fn kind_of_number(number: u16) -> SessionErrorKind {
    match number {
        // A lock was held for too long, or is not waited for.
        1205 | 3572 => SessionErrorKind::Busy,
        // Too many connections; the server shuts down, or somebody ended the connection.
        1040 | 1053 | 1079 | 1080 | 1152 | 1158 | 1159 | 1160 | 1161 | 1184 | 1203 | 1226
        | 1927 | 2002 | 2003 | 2006 | 2013 | 3169 | 4031 => SessionErrorKind::Connection,
        // A deadlock; the table was changed while it was read.
        1213 | 1412 => SessionErrorKind::Conflict,
        // A database, a table, a column, a key, a foreign key, a check.
        1007 | 1050 | 1060 | 1061 | 1826 | 3822 => SessionErrorKind::Exists,
        // A database, a login, a table, a column, an operation, a routine; a locked account.
        1044 | 1045 | 1095 | 1129 | 1130 | 1142 | 1143 | 1227 | 1251 | 1370 | 1410 | 1698
        | 1820 | 1862 | 3118 | 3955 | 4151 => SessionErrorKind::Permission,
        // A column, or a column or key that was to be dropped.
        1054 | 1091 => SessionErrorKind::UndefinedColumn,
        1051 | 1146 => SessionErrorKind::UndefinedTable,
        _ => SessionErrorKind::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_kind() {
        use SessionErrorKind::*;
        for (number, expected) in [
            (1044, Permission),
            (1045, Permission),
            (1049, Statement),
            (1050, Exists),
            (1051, UndefinedTable),
            (1054, UndefinedColumn),
            (1060, Exists),
            (1061, Exists),
            (1064, Statement),
            (1091, UndefinedColumn),
            (1142, Permission),
            (1146, UndefinedTable),
            (1205, Busy),
            (1213, Conflict),
            (1227, Permission),
            (1826, Exists),
            (2006, Connection),
            (2013, Connection),
            (3572, Busy),
            (3822, Exists),
            (4031, Connection),
        ] {
            assert_eq!(kind_of_number(number), expected, "{number}");
        }
    }

    #[test]
    fn what_the_driver_says_has_its_kind() {
        let io = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(map(io).kind(), SessionErrorKind::Connection);
        let odd = sqlx::Error::Protocol("odd".into());
        assert_eq!(map(odd).kind(), SessionErrorKind::Connection);
        assert_eq!(map(sqlx::Error::RowNotFound).kind(), SessionErrorKind::Statement);
    }
}
