//! Which operation fails next and how; shared by a test and the backend that it torments.
//!
//! Invariant: a call is counted and meets its fault in one step, so "the next call" is exactly
//! one call, however many arrive at once.

use std::{collections::HashMap, sync::Arc};

use larder_core::{ErrorKind, Operation};
use tokio::sync::watch;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Fails with this kind; the backend hears nothing of it.
    Error(ErrorKind),
    /// Waits until it is released, then goes on as if nothing had happened.
    Hang,
    /// Takes effect, then waits until it is released before it answers.
    HangAfter,
    /// Takes effect, then fails with this kind: the answer was lost on its way.
    Lost(ErrorKind),
    /// Answers no, without asking the backend: [`Held`](larder_core::LeaseOutcome::Held),
    /// [`Refused`](larder_core::FillOutcome::Refused), `false` for `add`, `touch`, `renew` and
    /// `release`. A verb that has no such answer fails with [`ErrorKind::Unavailable`].
    Refuse,
}

/// The script of a [`FaultBackend`](crate::FaultBackend). Clones share one script.
#[derive(Clone, Debug)]
pub struct Faults(Arc<watch::Sender<Script>>);

#[derive(Debug, Default)]
struct Script {
    planned: HashMap<Operation, Planned>,
    calls: HashMap<Operation, u64>,
    releases: HashMap<Operation, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    fault: Fault,
    /// How many calls it still hits; `None` for all of them.
    calls_left: Option<u64>,
}

/// What one call met on its way in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entered {
    pub(super) fault: Option<Fault>,
    operation: Operation,
    releases: u64,
}

impl Faults {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Lets every call of this operation meet the fault, until it is lifted. It replaces what
    /// was set before; calls that hang already keep hanging.
    pub fn set(&self, operation: Operation, fault: Fault) {
        self.plan(operation, fault, None);
    }

    /// Lets the next `calls` calls of this operation meet the fault.
    pub fn set_next(&self, operation: Operation, fault: Fault, calls: u64) {
        self.plan(operation, fault, Some(calls));
    }

    /// Lifts the fault of one operation and releases the calls that hang in it.
    pub fn lift(&self, operation: Operation) {
        self.0.send_modify(|script| {
            script.planned.remove(&operation);
            *script.releases.entry(operation).or_default() += 1;
        });
    }

    /// Lifts all faults and releases all calls. The counts stay.
    pub fn clear(&self) {
        self.0.send_modify(|script| {
            script.planned.clear();
            for operation in script.calls.keys() {
                *script.releases.entry(*operation).or_default() += 1;
            }
        });
    }

    /// How many calls of this operation have arrived, failed ones included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.0.borrow().calls(operation)
    }

    /// Waits until so many calls of this operation have arrived: they may still be under way,
    /// or hang.
    ///
    /// # Cancel safety
    /// Nothing changes.
    pub async fn reached(&self, operation: Operation, calls: u64) {
        self.wait_for(|script| script.calls(operation) >= calls).await;
    }

    pub(super) fn enter(&self, operation: Operation) -> Entered {
        let mut entered = Entered { fault: None, operation, releases: 0 };
        self.0.send_modify(|script| {
            *script.calls.entry(operation).or_default() += 1;
            entered.releases = script.releases(operation);
            entered.fault = script.take(operation);
        });
        entered
    }

    /// Waits until what hangs since `entered` is released.
    pub(super) async fn released(&self, entered: Entered) {
        self.wait_for(|script| script.releases(entered.operation) > entered.releases).await;
    }

    /// What feeds that are already open meet: `None` for the events to flow on.
    pub(super) async fn feed(&self) -> Option<Fault> {
        let hangs = |fault| matches!(fault, Some(Fault::Hang | Fault::HangAfter));
        self.wait_for(|script| !hangs(script.standing(Operation::Watch))).await;
        self.0.borrow().standing(Operation::Watch)
    }

    fn plan(&self, operation: Operation, fault: Fault, calls_left: Option<u64>) {
        let planned = Planned { fault, calls_left };
        self.0.send_modify(|script| {
            script.planned.insert(operation, planned);
        });
    }

    async fn wait_for(&self, condition: impl FnMut(&Script) -> bool) {
        // It fails when the sender is gone, and `self` is the sender.
        let _ = self.0.subscribe().wait_for(condition).await;
    }
}

impl Script {
    fn calls(&self, operation: Operation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or_default()
    }

    fn releases(&self, operation: Operation) -> u64 {
        self.releases.get(&operation).copied().unwrap_or_default()
    }

    /// The fault that holds until it is lifted, not the one for the next calls.
    fn standing(&self, operation: Operation) -> Option<Fault> {
        let planned = self.planned.get(&operation)?;
        planned.calls_left.is_none().then_some(planned.fault)
    }

    fn take(&mut self, operation: Operation) -> Option<Fault> {
        let planned = self.planned.get_mut(&operation)?;
        if let Some(calls_left) = &mut planned.calls_left {
            *calls_left = calls_left.checked_sub(1)?;
        }
        Some(planned.fault)
    }
}
