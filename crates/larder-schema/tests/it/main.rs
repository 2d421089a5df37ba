//! The schema cache against a database that counts, stops and fails on request.

mod back_off;
mod batches;
mod cache;
mod drift;
mod eviction;
mod flights;
mod handles;
mod second_level;
mod support;
mod time;
