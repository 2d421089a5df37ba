//! A server as a value: everything it takes to start it, again if need be.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use rustix::process::Signal;

use crate::{client::Address, client::Probe, find::Program};

/// How one server is started, asked and stopped.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// What people and logs call it.
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) args: Vec<OsString>,
    /// Where it runs and keeps its data.
    pub(crate) folder: PathBuf,
    /// Where clients find it; 0 if on a socket only.
    pub(crate) port: u16,
    pub(crate) probe: Probe,
    /// How commands reach it, if it is a Redis or Valkey.
    pub(crate) console: Option<Console>,
    /// What makes it end in an orderly way.
    pub(crate) stop_signal: Signal,
    /// How long it may take until it answers.
    pub(crate) patience: Duration,
}

/// The way for commands to a Redis or Valkey, which is none of those that clients are given.
#[derive(Clone, Debug)]
pub(crate) struct Console {
    pub(crate) address: Address,
    pub(crate) login: Option<(&'static str, &'static str)>,
}

/// Arguments from words that are not all of one type.
macro_rules! args {
    ($($word:expr),* $(,)?) => {
        vec![$(std::ffi::OsString::from(&$word)),*]
    };
}

pub(crate) use args;
