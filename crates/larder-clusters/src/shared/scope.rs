//! What every step of the state machine has at hand: the transaction, the time, who asks.

use larder_sqlite_file::rusqlite::{Connection, params};

use super::{
    Fence, Process, SharedOptions, State,
    former::{Drift, FormerRow, reconcile},
    options::millis,
    process::{Liveness, Processes},
    thing::Thing,
};
use crate::{
    error::Fault,
    events::{self, NewEvent},
    store::Store,
};

/// One transaction of a registry.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) store: &'a Store,
    pub(crate) connection: &'a Connection,
    pub(crate) options: &'a SharedOptions,
    pub(crate) processes: &'a dyn Processes,
    pub(crate) me: Process,
    pub(crate) now: i64,
}

impl Scope<'_> {
    pub(crate) fn kind(&self) -> &str {
        self.options.kind.as_str()
    }

    /// The thing as it is now, and what the former tool did to it. Nothing is written.
    pub(crate) fn look(&self, key: &str) -> Result<(Option<Thing>, Drift), Fault> {
        let own = Thing::stored(self, key)?;
        if !self.options.kind.is_projected() {
            return Ok((own, Drift::None));
        }
        let row = FormerRow::find(self.connection, key)?;
        Ok(reconcile(own, row, key, self.now, millis(self.options.former_lease)))
    }

    /// The thing as it is now, after what the former tool did to it was taken over.
    pub(crate) fn load(&self, key: &str) -> Result<Option<Thing>, Fault> {
        let (thing, drift) = self.look(key)?;
        let Some(mut thing) = thing else { return Ok(None) };
        match drift {
            Drift::None => return Ok(Some(thing)),
            Drift::Counted => {}
            Drift::Adopted => {
                self.renew_fence(&mut thing)?;
                self.record(&thing, "adopted", Some(thing.state.as_str()))?;
            }
            Drift::Removed => {
                self.dismiss_holders(key)?;
                self.record(&thing, State::Gone.as_str(), Some("removed by the former tool"))?;
            }
        }
        let living = self.reap(&thing)?.living;
        thing.save(self, living)?;
        Ok(Some(thing))
    }

    /// All keys of the kind, in order.
    pub(crate) fn keys(&self) -> Result<Vec<String>, Fault> {
        let mut select =
            self.connection.prepare_cached("SELECT key FROM larder_shared WHERE kind = ?1")?;
        let keys = select.query_map([self.kind()], |row| row.get(0))?;
        let mut keys: Vec<String> = keys.collect::<Result<_, _>>()?;
        if self.options.kind.is_projected() {
            keys.extend(FormerRow::keys(self.connection)?);
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Gives the thing a fence above all others. Holds of the earlier one end.
    pub(crate) fn renew_fence(&self, thing: &mut Thing) -> Result<(), Fault> {
        let mut raise = self
            .connection
            .prepare_cached("UPDATE larder_fence SET last = last + 1 RETURNING last")?;
        thing.fence = raise.query_row([], |row| row.get::<_, Fence>(0))?;
        self.dismiss_holders(&thing.key)
    }

    /// Whether whoever creates or drains the thing does so no more.
    pub(crate) fn is_abandoned(&self, thing: &Thing) -> bool {
        if !matches!(thing.state, State::Creating | State::Draining) {
            return false;
        }
        let liveness = match &thing.owner {
            None => Liveness::Unknown,
            Some(owner) if owner.is_former() => {
                self.processes.former_liveness(owner.pid, thing.created_at)
            }
            Some(owner) => self.processes.liveness(owner),
        };
        liveness == Liveness::Dead || thing.lease_until.is_none_or(|until| until <= self.now)
    }

    pub(crate) fn record(
        &self,
        thing: &Thing,
        event: &str,
        detail: Option<&str>,
    ) -> Result<(), Fault> {
        let fence = Some(thing.fence.as_i64());
        let event = NewEvent { kind: self.kind(), key: &thing.key, fence, event, detail };
        events::record(self.store, self.connection, event)
    }

    /// Forgets what has been gone for long.
    pub(crate) fn forget_gone(&self) -> Result<(), Fault> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM larder_shared WHERE state = 'gone' AND changed_at < ?1 AND kind = ?2",
        )?;
        let since = self.now.saturating_sub(millis(self.options.gone_retention));
        delete.execute(params![since, self.kind()])?;
        Ok(())
    }
}
