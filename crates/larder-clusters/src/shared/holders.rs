//! Who uses a thing.
//!
//! Invariant: usage is not a number that somebody has to lower, but the holders that live. One
//! that was killed counts no more, and a hold that ended twice ended once.

use std::collections::HashMap;

use larder_sqlite_file::rusqlite::{OptionalExtension as _, params};

use super::{
    HoldId, Holder, Process,
    options::millis,
    process::Liveness,
    scope::Scope,
    state::State,
    thing::{Thing, read_process},
};
use crate::error::Fault;

/// What a look at the holders brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reaped {
    pub(crate) living: u64,
    pub(crate) dead: u64,
}

impl Scope<'_> {
    /// The holders of a thing, each with whether it lives.
    fn holders(&self, thing: &Thing) -> Result<Vec<(Holder, bool)>, Fault> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, boot, pid, process_start, joined_at, heartbeat_at
             FROM larder_holder WHERE kind = ?1 AND key = ?2 AND fence = ?3",
        )?;
        let mut judged = HashMap::new();
        let rows = select.query_map(params![self.kind(), thing.key, thing.fence], |row| {
            let process =
                read_process(row, 1)?.unwrap_or(Process { pid: 0, boot: None, start: None });
            let (joined_at_ms, heartbeat_at_ms) = (row.get(4)?, row.get(5)?);
            let id = HoldId::from_file(row.get(0)?);
            Ok(Holder { id, process, joined_at_ms, heartbeat_at_ms })
        })?;
        let expiry = millis(self.options.holder_expiry);
        rows.map(|holder| {
            let holder = holder?;
            let liveness = *judged
                .entry(holder.process.clone())
                .or_insert_with(|| self.processes.liveness(&holder.process));
            // Who creates a thing holds it as long as the creation is its own.
            let lives = thing.state == State::Creating
                || match liveness {
                    Liveness::Alive => true,
                    Liveness::Dead => false,
                    Liveness::Unknown => self.now.saturating_sub(holder.heartbeat_at_ms) <= expiry,
                };
            Ok((holder, lives))
        })
        .collect()
    }

    /// The holders that live. Nothing is written.
    pub(crate) fn living(&self, thing: &Thing) -> Result<Vec<Holder>, Fault> {
        let holders = self.holders(thing)?.into_iter();
        Ok(holders.filter_map(|(holder, lives)| lives.then_some(holder)).collect())
    }

    /// Removes the holders that are dead and counts the others.
    pub(crate) fn reap(&self, thing: &Thing) -> Result<Reaped, Fault> {
        let mut reaped = Reaped::default();
        for (holder, lives) in self.holders(thing)? {
            if lives {
                reaped.living += 1;
                continue;
            }
            reaped.dead += u64::from(self.dismiss(&thing.key, &holder.id)?);
            self.record(thing, "holder lost", Some(&holder.process.to_string()))?;
        }
        Ok(reaped)
    }

    /// Makes this process a holder.
    pub(crate) fn admit(&self, thing: &Thing) -> Result<HoldId, Fault> {
        let id = HoldId::random();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO larder_holder(
                 id, kind, key, fence, boot, pid, process_start, joined_at, heartbeat_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        )?;
        insert.execute(params![
            id.as_str(),
            self.kind(),
            thing.key,
            thing.fence,
            self.me.boot,
            self.me.pid,
            self.me.start.map(u64::cast_signed),
            self.now,
        ])?;
        Ok(id)
    }

    /// Ends one hold; whether there was one.
    pub(crate) fn dismiss(&self, key: &str, hold: &HoldId) -> Result<bool, Fault> {
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM larder_holder WHERE id = ?1 AND kind = ?2 AND key = ?3")?;
        Ok(delete.execute(params![hold.as_str(), self.kind(), key])? > 0)
    }

    /// Ends every hold of a thing.
    pub(crate) fn dismiss_holders(&self, key: &str) -> Result<(), Fault> {
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM larder_holder WHERE kind = ?1 AND key = ?2")?;
        delete.execute(params![self.kind(), key])?;
        Ok(())
    }

    /// The newest hold of this process on a thing.
    pub(crate) fn own_hold(&self, key: &str) -> Result<Option<HoldId>, Fault> {
        let mut select = self.connection.prepare_cached(
            "SELECT id FROM larder_holder
             WHERE kind = ?1 AND key = ?2 AND pid = ?3 AND boot IS ?4 AND process_start IS ?5
             ORDER BY joined_at DESC, id LIMIT 1",
        )?;
        let Process { pid, boot, start } = &self.me;
        let start = start.map(u64::cast_signed);
        let found = select
            .query_row(params![self.kind(), key, pid, boot, start], |row| row.get::<_, String>(0))
            .optional()?;
        Ok(found.map(HoldId::from_file))
    }

    /// Notes that the holders of a thing live.
    pub(crate) fn hear_of(&self, thing: &Thing) -> Result<(), Fault> {
        let mut update = self.connection.prepare_cached(
            "UPDATE larder_holder SET heartbeat_at = ?1 WHERE kind = ?2 AND key = ?3",
        )?;
        update.execute(params![self.now, self.kind(), thing.key])?;
        Ok(())
    }

    /// Notes that a holder lives; whether it still is one.
    pub(crate) fn hear(&self, hold: &HoldId) -> Result<bool, Fault> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE larder_holder SET heartbeat_at = ?1 WHERE id = ?2")?;
        Ok(update.execute(params![self.now, hold.as_str()])? > 0)
    }
}
