#![doc = include_str!("../README.md")]

mod introspect;
mod session;

pub use introspect::{Target, identity, introspect, normalise, signal, tokens};
pub use session::{Cell, Connector, Param, Session, SessionError, SessionErrorKind, UrlConnector};
