#![doc = include_str!("../README.md")]

mod account;
mod client;
mod deadline;
mod debian;
mod error;
mod find;
mod home;
mod instance;
mod options;
mod port;
mod progress;
mod run;
mod server;
mod service;
mod services;
mod setup;
mod spec;
mod standing;
mod tls;
mod tree;
mod watchdog;

pub use client::Reply;
pub use error::{Error, Result};
pub use home::{HOME_VARIABLE, home};
pub use options::Options;
pub use progress::report_progress_to;
pub use server::Server;
pub use service::{CA_VARIABLE, Service, start, start_with};
pub use services::Services;
pub use setup::{Setup, UnknownSetup};
pub use standing::{Standing, Status, down, status, up};
