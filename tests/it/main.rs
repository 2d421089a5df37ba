//! Scenarios across crates, one binary.

mod matrix;
mod no_stale_reads;
mod outages;
mod processes;
mod python;
mod seed_faults;
mod support;
