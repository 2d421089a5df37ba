//! The model, and the machine that holds a backend against it.
//!
//! Three parts that know little of each other: a *plan* of calls, made of small numbers, which
//! proptest generates and shrinks; the *oracle*, which says what each call may answer; the
//! *machine*, which makes the calls and lets the oracle judge the answers.

mod machine;
mod oracle;
mod plan;

pub use machine::{differs_from_model, run_state_machine};
