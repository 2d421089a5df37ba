//! A shared thing as a row of the file.
//!
//! Invariant: what is saved is also projected, in the same transaction, so that the former
//! tool's table never tells another story.

use larder_sqlite_file::rusqlite::{self, OptionalExtension as _, Row, params};

use super::{
    Fence, Process, State,
    former::{Former, project},
    scope::Scope,
};
use crate::error::Fault;

/// A row of `larder_shared`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) key: String,
    pub(crate) state: State,
    pub(crate) fence: Fence,
    pub(crate) resource_id: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) owner: Option<Process>,
    pub(crate) lease_until: Option<i64>,
    /// Users of the former tool.
    pub(crate) strangers: u64,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
    /// What the former tool's table said when we last wrote or read it.
    pub(crate) former: Option<Former>,
}

impl Thing {
    /// A thing that nobody has heard of.
    pub(crate) fn new(key: &str, now: i64) -> Self {
        Self {
            key: key.to_owned(),
            state: State::Gone,
            fence: Fence::default(),
            resource_id: None,
            error: None,
            owner: None,
            lease_until: None,
            strangers: 0,
            created_at: now,
            changed_at: now,
            former: None,
        }
    }

    /// The row of this key, whatever the former tool has done since.
    pub(crate) fn stored(scope: &Scope<'_>, key: &str) -> Result<Option<Self>, Fault> {
        let mut select = scope.connection.prepare_cached(
            "SELECT key, state, fence, resource_id, error, owner_boot, owner_pid, owner_start,
                    lease_until, strangers, created_at, changed_at,
                    former_status, former_usage, former_cluster_id, former_pid
             FROM larder_shared WHERE kind = ?1 AND key = ?2",
        )?;
        Ok(select.query_row(params![scope.kind(), key], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            state: row.get(1)?,
            fence: row.get(2)?,
            resource_id: row.get(3)?,
            error: row.get(4)?,
            owner: read_process(row, 5)?,
            lease_until: row.get(8)?,
            strangers: row.get::<_, i64>(9)?.max(0).unsigned_abs(),
            created_at: row.get(10)?,
            changed_at: row.get(11)?,
            former: match row.get(12)? {
                None => None,
                Some(status) => Some(Former {
                    status,
                    usage: row.get(13)?,
                    cluster_id: row.get(14)?,
                    pid: row.get(15)?,
                }),
            },
        })
    }

    /// Writes the row and its projection; `living` is the number of its holders.
    pub(crate) fn save(&mut self, scope: &Scope<'_>, living: u64) -> Result<(), Fault> {
        if scope.options.kind.is_projected() {
            self.former = project(scope.connection, self, living)?;
        }
        let mut upsert = scope.connection.prepare_cached(
            "INSERT OR REPLACE INTO larder_shared(
                 kind, key, state, fence, resource_id, error, owner_boot, owner_pid, owner_start,
                 lease_until, strangers, created_at, changed_at,
                 former_status, former_usage, former_cluster_id, former_pid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?;
        let owner = self.owner.as_ref();
        let former = self.former.as_ref();
        upsert.execute(params![
            scope.kind(),
            self.key,
            self.state,
            self.fence,
            self.resource_id,
            self.error,
            owner.and_then(|owner| owner.boot.as_deref()),
            owner.map(|owner| owner.pid),
            owner.and_then(|owner| owner.start).map(u64::cast_signed),
            self.lease_until,
            self.strangers.cast_signed(),
            self.created_at,
            self.changed_at,
            former.map(|former| &former.status),
            former.map(|former| former.usage),
            former.and_then(|former| former.cluster_id.as_deref()),
            former.and_then(|former| former.pid),
        ])?;
        Ok(())
    }
}

/// A process from three columns: its boot, its number and its start.
pub(crate) fn read_process(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Process>> {
    let Some(pid) = row.get(first + 1)? else { return Ok(None) };
    let start: Option<i64> = row.get(first + 2)?;
    Ok(Some(Process { pid, boot: row.get(first)?, start: start.map(i64::cast_unsigned) }))
}
