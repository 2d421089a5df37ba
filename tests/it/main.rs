//! Scenarios across crates, one binary.

mod no_stale_reads;
mod processes;
