//! A backend that fails on demand, and the script that says how.

mod backend;
mod script;

pub use backend::FaultBackend;
pub use script::{Fault, Faults};
