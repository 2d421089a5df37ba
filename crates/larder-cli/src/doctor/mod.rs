//! `larder doctor`: what is configured, what was found there, and what to mend.

mod cache;
mod command;
mod database;
mod finding;
mod mend;
mod report;

pub(crate) use command::{DoctorArgs, run};
