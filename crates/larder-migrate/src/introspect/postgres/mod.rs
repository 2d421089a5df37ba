//! PostgreSQL: what its catalog says of a schema.
//!
//! Guards that `information_schema` is never asked, which hides what the role has no right to, and
//! that names in types and expressions always stand with their schemas, whatever the session's
//! `search_path` is.
//!
//! A table is opaque if it has something that the description can not express and that an
//! alteration could harm: it is a partition or has some, it inherits or is inherited from, it
//! follows a type, or one of its keys has more to it than columns. What PostgreSQL itself keeps
//! whole across alterations does not make it so: triggers, rules, policies, exclusion constraints,
//! statistics, storage parameters.

mod catalog;
mod describe;
mod frame;
mod normalise;
mod parts;
mod text;
mod token;

pub(super) use describe::introspect;
pub(super) use normalise::normalise;
pub(super) use token::{identity, signal, tokens};
