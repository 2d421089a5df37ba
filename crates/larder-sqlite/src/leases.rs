//! Leases, and the question that decides about them.
//!
//! Invariant: a lease is won only where the row of the key holds no other that is alive, in the
//! transaction that writes it.

use std::time::Duration;

use bytes::Bytes;
use larder_core::{EntryId, Epoch, Lease, LeaseOutcome, LeaseRequest, LeaseToken};
use larder_sqlite_file::rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::{batch::Batch, slot::KeySlot};

const PROBE: &str = "\
SELECT m.namespace, e.namespace, e.expires, e.key, e.value, l.namespace, l.expires, l.key
FROM meta m LEFT JOIN entry e ON e.id = ?1 LEFT JOIN lease l ON l.id = ?1 WHERE m.id = 1";

const GRANT: &str = "\
INSERT INTO lease(id, namespace, expires, key, token) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT(id) DO UPDATE SET namespace = excluded.namespace, expires = excluded.expires,
    key = excluded.key, token = excluded.token";

const HELD: &str = "SELECT namespace, expires, key, token FROM lease WHERE id = ?1";

const EXTEND: &str = "UPDATE lease SET expires = ?2 WHERE id = ?1";

const END: &str = "DELETE FROM lease WHERE id = ?1 AND key = ?2";

/// The answer to a request, if it is not "yes": a live entry other than the dead one that the
/// caller knows, or a live lease.
///
/// Asked on a reading connection, it spares those who wait for a loader the write lock.
pub(crate) fn probe(
    connection: &Connection,
    slot: &KeySlot,
    dead: Option<EntryId>,
    now: i64,
) -> Result<Option<LeaseOutcome>> {
    let mut statement = connection.prepare_cached(PROBE)?;
    statement.query_row([slot.id], |row| {
        let namespace: i64 = row.get(0)?;
        let is_live = |first: usize| -> Result<bool> {
            Ok(row.get::<_, Option<i64>>(first)? == Some(namespace)
                && row.get::<_, i64>(first + 1)? > now
                && row.get_ref(first + 2)?.as_blob()? == slot.key)
        };
        if is_live(1)? {
            let value = row.get_ref(4)?.as_blob()?;
            let id = EntryId::peek(value);
            if id.is_none() || id != dead {
                return Ok(Some(LeaseOutcome::Found(Bytes::copy_from_slice(value))));
            }
        }
        Ok(is_live(5)?.then_some(LeaseOutcome::Held))
    })
}

impl Batch<'_> {
    pub(crate) fn lease(
        &mut self,
        slot: &KeySlot,
        request: &LeaseRequest,
        token: LeaseToken,
    ) -> Result<LeaseOutcome> {
        if let Some(outcome) = probe(self.connection, slot, request.dead, self.now)? {
            return Ok(outcome);
        }
        self.connection.prepare_cached(GRANT)?.execute(params![
            slot.id,
            self.meta.namespace,
            self.expiry(millis(request.time)),
            slot.key,
            token.as_bytes(),
        ])?;
        let epoch = self.meta.epoch;
        Ok(LeaseOutcome::Won(Lease { token, epoch }))
    }

    pub(crate) fn renew(&mut self, slot: &KeySlot, lease: &Lease, time: Duration) -> Result<bool> {
        let held = self.holds(slot, lease)?;
        if held {
            let expires = self.expiry(millis(time));
            let mut statement = self.connection.prepare_cached(EXTEND)?;
            statement.execute(params![slot.id, expires])?;
        }
        Ok(held)
    }

    pub(crate) fn release(&mut self, slot: &KeySlot, lease: &Lease) -> Result<bool> {
        let held = self.holds(slot, lease)?;
        if held {
            self.end_lease(slot)?;
        }
        Ok(held)
    }

    pub(crate) fn holds(&self, slot: &KeySlot, lease: &Lease) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(HELD)?;
        let held = statement.query_row([slot.id], |row| {
            Ok(row.get::<_, i64>(0)? == self.meta.namespace
                && row.get::<_, i64>(1)? > self.now
                && row.get_ref(2)?.as_blob()? == slot.key
                && row.get_ref(3)?.as_blob()? == lease.token.as_bytes())
        });
        Ok(held.optional()?.unwrap_or(false))
    }

    pub(crate) fn end_lease(&mut self, slot: &KeySlot) -> Result<()> {
        let mut statement = self.connection.prepare_cached(END)?;
        statement.execute(params![slot.id, slot.key])?;
        Ok(())
    }

    /// The lease of somebody whose epoch is not known: for giving back what nobody received.
    pub(crate) fn release_token(&mut self, slot: &KeySlot, token: LeaseToken) -> Result<bool> {
        let epoch: Epoch = self.meta.epoch;
        self.release(slot, &Lease { token, epoch })
    }
}

/// Rounded up, so that a lease is never shorter than was asked for; at least a millisecond.
fn millis(time: Duration) -> u64 {
    let time = time.max(LeaseRequest::MIN_TIME);
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_times_round_up() {
        assert_eq!(millis(Duration::ZERO), 1);
        assert_eq!(millis(Duration::from_micros(1_001)), 2);
        assert_eq!(millis(Duration::MAX), u64::MAX);
    }
}
