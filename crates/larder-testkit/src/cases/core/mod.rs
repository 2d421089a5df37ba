//! The protocol itself, which every backend speaks.

mod cancellation;
mod entries;
mod fills;
mod generations;
mod hygiene;
mod leases;
mod protocol;
mod sizes;

pub use cancellation::*;
pub use entries::*;
pub use fills::*;
pub use generations::*;
pub use hygiene::*;
pub use leases::*;
pub use protocol::*;
pub use sizes::*;

pub(crate) use generations::agree;
pub(crate) use leases::one_won;
