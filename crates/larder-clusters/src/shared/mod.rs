//! Who holds an expensive thing that processes share: the state machine, its holders, and the
//! guard that keeps a thing while it is used.

mod acquire;
mod answers;
pub(crate) mod census;
mod creator;
mod duty;
mod failure;
mod former;
mod guard;
mod heart;
mod holders;
mod info;
mod kind;
mod machine;
mod options;
mod process;
mod registry;
mod scope;
mod state;
mod thing;

#[cfg(test)]
mod tests;

pub use acquire::AcquireOptions;
pub use answers::{Creation, Drain, Hold, HoldId, Registration, Released, Swept, Update, Waiting};
pub use creator::Creator;
pub use failure::{AcquireError, DestroyError};
pub use guard::Shared;
pub use info::{Holder, SharedInfo};
pub use kind::{Kind, KindError};
pub use options::SharedOptions;
pub use process::Process;
pub use registry::SharedRegistry;
pub use state::{Fence, State, StateError};
