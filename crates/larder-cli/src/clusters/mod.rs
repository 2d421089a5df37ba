//! `larder clusters`: the clusters that are cached on this machine, and the things that its
//! processes share.

mod add;
mod command;
mod confirm;
mod copies;
mod documents;
mod environment;
mod file;
mod history;
mod import;
mod list;
mod place;
mod remove;
mod report;
mod shared;
mod status;
mod watch;

pub(crate) use command::{ClustersArgs, run};
