//! The cache: what is cached, found, counted, cleaned up, taken over, copied and restored.

mod copies;
mod former;
mod history;
mod import;
mod keep;
mod metrics;
mod support;
mod upkeep;
