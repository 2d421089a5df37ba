//! The steps of the state machine, each of them one transaction.
//!
//! Invariant: absent → creating → ready → draining → gone, or failed from anywhere in between.
//! A step that belongs to an owner happens only under the owner's fence. The last user's leaving
//! and the start of draining are one step, so nobody joins in between.

use larder_sqlite_file::rusqlite::params;

use super::{
    Creation, Drain, Fence, Hold, HoldId, Registration, Released, State, Update, Waiting,
    options::millis, scope::Scope, thing::Thing,
};
use crate::error::{Error, Fault};

/// Whether whoever drains has time for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It deletes the thing, and others wait for it.
    Lease,
    /// It does not, and the next one takes over at once.
    None,
}

impl Scope<'_> {
    /// Creates the thing, joins it, or says why neither can be done now.
    pub(crate) fn register(&self, key: &str) -> Result<Registration, Fault> {
        let Some(thing) = self.load(key)? else {
            return self.begin(Thing::new(key, self.now));
        };
        match thing.state {
            State::Gone => self.begin(Thing { resource_id: None, ..thing }),
            State::Failed => {
                let retry_at =
                    thing.changed_at.saturating_add(millis(self.options.failure_backoff));
                if self.now < retry_at {
                    let error = thing.error.unwrap_or_default();
                    return Ok(Registration::Failed { fence: thing.fence, error });
                }
                self.begin(thing)
            }
            State::Creating | State::Draining if self.is_abandoned(&thing) => self.begin(thing),
            State::Creating => Ok(Registration::Joiner(Waiting::for_owner(&thing))),
            State::Draining => Ok(Registration::Draining(Waiting::for_owner(&thing))),
            State::Ready => self.enter(thing).map(Registration::Ready),
        }
    }

    /// Makes this process the creator. Whatever is on record of an earlier owner stays there
    /// until this one says what became of it.
    fn begin(&self, mut thing: Thing) -> Result<Registration, Fault> {
        let taken_over = matches!(thing.state, State::Creating | State::Draining);
        let instead_of = thing.owner.as_ref().filter(|_| taken_over);
        let detail = instead_of.map(|owner| format!("instead of {owner}"));
        self.renew_fence(&mut thing)?;
        thing.state = State::Creating;
        thing.created_at = self.now;
        thing.error = None;
        thing.strangers = 0;
        self.own(&mut thing, Patience::Lease);
        let hold = self.admit(&thing)?;
        thing.save(self, 1)?;
        self.record(&thing, State::Creating.as_str(), detail.as_deref())?;
        Ok(Registration::Creator(Creation {
            key: thing.key,
            fence: thing.fence,
            hold,
            leftover: thing.resource_id,
        }))
    }

    fn own(&self, thing: &mut Thing, patience: Patience) {
        let lease = match patience {
            Patience::Lease => millis(self.options.lease),
            Patience::None => 0,
        };
        thing.owner = Some(self.me.clone());
        thing.lease_until = Some(self.now.saturating_add(lease));
        thing.changed_at = self.now;
    }

    /// Makes this process a user of what is ready.
    fn enter(&self, mut thing: Thing) -> Result<Hold, Fault> {
        let id = self.admit(&thing)?;
        let living = self.reap(&thing)?.living;
        thing.save(self, living)?;
        let resource_id = thing.resource_id.unwrap_or_default();
        Ok(Hold { id, key: thing.key, fence: thing.fence, resource_id })
    }

    /// Joins what is ready.
    pub(crate) fn join(&self, key: &str) -> Result<Hold, Fault> {
        match self.load(key)? {
            Some(thing) if thing.state == State::Ready => self.enter(thing),
            thing => {
                let (kind, key) = (self.options.kind.clone(), key.to_owned());
                let state = thing.map(|thing| thing.state);
                Err(Error::NotJoinable { kind, key, state }.into())
            }
        }
    }

    /// What an owner reports. The same report twice is one.
    pub(crate) fn update(&self, key: &str, fence: Fence, update: Update<'_>) -> Result<(), Fault> {
        let mut thing = match self.load(key)? {
            Some(thing) if thing.fence == fence => thing,
            other => return Err(self.fenced(key, fence, other.as_ref())),
        };
        match (thing.state, update) {
            (State::Creating, Update::Creating { resource_id }) => {
                thing.resource_id = resource_id.map(str::to_owned);
                return self.go_on(thing);
            }
            (State::Creating, Update::Ready { resource_id }) => {
                thing.resource_id = Some(resource_id.to_owned());
                thing.lease_until = None;
                // Up to here its lease spoke for the creator; from here on its hold does.
                self.hear_of(&thing)?;
            }
            (State::Draining, Update::Gone) => {
                thing.owner = None;
                thing.lease_until = None;
            }
            (State::Creating | State::Draining | State::Ready, Update::Failed { error }) => {
                thing.error = Some(error.to_owned());
                thing.owner = None;
                thing.lease_until = None;
                thing.strangers = 0;
                self.dismiss_holders(key)?;
            }
            // Said before, and the answer was lost.
            (State::Ready, Update::Ready { resource_id })
                if thing.resource_id.as_deref() == Some(resource_id) =>
            {
                return Ok(());
            }
            (State::Gone, Update::Gone) | (State::Failed, Update::Failed { .. }) => return Ok(()),
            (from, update) => {
                let (kind, key) = (self.options.kind.clone(), key.to_owned());
                return Err(Error::Transition { kind, key, from, to: update.state() }.into());
            }
        }
        self.change(&mut thing, update.state())
    }

    fn fenced(&self, key: &str, fence: Fence, found: Option<&Thing>) -> Fault {
        let (kind, key) = (self.options.kind.clone(), key.to_owned());
        Error::Fenced { kind, key, fence, current: found.map(|thing| thing.fence) }.into()
    }

    /// Gives the thing its new state, and writes both down.
    fn change(&self, thing: &mut Thing, state: State) -> Result<(), Fault> {
        thing.state = state;
        thing.changed_at = self.now;
        let living = match state {
            State::Creating | State::Ready => self.reap(thing)?.living,
            State::Draining | State::Failed | State::Gone => 0,
        };
        thing.save(self, living)?;
        let detail = match state {
            State::Failed => thing.error.as_deref(),
            State::Creating | State::Draining | State::Gone | State::Ready => {
                thing.resource_id.as_deref()
            }
        };
        self.record(thing, state.as_str(), detail)?;
        if state == State::Gone { self.forget_gone() } else { Ok(()) }
    }

    /// Ends a hold. The last one to end makes the thing drain.
    pub(crate) fn release(
        &self,
        key: &str,
        hold: &HoldId,
        patience: Patience,
    ) -> Result<Released, Fault> {
        let thing = self.load(key)?;
        if !self.dismiss(key, hold)? {
            return Ok(Released::NotHeld);
        }
        // A hold ends with its thing, so there is one as long as there is the other.
        let Some(mut thing) = thing else { return Ok(Released::NotHeld) };
        if thing.state == State::Creating {
            // What is being made ends with a report; without one nobody would know what exists.
            let kind = self.options.kind.clone();
            let (from, to) = (thing.state, State::Draining);
            return Err(Error::Transition { kind, key: thing.key, from, to }.into());
        }
        let living = self.reap(&thing)?.living;
        let usage = living + thing.strangers;
        if usage > 0 || thing.state != State::Ready {
            thing.save(self, living)?;
            return Ok(Released::StillUsed { usage });
        }
        self.start_draining(thing, patience).map(Released::Last)
    }

    fn start_draining(&self, mut thing: Thing, patience: Patience) -> Result<Drain, Fault> {
        self.renew_fence(&mut thing)?;
        self.own(&mut thing, patience);
        thing.strangers = 0;
        self.change(&mut thing, State::Draining)?;
        Ok(Drain { key: thing.key, fence: thing.fence, resource_id: thing.resource_id })
    }

    /// Takes a thing that nobody uses, to delete it; `None` if somebody does, or deletes it.
    pub(crate) fn drain(&self, key: &str) -> Result<Option<Drain>, Fault> {
        let Some(mut thing) = self.load(key)? else { return Ok(None) };
        let free = match thing.state {
            State::Creating | State::Draining => self.is_abandoned(&thing),
            State::Failed => thing.resource_id.is_some(),
            State::Gone => false,
            State::Ready => {
                let reaped = self.reap(&thing)?;
                if reaped.dead > 0 {
                    thing.save(self, reaped.living)?;
                }
                reaped.living + thing.strangers == 0
            }
        };
        if free { self.start_draining(thing, Patience::Lease).map(Some) } else { Ok(None) }
    }

    /// Takes a thing off the record if nobody uses or owns it; whether it did.
    pub(crate) fn clean_up(&self, key: &str) -> Result<bool, Fault> {
        let Some(thing) = self.load(key)? else { return Ok(false) };
        let unused = match thing.state {
            State::Creating | State::Draining => self.is_abandoned(&thing),
            State::Failed => true,
            State::Gone => false,
            State::Ready => self.living(&thing)?.is_empty() && thing.strangers == 0,
        };
        if unused { self.erase(thing).map(|()| true) } else { Ok(false) }
    }

    /// Takes a thing off the record whoever uses it; whether there was one.
    pub(crate) fn remove(&self, key: &str) -> Result<bool, Fault> {
        match self.load(key)? {
            Some(thing) if thing.state != State::Gone => self.erase(thing).map(|()| true),
            _ => Ok(false),
        }
    }

    fn erase(&self, mut thing: Thing) -> Result<(), Fault> {
        // A new fence, so that an owner or a user who comes back finds nothing of its own.
        self.renew_fence(&mut thing)?;
        thing.owner = None;
        thing.lease_until = None;
        thing.error = None;
        thing.strangers = 0;
        self.change(&mut thing, State::Gone)
    }

    /// Looks at one thing for what the dead left behind: how many holders were removed, and
    /// whether it is now nobody's.
    pub(crate) fn sweep(&self, key: &str) -> Result<(u64, bool), Fault> {
        let Some(mut thing) = self.load(key)? else { return Ok((0, false)) };
        match thing.state {
            State::Creating | State::Draining => Ok((0, self.is_abandoned(&thing))),
            State::Failed | State::Gone => Ok((0, false)),
            State::Ready => {
                let reaped = self.reap(&thing)?;
                if reaped.dead > 0 {
                    thing.save(self, reaped.living)?;
                }
                Ok((reaped.dead, reaped.living + thing.strangers == 0))
            }
        }
    }

    /// Gives an owner a full lease from now on, as long as it is one. Whoever has the fence is the
    /// owner, so that a creation can be handed to another process.
    pub(crate) fn renew(&self, key: &str, fence: Fence) -> Result<(), Fault> {
        match self.load(key)? {
            Some(thing)
                if thing.fence == fence
                    && matches!(thing.state, State::Creating | State::Draining) =>
            {
                self.go_on(thing)
            }
            other => Err(self.fenced(key, fence, other.as_ref())),
        }
    }

    /// Notes that this process goes on with what it owns.
    fn go_on(&self, mut thing: Thing) -> Result<(), Fault> {
        let since = thing.changed_at;
        self.own(&mut thing, Patience::Lease);
        thing.changed_at = since;
        let living = u64::from(thing.state == State::Creating);
        thing.save(self, living)
    }

    /// Sets the end of an owner's lease; whether it still is the owner.
    pub(crate) fn prolong(&self, key: &str, fence: Fence, until: i64) -> Result<bool, Fault> {
        let mut update = self.connection.prepare_cached(
            "UPDATE larder_shared SET lease_until = ?1 WHERE kind = ?2 AND key = ?3
             AND fence = ?4 AND state IN ('creating', 'draining')",
        )?;
        Ok(update.execute(params![until, self.kind(), key, fence])? > 0)
    }
}

impl Waiting {
    fn for_owner(thing: &Thing) -> Self {
        Self {
            key: thing.key.clone(),
            state: thing.state,
            fence: thing.fence,
            owner: thing.owner.clone(),
            since_ms: thing.changed_at,
            lease_until_ms: thing.lease_until,
        }
    }
}
