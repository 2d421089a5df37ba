#![doc = include_str!("../README.md")]

mod application;
mod error;
mod guard;
mod identity;
mod open;
mod options;
mod owner;
mod transaction;

pub use application::Application;
pub use error::{FileError, FileKind};
pub use identity::FileIdentity;
pub use options::{Access, FileOptions, Synchronous};
pub use owner::{Owner, Recognised};
pub use transaction::{Retry, immediate, is_busy};

/// The crate whose connection type is part of the public interface.
pub use rusqlite;
