//! The lock: one migrator at a time.
//!
//! Two things make it. The database's own lock excludes: it is bound to a connection or a
//! transaction and goes with it. The lease row says who holds it, and tells a holder that is at
//! work from one that was stopped.

mod announce;
mod exclusion;
mod heart;
mod holder;
mod judge;
mod lease;
mod locked;
mod turn;
mod waiting;

pub(crate) use exclusion::Exclusion;
pub use holder::LockHolder;
pub(crate) use locked::{Attempt, Locked};
pub(crate) use turn::{Overtaking, clear_stale, current_holder};
pub(crate) use waiting::Waiting;
