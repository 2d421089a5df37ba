//! Random models, for tests of whatever takes one; feature `testing`.
//!
//! Guards that every model it makes is one that the database can have, so that a refusal is a
//! finding and never the generator's fault.

mod columns;
mod names;
mod tables;

pub use columns::data_type;
pub use names::name;
pub use tables::{pair, table_model};
