//! What really excludes others on each database.
//!
//! Invariants: the database gives the lock up with the connection or the transaction that holds
//! it, so that a process that is killed leaves nothing behind; an answer other than "you have it"
//! means that one has it not.

use std::time::Duration;

use larder_model::Dialect;
use sha2::{Digest as _, Sha256};

use crate::{Cell, Param, Session, SessionError, SessionErrorKind, hex, registry::Names};

/// How long the lock has to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exclusion {
    /// As long as the connection: for statements that run in no transaction, and for databases
    /// whose statements commit by themselves.
    Session,
    /// As long as one transaction, which also works through a pooler.
    Transaction,
}

/// What the lock is called.
#[derive(Clone, Debug)]
pub(crate) enum LockKey {
    /// MySQL and MariaDB: a name, one for the whole server.
    Name(String),
    /// PostgreSQL: a number, one for the database.
    Number(i64),
    /// SQLite: the file's own lock.
    File,
}

/// Who holds a lock, as the database sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The connection.
    pub(crate) session: String,
    /// For how long it has been running no statement; `None`: it is running one, or the database
    /// does not say.
    pub(crate) idle: Option<Duration>,
}

impl LockKey {
    pub(crate) async fn find(
        session: &mut dyn Session,
        names: &Names,
    ) -> Result<Self, SessionError> {
        let digest =
            |parts: [&str; 2]| Sha256::digest(format!("larder\0{}\0{}", parts[0], parts[1]));
        match names.dialect {
            Dialect::Sqlite => Ok(Self::File),
            Dialect::MariaDb | Dialect::MySql => {
                let rows = session.fetch("SELECT DATABASE()", &[]).await?;
                let database = rows.first().and_then(|row| row.first()).and_then(Cell::as_text);
                let digest = digest([database.unwrap_or_default(), &names.prefix]);
                // Names of locks have up to 64 characters, and their case does not count.
                Ok(Self::Name(format!("larder:{}", &hex(&digest)[..40])))
            }
            _ => {
                let digest = digest([&names.schema, &names.prefix]);
                let first = std::array::from_fn(|at| digest[at]);
                Ok(Self::Number(i64::from_be_bytes(first)))
            }
        }
    }

    /// Tries to take the lock. `false`: somebody else has it. On PostgreSQL and SQLite a
    /// transaction is open afterwards if it is taken for one.
    pub(crate) async fn take(
        &self,
        session: &mut dyn Session,
        exclusion: Exclusion,
        settings: &str,
    ) -> Result<bool, SessionError> {
        match (self, exclusion) {
            (Self::Name(name), _) => {
                // NULL, which MariaDB answers at once to a wait without end, is an error.
                let sql = "SELECT CAST(GET_LOCK(?, 1) AS SIGNED)";
                let answer = session.fetch(sql, &[Param::Text(name)]).await?;
                match answer.first().and_then(|row| row.first()) {
                    Some(Cell::Integer(1)) => Ok(true),
                    Some(Cell::Integer(_)) => Ok(false),
                    _ => Err(SessionError::new(SessionErrorKind::Statement, None, None)),
                }
            }
            (Self::Number(number), Exclusion::Transaction) => {
                session.begin().await?;
                session.run(settings).await?;
                let sql = "SELECT CAST(pg_try_advisory_xact_lock($1) AS integer)";
                let is_taken = answer(session, sql, &[Param::Integer(*number)]).await? == Some(1);
                if !is_taken {
                    session.rollback().await?;
                }
                Ok(is_taken)
            }
            (Self::Number(number), Exclusion::Session) => {
                session.run(settings).await?;
                let sql = "SELECT CAST(pg_try_advisory_lock($1) AS integer)";
                Ok(answer(session, sql, &[Param::Integer(*number)]).await? == Some(1))
            }
            (Self::File, Exclusion::Transaction) => match session.begin().await {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == SessionErrorKind::Busy => Ok(false),
                Err(error) => Err(error),
            },
            // The lease alone excludes, because the file's lock ends with a transaction.
            (Self::File, Exclusion::Session) => Ok(true),
        }
    }

    /// Whether this connection still has a lock that was taken for the session.
    pub(crate) async fn is_held(&self, session: &mut dyn Session) -> Result<bool, SessionError> {
        let held = match self {
            Self::Name(name) => {
                let sql = "SELECT CAST(COALESCE(IS_USED_LOCK(?) = CONNECTION_ID(), 0) AS SIGNED)";
                answer(session, sql, &[Param::Text(name)]).await?
            }
            Self::Number(number) => {
                let sql = format!("SELECT COUNT(*) {PG_LOCKS} AND l.pid = pg_backend_pid()");
                answer(session, &sql, &pg_params(*number)).await?
            }
            Self::File => Some(1),
        };
        Ok(held.is_some_and(|held| held > 0))
    }

