//! Rules for the statements of files: what takes locks for long, breaks programs that still run,
//! or loses rows.
//!
//! Guards that a finding is right: where tokens alone can not tell, a rule says nothing.

mod check;
mod data;
mod finding;
mod locks;
mod parse;
mod rule;
mod transactions;

pub use check::{lint, lint_script};
pub use finding::Finding;
pub use rule::{Rule, Severity};
