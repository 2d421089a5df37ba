//! The lease: the row that says who holds the lock, and until when it counts as alive.
//!
//! Invariants: the token only grows, so that a holder can tell whether another came after it; all
//! times are the database's, because the clocks of two hosts differ.

use std::time::Duration;

use crate::{
    Cell, LockHolder, Param, Session, SessionError, SessionErrorKind,
    context::Me,
    registry::{Fields, Names, RegistryTable, now_micros, placeholder},
};

/// The row's name; one lock for the whole registry.
const LOCK: &str = "migrations";

/// How a lease is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Only if nobody has it, or whoever had it was not heard of in time.
    IfFree,
    /// From whoever has it: the database's own lock proves that it is gone.
    Over,
}

/// Who has the lease; `None` if nobody has it or there is no such table.
pub(super) async fn holder(
    session: &mut dyn Session,
    names: &Names,
) -> Result<Option<LockHolder>, SessionError> {
    use SessionErrorKind::{Busy, Permission, UndefinedColumn, UndefinedTable};
    match read(session, names).await {
        Ok(row) => Ok(row.filter(|row| !row.owner.is_empty())),
        Err(error)
            if matches!(error.kind(), Busy | Permission | UndefinedColumn | UndefinedTable) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The row as it is, also if nobody has the lease.
async fn read(
    session: &mut dyn Session,
    names: &Names,
) -> Result<Option<LockHolder>, SessionError> {
    let now = now_micros(names.dialect);
    let sql = format!(
        "SELECT owner, host, pid, application_id, token, acquired_us, heartbeat_us, expires_us, \
         CASE WHEN expires_us > {now} THEN 0 ELSE 1 END, session_id FROM {} WHERE lock_name = {}",
        names.quoted(RegistryTable::Lock),
        placeholder(names.dialect, 1)
    );
    let rows = session.fetch(&sql, &[Param::Text(LOCK)]).await?;
    Ok(rows.first().map(|row| decode(row)))
}

fn decode(row: &[Cell]) -> LockHolder {
    let text = |at: usize| row.get(at).and_then(Cell::as_text).unwrap_or_default().to_owned();
    let integer = |at: usize| row.get(at).and_then(Cell::as_integer).unwrap_or(0);
    LockHolder {
        owner: text(0),
        host: text(1),
        pid: u32::try_from(integer(2)).unwrap_or(0),
        application: text(3),
        token: integer(4),
        acquired_us: integer(5),
        heartbeat_us: integer(6),
        expires_us: integer(7),
        is_expired: integer(8) != 0,
        session: text(9),
    }
}

/// Takes the lease and returns its token; `None` if somebody else has it, or was faster.
pub(super) async fn take(
    session: &mut dyn Session,
    names: &Names,
    me: &Me,
    holding: &str,
    lease: Duration,
    taking: Taking,
) -> Result<Option<i64>, SessionError> {
    let table = names.quoted(RegistryTable::Lock);
    let found = read(session, names).await?;
    let is_free =
        |row: &LockHolder| row.owner.is_empty() || row.is_expired || row.owner == me.owner;
    if taking == Taking::IfFree && !found.as_ref().is_none_or(is_free) {
        return Ok(None);
    }
    let now = now_micros(names.dialect);
    let before = found.as_ref().map_or(0, |row| row.token);
    let fields = Fields::new(names.dialect)
        .text("owner", me.owner.as_str())
        .text("host", me.host.as_str())
        .integer("pid", i64::from(me.pid))
        .text("application_id", names.application.as_str())
        .text("session_id", holding)
        .sql("acquired_at", crate::registry::now_readable(names.dialect))
        .sql("acquired_us", now)
        .sql("heartbeat_us", now)
        .sql("expires_us", format!("{now} + {}", lease.as_micros()))
        .integer("token", before + 1);
    if found.is_none() {
        let fields = fields.text("lock_name", LOCK);
        let (sql, params) = fields.insert(&table);
        return match session.execute(&sql, &params).await {
            Ok(_) => Ok(Some(1)),
            Err(error)
                if matches!(
                    error.kind(),
                    SessionErrorKind::Exists | SessionErrorKind::Conflict
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        };
    }
    let (sql, params) = fields.update(&table, &key(names, before));
    let changed = session.execute(&sql, &params).await?;
    Ok((changed > 0).then_some(before + 1))
}

/// Renews the lease. `false`: another holder came after.
pub(super) async fn renew(
    session: &mut dyn Session,
    names: &Names,
    token: i64,
    lease: Duration,
) -> Result<bool, SessionError> {
    let now = now_micros(names.dialect);
    let fields = Fields::new(names.dialect)
        .sql("heartbeat_us", now)
        .sql("expires_us", format!("{now} + {}", lease.as_micros()));
    let (sql, params) = fields.update(&names.quoted(RegistryTable::Lock), &key(names, token));
    Ok(session.execute(&sql, &params).await? > 0)
}

/// Gives the lease up. `false`: another holder came after.
pub(super) async fn release(
    session: &mut dyn Session,
    names: &Names,
    token: i64,
) -> Result<bool, SessionError> {
    let fields = Fields::new(names.dialect).text("owner", "").integer("expires_us", 0);
    let (sql, params) = fields.update(&names.quoted(RegistryTable::Lock), &key(names, token));
    Ok(session.execute(&sql, &params).await? > 0)
}

/// Whether nobody came after.
pub(super) async fn is_latest(
    session: &mut dyn Session,
    names: &Names,
    token: i64,
) -> Result<bool, SessionError> {
    Ok(read(session, names).await?.is_some_and(|row| row.token == token))
}

fn key(names: &Names, token: i64) -> Fields<'static> {
    Fields::new(names.dialect).text("lock_name", LOCK).integer("token", token)
}
