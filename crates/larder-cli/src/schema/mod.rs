//! `larder schema`: what tables should look like, what they do look like, and the way from one to
//! the other.

mod adopt;
mod apply;
mod cache;
mod command;
mod dump;
mod fanout;
mod files;
mod folder;
mod lint;
mod models;
mod place;
mod plan;
mod repair;
mod report;
mod status;
mod verify;

use crate::{answer, plain};
pub(crate) use command::{SchemaArgs, run};
