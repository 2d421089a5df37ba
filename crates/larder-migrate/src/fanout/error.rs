//! Why a fan-out did not begin, or can not go on.

use std::{io, path::PathBuf};

/// Why a fan-out did not begin, or can not go on. What goes wrong with one tenant is in its
/// [report](crate::TenantReport) instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FanOutError {
    /// The run of this name was for other models.
    #[error("run {run:?} was for other models")]
    OtherModels {
        /// The run.
        run: String,
    },
    /// A name of a run with other characters than letters, digits, `-`, `_` and `.`.
    #[error("{run:?} is no name of a run: letters, digits, '-', '_' and '.' are allowed")]
    RunName {
        /// The name.
        run: String,
    },
    /// How far the run came can not be read or kept.
    #[error("the state of the run can not be kept in {path:?}")]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
