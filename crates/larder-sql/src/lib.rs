#![doc = include_str!("../README.md")]

mod analysis;
mod analyze;
mod ctes;
mod dialect;
mod error;
mod functions;
mod guard;
mod leading;
mod normalize;
mod reserved;
mod system;
mod table_name;
mod targets;
mod walk;

pub use analysis::{Analysis, StatementKind, Uncacheable, Writes};
pub use analyze::analyze;
pub use dialect::Dialect;
pub use error::AnalyzeError;
pub use leading::looks_like_read;
pub use table_name::TableName;
