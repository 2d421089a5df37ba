//! The lock: one migrator at a time.

mod holder;

pub use holder::LockHolder;
