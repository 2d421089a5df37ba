//! What has to be done to a schema, step by step, and how much each step may cost.

mod change;
mod class;
mod policy;
mod step;
mod steps;

pub use change::{Change, Difference};
pub use class::{Class, LockLevel};
pub use policy::{Policy, Refusal};
pub use step::{Interlude, Probe, Step, Undo};
pub use steps::Plan;
