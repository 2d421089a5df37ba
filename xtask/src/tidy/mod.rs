//! `cargo xtask tidy`: rules of the house that no compiler checks.
//!
//! Each rule is a function from the tree of files to its findings.

mod command;
mod finding;
mod forgotten;
mod links;
mod manifests;
mod sources;
mod tiers;
mod tree;

pub(crate) use command::{findings, run, show};