    /// Gives up a lock that was taken for the session.
    pub(crate) async fn release(&self, session: &mut dyn Session) -> Result<(), SessionError> {
        match self {
            Self::Name(name) => {
                let sql = "SELECT CAST(RELEASE_LOCK(?) AS SIGNED)";
                session.fetch(sql, &[Param::Text(name)]).await?;
            }
            Self::Number(number) => {
                let sql = "SELECT CAST(pg_advisory_unlock($1) AS integer)";
                session.fetch(sql, &[Param::Integer(*number)]).await?;
            }
            Self::File => {}
        }
        Ok(())
    }

    /// Who has the lock; `None` if nobody has it or the database does not say.
    pub(crate) async fn sight(
        &self,
        session: &mut dyn Session,
        dialect: Dialect,
    ) -> Result<Option<Sighting>, SessionError> {
        let rows = match self {
            Self::File => return Ok(None),
            Self::Number(number) => {
                let sql = format!(
                    "SELECT CAST(l.pid AS text), CASE WHEN a.state LIKE 'idle%' THEN CAST(\
                     EXTRACT(EPOCH FROM clock_timestamp() - a.state_change) * 1000 AS bigint) \
                     END {PG_LOCKS}"
                );
                session.fetch(&sql, &pg_params(*number)).await?
            }
            Self::Name(name) => {
                let processes = match dialect {
                    Dialect::MySql => "performance_schema.processlist",
                    _ => "information_schema.processlist",
                };
                // A server without its performance schema, or one that shows a role its own
                // connections alone, still tells whose the lock is.
                let sql = format!(
                    "SELECT CAST(h.id AS CHAR), CASE WHEN p.command = 'Sleep' \
                     THEN CAST(p.time AS SIGNED) * 1000 END \
                     FROM (SELECT IS_USED_LOCK(?) AS id) AS h \
                     LEFT JOIN {processes} AS p ON p.id = h.id WHERE h.id IS NOT NULL"
                );
                session.fetch(&sql, &[Param::Text(name)]).await?
            }
        };
        let Some([Cell::Text(session), idle]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let idle = idle.as_integer().map(|millis| u64::try_from(millis).unwrap_or(0));
        Ok(Some(Sighting { session: session.clone(), idle: idle.map(Duration::from_millis) }))
    }

    /// Ends somebody's connection. That it is gone already, or that the role may not, is no
    /// error: the wait goes on.
    pub(crate) async fn end(
        &self,
        session: &mut dyn Session,
        other: &str,
    ) -> Result<(), SessionError> {
        // It stands in the statement as it is, so it has to be a number.
        let Ok(other) = other.parse::<i64>() else { return Ok(()) };
        let ended = match self {
            Self::File => return Ok(()),
            Self::Number(_) => {
                let sql = "SELECT CAST(pg_terminate_backend(CAST($1 AS integer)) AS integer)";
                session.fetch(sql, &[Param::Integer(other)]).await.map(|_| ())
            }
            Self::Name(_) => session.run(&format!("KILL {other}")).await,
        };
        match ended {
            Err(error) if error.kind() == SessionErrorKind::Connection => Err(error),
            _ => Ok(()),
        }
    }
}

const PG_LOCKS: &str = "FROM pg_catalog.pg_locks l \
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
    AND CAST(l.classid AS bigint) = $1 AND CAST(l.objid AS bigint) = $2";

/// The halves of the number, as `pg_locks` shows it.
fn pg_params(number: i64) -> [Param<'static>; 2] {
    let halves = [number >> 32, number];
    halves.map(|half| Param::Integer(half & 0xffff_ffff))
}

async fn answer(
    session: &mut dyn Session,
    sql: &str,
    params: &[Param<'_>],
) -> Result<Option<i64>, SessionError> {
    let rows = session.fetch(sql, params).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_integer))
}

/// What the database calls this connection; empty on SQLite.
pub(super) async fn session_id(session: &mut dyn Session) -> Result<String, SessionError> {
    let sql = match session.dialect() {
        Dialect::Sqlite => return Ok(String::new()),
        Dialect::MariaDb | Dialect::MySql => "SELECT CAST(CONNECTION_ID() AS CHAR)",
        _ => "SELECT CAST(pg_backend_pid() AS text)",
    };
    let rows = session.fetch(sql, &[]).await?;
    let id = rows.first().and_then(|row| row.first()).and_then(Cell::as_text);
    Ok(id.unwrap_or_default().to_owned())
}

/// Whether the server is one of a cluster in which every node has locks of its own, so that only
/// the lease excludes.
pub(super) async fn is_cluster(session: &mut dyn Session) -> Result<bool, SessionError> {
    if !matches!(session.dialect(), Dialect::MariaDb | Dialect::MySql) {
        return Ok(false);
    }
    let rows = session.fetch("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'", &[]).await?;
    let value = rows.first().and_then(|row| row.get(1)).and_then(Cell::as_text);
    Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("on")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_a_negative_number_are_positive() {
        assert_eq!(pg_params(-1), [Param::Integer(0xffff_ffff), Param::Integer(0xffff_ffff)]);
        assert_eq!(pg_params(1 << 32), [Param::Integer(1), Param::Integer(0)]);
    }
}
