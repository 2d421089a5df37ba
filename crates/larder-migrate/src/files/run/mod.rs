//! Files run on a database: up, down, repair, and taking other tools' histories over.
//!
//! Invariants: whoever runs a file holds the same lock as for models; where the database can, a
//! file and its row are one transaction, and where it can not, the row says after every statement
//! how far the file came.

mod choose;
mod down;
mod import;
mod journal;
mod note;
mod options;
mod problem;
mod repair;
mod report;
mod step;
mod transaction;
mod up;

pub(crate) use note::FileNote;
pub use options::{DownTarget, OutOfOrder, UpOptions};
pub use problem::{FileProblem, FileRunError};
pub use repair::FileRepair;
pub use report::{FileReport, RunFile};
