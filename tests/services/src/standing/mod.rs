//! Servers that stay when the process that started them ends, for work by hand.

mod command;
mod record;

pub use command::{Standing, Status, down, status, up};
pub(crate) use record::{Entry, note};
