#![doc = include_str!("../README.md")]

mod backend;
mod config;
mod counters;
mod entries;
mod feed;
mod generations;
mod leases;

pub use backend::MokaBackend;
pub use config::MokaConfig;
