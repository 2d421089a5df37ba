//! The schema cache on the database of the query layer.

mod pool_session;
mod store;

pub(crate) use store::open;
