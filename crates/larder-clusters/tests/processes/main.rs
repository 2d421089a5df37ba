//! Several processes on one file, stopped and killed at any moment.
//!
//! The full lengths, a minute and 500 rounds, run with `LARDER_CLUSTERS_FULL=1`; without it every
//! test takes a few seconds.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "the figures of a run, and what children tell the parent")]

mod child;
mod death;
mod kill;
mod stress;
