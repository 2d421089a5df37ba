//! What a PostgreSQL server has to answer, one file for each concern.

mod cached;
mod catalog;
mod functions;
mod identity;
mod parameters;
mod refusals;
mod restarts;
mod sessions;
mod statements;
mod transactions;
mod types;
