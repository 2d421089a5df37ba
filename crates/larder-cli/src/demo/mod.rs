//! `larder demo`: a sample database, three queries on it, and what the cache makes of them.

mod command;
mod figures;
mod measure;
mod progress;
mod questions;
mod report;
mod sample;
mod statistics;

pub(crate) use command::{DemoArgs, run};
pub(crate) use figures::nanos;
