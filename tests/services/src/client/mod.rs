//! As much of each protocol as it takes to see that a server answers, and to arrange Redis.

mod probe;
mod resp;
mod stream;

pub(crate) use probe::Probe;
pub use resp::Reply;
pub(crate) use resp::command;
pub(crate) use stream::Address;
