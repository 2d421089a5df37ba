#![doc = include_str!("../README.md")]

mod answer;
mod bind;
mod clusters;
mod command;
mod demo;
mod doctor;
mod failure;
mod moment;
mod output;
mod plain;
mod query;
mod schema;
mod target;
mod usage;

pub use command::run;
