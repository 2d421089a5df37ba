//! `Model`, trait and derive macro together, for crates that know this one only as
//! `larder::model`.
//!
//! Guards that the code which the macro writes names a crate that its user depends on.

pub use larder_derive::FacadeModel as Model;

pub use crate::model::Model;
