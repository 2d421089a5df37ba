//! Schemas converge: whatever pair of schemas a plan leads from one to the other, and nothing is
//! left to do.

mod harness;
mod mysql;
mod postgres;
mod sqlite;
