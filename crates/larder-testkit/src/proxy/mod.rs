//! A proxy in front of a real server that does to the bytes what networks do.

mod conversation;
mod door;
mod fault;
mod handle;
mod pump;
mod random;
mod script;
mod stats;

pub use fault::{Accept, Direction, WireFault};
pub use handle::FaultProxy;
pub use stats::ProxyStats;
