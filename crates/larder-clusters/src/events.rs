//! The history: what became of each thing, in order.
//!
//! Invariant: an event is written in the transaction of the change that it tells of, and the
//! number of events is bounded.

use larder_sqlite_file::rusqlite::{Connection, Row, params};

use crate::{error::Fault, store::Store};

/// Something that happened to a thing in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The kind of the thing.
    pub kind: String,
    /// Its key within the kind.
    pub key: String,
    /// The fence under which it happened, for things that have one.
    pub fence: Option<u64>,
    /// What happened, in one word: a state, or what else became of it.
    pub event: String,
    /// More about it: an error, the id of a resource.
    pub detail: Option<String>,
    /// The process that did it.
    pub pid: Option<u32>,
}

/// What to write down; the time and the process are added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) fence: Option<i64>,
    pub(crate) event: &'a str,
    pub(crate) detail: Option<&'a str>,
}

/// Writes an event down. Call it inside the transaction of the change.
pub(crate) fn record(
    store: &Store,
    connection: &Connection,
    event: NewEvent<'_>,
) -> Result<(), Fault> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO larder_event(at, kind, key, fence, event, detail, pid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let NewEvent { kind, key, fence, event, detail } = event;
    let pid = std::process::id();
    let id = insert.insert(params![store.now_ms(), kind, key, fence, event, detail, pid])?;
    // Numbers are given in order, so the newest ones are those above the last but so many.
    let mut forget = connection.prepare_cached("DELETE FROM larder_event WHERE id <= ?1")?;
    forget.execute([id - i64::from(store.options().history_max)])?;
    Ok(())
}

/// Whose events are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    Everybody,
    Key(&'a str),
    Thing { kind: &'a str, key: &'a str },
}

/// The newest events of one thing, of all things of one key, or of all.
pub(crate) fn of(
    connection: &Connection,
    whose: Whose<'_>,
    events_max: u32,
) -> Result<Vec<Event>, Fault> {
    let (kind, key) = match whose {
        Whose::Everybody => (None, None),
        Whose::Key(key) => (None, Some(key)),
        Whose::Thing { kind, key } => (Some(kind), Some(key)),
    };
    // Two statements of the same parameters, because no index serves both.
    let sql = match whose {
        Whose::Everybody | Whose::Key(_) => {
            "SELECT at, kind, key, fence, event, detail, pid FROM larder_event
             WHERE ?1 IS NULL AND (?2 IS NULL OR key = ?2) ORDER BY id DESC LIMIT ?3"
        }
        Whose::Thing { .. } => {
            "SELECT at, kind, key, fence, event, detail, pid FROM larder_event
             WHERE kind = ?1 AND key = ?2 ORDER BY id DESC LIMIT ?3"
        }
    };
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map(params![kind, key, events_max], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> larder_sqlite_file::rusqlite::Result<Event> {
    Ok(Event {
        at_ms: row.get(0)?,
        kind: row.get(1)?,
        key: row.get(2)?,
        fence: row.get::<_, Option<i64>>(3)?.and_then(|fence| u64::try_from(fence).ok()),
        event: row.get(4)?,
        detail: row.get(5)?,
        pid: row.get(6)?,
    })
}
