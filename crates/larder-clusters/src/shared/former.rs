//! The registry's table as the former tool knows it.
//!
//! Invariant: what that tool wrote since we last looked is a fact, and is taken over before
//! anything else happens to the thing; what we write there it can act on. It knows no fence, no
//! holders and no draining, so a thing that drains looks to it as if somebody created it: it
//! waits, and does not join.

use larder_sqlite_file::rusqlite::{Connection, OptionalExtension as _, params};

use super::{Process, State, thing::Thing};
use crate::{
    error::Fault,
    time_text::{format_ms, millis_sql},
};

/// The columns of a row that mean something to us, as we last wrote or read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) status: String,
    pub(crate) usage: i64,
    pub(crate) cluster_id: Option<String>,
    pub(crate) pid: Option<i64>,
}

/// A row as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormerRow {
    pub(crate) former: Former,
    pub(crate) error: Option<String>,
    pub(crate) created_at: Option<i64>,
}

impl FormerRow {
    /// The row of this key. The table takes values of any type, so each is made what it should be.
    pub(crate) fn find(connection: &Connection, key: &str) -> Result<Option<Self>, Fault> {
        let mut select = connection.prepare_cached(concat!(
            "SELECT coalesce(CAST(status AS TEXT), ''), coalesce(CAST(usage_count AS INTEGER), 0),
                    CAST(cluster_id AS TEXT), CAST(worker_pid AS INTEGER),
                    CAST(error_message AS TEXT), ",
            millis_sql!("creation_time"),
            " FROM shared_cluster_registry WHERE config_hash = ?1"
        ))?;
        let row = select.query_row([key], |row| {
            let former = Former {
                status: row.get(0)?,
                usage: row.get(1)?,
                cluster_id: row.get(2)?,
                pid: row.get(3)?,
            };
            Ok(Self { former, error: row.get(4)?, created_at: row.get(5)? })
        });
        Ok(row.optional()?)
    }

    /// The keys of all rows.
    pub(crate) fn keys(connection: &Connection) -> Result<Vec<String>, Fault> {
        let mut select = connection
            .prepare_cached("SELECT CAST(config_hash AS TEXT) FROM shared_cluster_registry")?;
        let keys = select.query_map([], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }
}

/// What the former tool did to a thing since we last looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// It made the thing, or gave it another state, owner or id. The thing needs a fence.
    Adopted,
    /// Users of its own came or went.
    Counted,
    /// Nothing.
    None,
    /// It took the thing away.
    Removed,
}

/// The thing as it is now, from our row and that of the former tool.
pub(crate) fn reconcile(
    own: Option<Thing>,
    row: Option<FormerRow>,
    key: &str,
    now: i64,
    former_lease_ms: i64,
) -> (Option<Thing>, Drift) {
    let seen = own.as_ref().and_then(|thing| thing.former.clone());
    match (own, row, seen) {
        (own, None, None) => (own, Drift::None),
        (None, None, Some(_)) => (None, Drift::None),
        (Some(own), None, Some(_)) => {
            let gone = Thing {
                state: State::Gone,
                owner: None,
                lease_until: None,
                strangers: 0,
                changed_at: now,
                former: None,
                ..own
            };
            (Some(gone), Drift::Removed)
        }
        (Some(own), Some(row), Some(seen)) if row.former == seen => (Some(own), Drift::None),
        (Some(own), Some(row), Some(seen))
            if Former { usage: seen.usage, ..row.former.clone() } == seen =>
        {
            let more = row.former.usage.saturating_sub(seen.usage);
            let strangers = own.strangers.saturating_add_signed(more);
            let counted = Thing { strangers, former: Some(row.former), ..own };
            (Some(counted), Drift::Counted)
        }
        (own, Some(row), _) => (Some(adopt(own, row, key, now, former_lease_ms)), Drift::Adopted),
    }
}

/// The thing that a row of the former tool describes.
fn adopt(own: Option<Thing>, row: FormerRow, key: &str, now: i64, former_lease_ms: i64) -> Thing {
    let fence = own.as_ref().map(|own| own.fence).unwrap_or_default();
    let created_at = row.created_at.unwrap_or(now);
    let FormerRow { former, error, .. } = row;
    let pid = former.pid.and_then(|pid| u32::try_from(pid).ok());
    let mut thing = Thing {
        state: State::Failed,
        fence,
        resource_id: former.cluster_id.clone(),
        owner: pid.map(Process::former),
        strangers: former.usage.max(0).unsigned_abs(),
        created_at,
        former: None,
        ..Thing::new(key, now)
    };
    match former.status.as_str() {
        "creating" => {
            thing.state = State::Creating;
            thing.changed_at = created_at;
            thing.lease_until = Some(created_at.saturating_add(former_lease_ms));
        }
        "ready" => thing.state = State::Ready,
        "failed" => thing.error = Some(error.unwrap_or_default()),
        // The former tool takes any text. It acts on none but those three.
        other => thing.error = Some(error.unwrap_or_else(|| format!("it has status {other:?}"))),
    }
    if thing.state == State::Failed {
        thing.strangers = 0;
    }
    thing.former = Some(former);
    thing
}

