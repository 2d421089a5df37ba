//! Writes of entries.
//!
//! Invariants: storing or removing an entry ends the lease on its key in the same transaction,
//! and the `meta` row counts exactly the rows and bytes that are there.

use larder_core::{FillOutcome, Lease};
use larder_sqlite_file::rusqlite::{OptionalExtension as _, Result, params};

use crate::{batch::Batch, slot::KeySlot};

/// What an entry costs besides its value: key, numbers, index, slack of the page.
const OVERHEAD_BYTES: i64 = 128;

/// A row of `entry`, without its value.
#[derive(Debug)]
struct Row {
    namespace: i64,
    expires: i64,
    /// Whether it belongs to the key that was asked for, and not to one with the same slot.
    same_key: bool,
    cost: i64,
}

const FIND: &str = "SELECT namespace, expires, key, length(value) FROM entry WHERE id = ?1";

const INSERT: &str = "\
INSERT INTO entry(id, namespace, expires, key, value) VALUES (?1, ?2, ?3, ?4, ?5)";

const UPDATE: &str = "\
UPDATE entry SET namespace = ?2, expires = ?3, key = ?4, value = ?5 WHERE id = ?1";

const TOUCH: &str = "UPDATE entry SET expires = ?2 WHERE id = ?1";

const DELETE: &str = "DELETE FROM entry WHERE id = ?1";

impl Batch<'_> {
    pub(crate) fn fill(
        &mut self,
        slot: &KeySlot,
        lease: &Lease,
        value: &[u8],
        ttl_ms: u64,
    ) -> Result<FillOutcome> {
        if lease.epoch != self.meta.epoch || !self.holds(slot, lease)? {
            self.tally.refused += 1;
            return Ok(FillOutcome::Refused);
        }
        self.store(slot, value, ttl_ms)?;
        self.tally.fills += 1;
        Ok(FillOutcome::Stored)
    }

    pub(crate) fn put(&mut self, slot: &KeySlot, value: &[u8], ttl_ms: u64) -> Result<()> {
        self.store(slot, value, ttl_ms)?;
        self.tally.puts += 1;
        Ok(())
    }

    pub(crate) fn add(&mut self, slot: &KeySlot, value: &[u8], ttl_ms: u64) -> Result<bool> {
        let absent = !self.find(slot)?.is_some_and(|row| self.is_live(&row));
        if absent {
            self.put(slot, value, ttl_ms)?;
        }
        Ok(absent)
    }

    pub(crate) fn touch(&mut self, slot: &KeySlot, ttl_ms: u64) -> Result<bool> {
        let live = self.find(slot)?.is_some_and(|row| self.is_live(&row));
        if live {
            let mut statement = self.connection.prepare_cached(TOUCH)?;
            statement.execute(params![slot.id, self.expiry(ttl_ms)])?;
        }
        Ok(live)
    }

    /// `true` if a live entry was removed.
    pub(crate) fn remove(&mut self, slot: &KeySlot) -> Result<bool> {
        self.end_lease(slot)?;
        let Some(row) = self.find(slot)?.filter(|row| row.same_key) else {
            return Ok(false);
        };
        self.delete(slot.id, row.cost)?;
        let was_live = self.is_live(&row);
        self.tally.removed += u64::from(was_live);
        Ok(was_live)
    }

    /// Deletes a row of `entry` by its number and what it costs.
    pub(crate) fn delete(&mut self, id: i64, cost: i64) -> Result<()> {
        self.connection.prepare_cached(DELETE)?.execute([id])?;
        self.meta.entries -= 1;
        self.meta.bytes -= cost;
        Ok(())
    }

    fn store(&mut self, slot: &KeySlot, value: &[u8], ttl_ms: u64) -> Result<()> {
        self.end_lease(slot)?;
        let new_cost = cost(value.len());
        let mut old = self.find(slot)?;
        let growth = new_cost - old.as_ref().map_or(0, |row| row.cost);
        if self.make_room(growth)? {
            // The old row may have been among those that made room.
            old = self.find(slot)?;
        }
        let sql = if old.is_some() { UPDATE } else { INSERT };
        self.connection.prepare_cached(sql)?.execute(params![
            slot.id,
            self.meta.namespace,
            self.expiry(ttl_ms),
            slot.key,
            value,
        ])?;
        self.meta.entries += i64::from(old.is_none());
        self.meta.bytes += new_cost - old.map_or(0, |row| row.cost);
        Ok(())
    }

    fn find(&self, slot: &KeySlot) -> Result<Option<Row>> {
        let mut statement = self.connection.prepare_cached(FIND)?;
        let found = statement.query_row([slot.id], |row| {
            Ok(Row {
                namespace: row.get(0)?,
                expires: row.get(1)?,
                same_key: row.get_ref(2)?.as_blob()? == slot.key,
                cost: row.get::<_, i64>(3)? + OVERHEAD_BYTES,
            })
        });
        found.optional()
    }

    fn is_live(&self, row: &Row) -> bool {
        row.same_key && row.namespace == self.meta.namespace && row.expires > self.now
    }
}

/// What a value of this length costs.
pub(crate) fn cost(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX).saturating_add(OVERHEAD_BYTES)
}
