#![doc = include_str!("../README.md")]

mod bind;
mod command;
mod demo;
mod failure;
mod output;
mod query;
mod target;
mod usage;

pub use command::run;