/// Writes what the former tool is to see of a thing, and says what that is.
pub(crate) fn project(
    connection: &Connection,
    thing: &Thing,
    living: u64,
) -> Result<Option<Former>, Fault> {
    let status = match thing.state {
        State::Creating | State::Draining => "creating",
        State::Failed => "failed",
        State::Ready => "ready",
        State::Gone => {
            let mut delete = connection
                .prepare_cached("DELETE FROM shared_cluster_registry WHERE config_hash = ?1")?;
            delete.execute([&thing.key])?;
            return Ok(None);
        }
    };
    let former = Former {
        status: status.to_owned(),
        usage: living.saturating_add(thing.strangers).cast_signed(),
        // A cluster that is not usable is not named, so that nobody uses it.
        cluster_id: thing.resource_id.clone().filter(|_| status != "creating"),
        pid: thing.owner.as_ref().map(|owner| i64::from(owner.pid)),
    };
    if thing.former.as_ref() == Some(&former) {
        return Ok(Some(former));
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO shared_cluster_registry(
             config_hash, cluster_id, status, worker_pid, creation_time, usage_count,
             error_message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT(config_hash) DO UPDATE SET
             cluster_id = excluded.cluster_id, status = excluded.status,
             worker_pid = excluded.worker_pid, usage_count = excluded.usage_count,
             error_message = excluded.error_message,
             creation_time = CASE WHEN excluded.status = 'creating'
                                  THEN excluded.creation_time ELSE creation_time END",
    )?;
    upsert.execute(params![
        thing.key,
        former.cluster_id,
        former.status,
        former.pid,
        format_ms(thing.changed_at),
        former.usage,
        thing.error,
    ])?;
    Ok(Some(former))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Fence;

    const NOW: i64 = 1_000_000;
    const LEASE: i64 = 60_000;

    fn former(status: &str, usage: i64) -> Former {
        Former { status: status.into(), usage, cluster_id: Some("c-1".into()), pid: Some(7) }
    }

    fn row(status: &str, usage: i64) -> FormerRow {
        FormerRow { former: former(status, usage), error: None, created_at: Some(NOW - 5) }
    }

    fn ready(usage: i64) -> Thing {
        Thing {
            state: State::Ready,
            fence: Fence::new(4),
            resource_id: Some("c-1".into()),
            former: Some(former("ready", usage)),
            ..Thing::new("k", NOW - 9)
        }
    }

    fn check(own: Option<Thing>, row: Option<FormerRow>) -> (Option<Thing>, Drift) {
        reconcile(own, row, "k", NOW, LEASE)
    }

    #[test]
    fn what_did_not_change_is_ours() {
        assert_eq!(check(None, None), (None, Drift::None));
        let own = Some(ready(3));
        assert_eq!(check(own.clone(), Some(row("ready", 3))), (own, Drift::None));
    }

    #[test]
    fn its_users_are_counted_beside_ours_and_never_below_none() {
        let (thing, drift) = check(Some(ready(3)), Some(row("ready", 5)));
        assert_eq!((thing.map(|thing| thing.strangers), drift), (Some(2), Drift::Counted));
        let (thing, _) = check(Some(ready(3)), Some(row("ready", 1)));
        assert_eq!(thing.map(|thing| thing.strangers), Some(0));
    }

    #[test]
    fn rows_of_every_state_are_adopted() {
        let adopted = |status| match check(None, Some(row(status, 2))) {
            (Some(thing), Drift::Adopted) => thing,
            other => panic!("{other:?}"),
        };
        let creating = adopted("creating");
        assert_eq!(
            (creating.state, creating.lease_until),
            (State::Creating, Some(NOW - 5 + LEASE))
        );
        assert_eq!(creating.owner, Some(Process::former(7)));
        let ready = adopted("ready");
        assert_eq!((ready.state, ready.strangers), (State::Ready, 2));
        assert_eq!(ready.resource_id.as_deref(), Some("c-1"));
        assert_eq!((adopted("failed").state, adopted("failed").strangers), (State::Failed, 0));
        let unknown = adopted("RUNNING");
        assert_eq!(unknown.error.as_deref(), Some("it has status \"RUNNING\""));
    }

    #[test]
    fn what_it_made_of_our_thing_is_a_fact() {
        let (thing, drift) = check(Some(ready(3)), Some(row("failed", 3)));
        assert_eq!((thing.map(|thing| thing.state), drift), (Some(State::Failed), Drift::Adopted));
        let (thing, drift) = check(Some(ready(3)), None);
        assert_eq!((thing.map(|thing| thing.state), drift), (Some(State::Gone), Drift::Removed));
    }
}
