//! The engine's promises, one binary.

mod engine;
mod faults;
mod support;
