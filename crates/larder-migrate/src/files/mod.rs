#![doc = include_str!("README.md")]

mod by_hand;
mod directives;
mod embedded;
mod error;
mod file_name;
mod new;
mod objection;
mod prepared;
mod run;
mod script;
mod set;
mod sql;
mod status;
mod version;

pub use by_hand::registering_statements;
pub use directives::{DirectiveError, Directives};
pub use embedded::EmbeddedFile;
pub use error::FileError;
pub use file_name::Direction;
pub use new::{NewFiles, new_files};
pub use objection::Objection;
pub(crate) use prepared::prepare;
pub use run::{
    DownTarget, FileProblem, FileRepair, FileReport, FileRunError, OutOfOrder, RunFile, UpOptions,
};
pub use script::Script;
pub use set::{MigrationFile, MigrationFiles};
pub use sql::{Construct, Position, SplitError, Statement, Statements, split};
pub(crate) use sql::{Token, TokenKind, significant};
pub use status::{FileStanding, FileState, file_standings};
pub(crate) use status::{registry_version, version_of};
pub use version::FileVersion;
