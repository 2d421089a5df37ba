//! The hot path: one statement that returns an entry, the namespace and the tags.
//!
//! Invariants: everything a hit needs comes from one read transaction; the text of a statement
//! depends on the number of tags alone, so that it stays prepared.

use bytes::Bytes;
use larder_core::{Epoch, Generation, Key, Snapshot, Stamp, Tag};
use larder_sqlite_file::rusqlite::{Connection, Error, Result, Row, types::ValueRef};

use crate::slot::{KeySlot, TagSlot};

/// The most tags that one statement reads together with the entry; the rest is read in further
/// statements. A SQLite join has at most 64 tables, and preparing one takes longer the more
/// there are.
const TAGS_MAX: usize = 8;

/// A read, with `?1` as the entry's slot and `?2` onwards as the slots of the tags.
///
/// Joins on integer keys, because each costs one search in a tree; a subquery costs half as much
/// again.
macro_rules! read_sql {
    ($columns:literal, $entry:literal $(, $name:literal $place:literal)*) => {
        concat!(
            "SELECT m.namespace,m.epoch", $columns,
            $(",g", $name, ".rest,g", $name, ".generation",)*
            " FROM meta m", $entry,
            $(" LEFT JOIN generation g", $name, " ON g", $name, ".id=", $place,)*
            " WHERE m.id=1"
        )
    };
}

macro_rules! entry_sql {
    ($($name:literal $place:literal),*) => {
        read_sql!(
            ",e.namespace,e.expires,e.key,e.value",
            " LEFT JOIN entry e ON e.id=?1"
            $(, $name $place)*
        )
    };
}

/// The entry with none to [`TAGS_MAX`] tags.
const ENTRY: [&str; TAGS_MAX + 1] = [
    entry_sql!(),
    entry_sql!("0" "?2"),
    entry_sql!("0" "?2", "1" "?3"),
    entry_sql!("0" "?2", "1" "?3", "2" "?4"),
    entry_sql!("0" "?2", "1" "?3", "2" "?4", "3" "?5"),
    entry_sql!("0" "?2", "1" "?3", "2" "?4", "3" "?5", "4" "?6"),
    entry_sql!("0" "?2", "1" "?3", "2" "?4", "3" "?5", "4" "?6", "5" "?7"),
    entry_sql!("0" "?2", "1" "?3", "2" "?4", "3" "?5", "4" "?6", "5" "?7", "6" "?8"),
    entry_sql!(
        "0" "?2", "1" "?3", "2" "?4", "3" "?5", "4" "?6", "5" "?7", "6" "?8", "7" "?9"
    ),
];

/// [`TAGS_MAX`] tags alone.
const TAGS: &str = read_sql!(
    "", "",
    "0" "?1", "1" "?2", "2" "?3", "3" "?4", "4" "?5", "5" "?6", "6" "?7", "7" "?8"
);

/// Where the columns of the first tag stand in [`ENTRY`] and in [`TAGS`].
const ENTRY_TAGS_AT: usize = 6;
const TAGS_AT: usize = 2;

/// Reads an entry and the stamps of its tags. `now` is asked only if there is an entry.
pub(crate) fn read(
    connection: &Connection,
    key: &Key,
    tags: &[Tag],
    now: impl FnOnce() -> i64,
) -> Result<Snapshot> {
    let slot = KeySlot::of(key);
    let (first, rest) = tags.split_at(tags.len().min(TAGS_MAX));
    let mut statement = connection.prepare_cached(ENTRY[first.len()])?;
    statement.raw_bind_parameter(1, slot.id)?;
    for (place, tag) in first.iter().enumerate() {
        statement.raw_bind_parameter(place + 2, TagSlot::of(tag).id)?;
    }
    let mut rows = statement.raw_query();
    let row = rows.next()?.ok_or(Error::QueryReturnedNoRows)?;
    let epoch = epoch(row)?;
    let value = live_value(row, &slot, now)?;
    let mut stamps = Vec::with_capacity(tags.len());
    for (place, tag) in first.iter().enumerate() {
        stamps.push(stamp(row, ENTRY_TAGS_AT + 2 * place, tag, epoch)?);
    }
    for tags in rest.chunks(TAGS_MAX) {
        read_tags(connection, tags, &mut stamps)?;
    }
    Ok(Snapshot::new(value, stamps, epoch))
}

/// The stamps of tags alone; `None` where a generation is missing.
pub(crate) fn stamps(connection: &Connection, tags: &[Tag]) -> Result<Vec<Option<Stamp>>> {
    let mut stamps = Vec::with_capacity(tags.len());
    for tags in tags.chunks(TAGS_MAX) {
        read_tags(connection, tags, &mut stamps)?;
    }
    Ok(stamps)
}

fn read_tags(connection: &Connection, tags: &[Tag], stamps: &mut Vec<Option<Stamp>>) -> Result<()> {
    let mut statement = connection.prepare_cached(TAGS)?;
    // Places without a tag stay unbound: no row has NULL for its number.
    for (place, tag) in tags.iter().enumerate() {
        statement.raw_bind_parameter(place + 1, TagSlot::of(tag).id)?;
    }
    let mut rows = statement.raw_query();
    let row = rows.next()?.ok_or(Error::QueryReturnedNoRows)?;
    let epoch = epoch(row)?;
    for (place, tag) in tags.iter().enumerate() {
        stamps.push(stamp(row, TAGS_AT + 2 * place, tag, epoch)?);
    }
    Ok(())
}

fn epoch(row: &Row<'_>) -> Result<Epoch> {
    let bytes = row.get_ref(1)?.as_blob()?;
    // An epoch of another length is one that no entry carries.
    Ok(Epoch::from_bytes(bytes.try_into().unwrap_or_default()))
}

fn live_value(row: &Row<'_>, slot: &KeySlot, now: impl FnOnce() -> i64) -> Result<Option<Bytes>> {
    let ValueRef::Integer(namespace) = row.get_ref(2)? else {
        return Ok(None);
    };
    let live = namespace == row.get_ref(0)?.as_i64()?
        && row.get_ref(4)?.as_blob()? == slot.key
        && row.get_ref(3)?.as_i64()? > now();
    if !live {
        return Ok(None);
    }
    Ok(Some(Bytes::copy_from_slice(row.get_ref(5)?.as_blob()?)))
}

fn stamp(row: &Row<'_>, column: usize, tag: &Tag, epoch: Epoch) -> Result<Option<Stamp>> {
    let ValueRef::Integer(rest) = row.get_ref(column)? else {
        return Ok(None);
    };
    if rest != TagSlot::of(tag).rest {
        return Ok(None);
    }
    let generation = Generation::from_slice(row.get_ref(column + 1)?.as_blob()?);
    Ok(generation.map(|generation| Stamp { generation, epoch }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_has_one_place_per_tag_and_searches_by_number_only() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::schema::APPLICATION.schema).unwrap();
        let entry = ENTRY.iter().enumerate().map(|(tags, sql)| (*sql, tags + 1));
        for (sql, places) in entry.chain([(TAGS, TAGS_MAX)]) {
            let statement = connection.prepare(sql).unwrap();
            assert_eq!(statement.parameter_count(), places, "{sql}");
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let mut steps = Vec::new();
            let mut rows = plan.raw_query();
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get::<_, String>(3).unwrap());
            }
            assert!(!steps.is_empty());
            for step in steps {
                assert!(step.contains("USING INTEGER PRIMARY KEY"), "{sql}: {step}");
            }
        }
    }
}
