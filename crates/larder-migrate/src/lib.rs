#![doc = include_str!("../README.md")]

mod context;
mod dump;
mod error;
mod event_trigger;
mod fanout;
mod files;
mod hex;
mod import;
mod introspect;
mod lint;
mod lock;
mod lock_file;
mod migrator;
mod model_ref;
mod models_file;
mod options;
mod registry;
mod session;
mod standing;

pub use dump::Dump;
pub use error::MigrateError;
pub use event_trigger::EventTrigger;
pub use fanout::{
    FanOut, FanOutError, FanOutEvent, FanOutGroup, FanOutOptions, FanOutStop, FanOutSummary,
    Tenant, TenantOutcome, TenantReport,
};
pub use files::{
    Construct, Direction, DirectiveError, Directives, DownTarget, EmbeddedFile, FileError,
    FileProblem, FileRepair, FileReport, FileRunError, FileStanding, FileState, FileVersion,
    MigrationFile, MigrationFiles, NewFiles, Objection, OutOfOrder, Position, RunFile, Script,
    SplitError, Statement, Statements, UpOptions, file_standings, new_files,
    registering_statements, split,
};
pub(crate) use hex::hex;
pub use import::{
    History, HistoryEntry, HistorySource, Import, ImportError, Imported, match_history,
    read_history,
};
pub use introspect::{Target, identity, introspect, normalise, signal, tokens};
#[doc(hidden)]
pub use larder_derive::__embed_files;
pub use lint::{Finding, Rule, Severity, lint, lint_script};
pub use lock::LockHolder;
pub use lock_file::{LockFile, LockFileDifference, LockFileError};
pub use migrator::Migrator;
pub use model_ref::ModelRef;
pub use models_file::{ModelsFileError, models_from_json, models_to_json};
pub use options::MigrateOptions;
pub use registry::{MigrationKind, MigrationRow, MigrationStatus, ModelRow};
pub use session::{Cell, Connector, Param, Session, SessionError, SessionErrorKind, UrlConnector};
pub use standing::{Applied, Planned, PlannedModel, RepairAction, SchemaSignal, Standing, Status};
