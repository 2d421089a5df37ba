#![doc = include_str!("../README.md")]

mod bench;
pub mod cases;
mod clock;
mod conformance;
mod fault;
mod fixture;
mod guard;
mod interrupt;
mod model;
mod names;
mod proxy;
mod race;
mod runner;
mod samples;

pub use clock::ManualClock;
pub use fault::{Fault, FaultBackend, Faults};
pub use fixture::{Fixture, Time};
pub use guard::{run_guard, run_isolation};
pub use interrupt::interrupt;
pub use model::{differs_from_model, run_state_machine};
pub use names::hostile_names;
pub use proxy::{Accept, Direction, FaultProxy, ProxyStats, WireFault};
pub use runner::{Case, run};
pub use samples::damaged_envelopes;
