#![doc = include_str!("../README.md")]

mod error;
mod hex;
mod introspect;
mod lock;
mod migrator;
mod model_ref;
mod options;
mod registry;
mod session;
mod standing;

pub use error::MigrateError;
pub(crate) use hex::hex;
pub use introspect::{Target, identity, introspect, normalise, signal, tokens};
pub use lock::LockHolder;
pub use migrator::Migrator;
pub use model_ref::ModelRef;
pub use options::MigrateOptions;
pub use registry::{MigrationKind, MigrationRow, MigrationStatus, ModelRow};
pub use session::{Cell, Connector, Param, Session, SessionError, SessionErrorKind, UrlConnector};
pub use standing::{Applied, Planned, PlannedModel, RepairAction, SchemaSignal, Standing, Status};
