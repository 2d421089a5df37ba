//! Every conformance case, as a plain async function.
//!
//! A case takes a fixture on which nothing has been opened yet. The group `core` and the group
//! `ttl` apply to every backend, the others to those that claim them.
//!
//! # Panics
//! Each case panics when a promise is broken, or the backend answers with an error.
//!
//! # Cancel safety
//! Dropping a case gives the test up; its store is of no further use.

pub mod add;
pub mod batch;
pub mod clear;
pub mod core;
pub mod persistent;
pub mod shared;
pub mod touch;
pub mod ttl;
pub mod watch;

mod list;

pub use list::{GROUPS, group};
