//! Schemas converge: whatever pair of schemas a plan leads from one to the other, and nothing is
//! left to do.

mod harness;
mod mysql_family;
mod postgres;
mod sqlite;
mod witness;
