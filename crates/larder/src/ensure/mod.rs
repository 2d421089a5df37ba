//! The schema cache on the database of the query layer.

mod guard;
mod pool_session;
mod store;

pub(crate) use guard::Guard;
pub(crate) use store::open;
