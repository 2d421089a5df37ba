//! One binary for all tests of whole statements.

mod mysql;
mod postgresql;
mod robustness;
mod sqlite;
mod sqlite_oracle;
mod summary;
