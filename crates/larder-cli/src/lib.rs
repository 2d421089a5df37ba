#![doc = include_str!("../README.md")]

mod bind;
mod command;
mod demo;
mod doctor;
mod failure;
mod moment;
mod output;
mod query;
mod schema;
mod target;
mod usage;

pub use command::run;
