//! What can go wrong, one variant for each thing that a caller can do about it.
//!
//! Invariant: trouble with the file carries its path.

use std::path::{Path, PathBuf};

use larder_sqlite_file::{FileError, rusqlite};

use crate::{Fence, ImportError, Kind, State};

/// The result of an operation on a cluster file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a cluster file or what is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration of a cluster can not be read. Cache the cluster anew.
    #[error("the stored configuration of cluster {cluster_id:?} is damaged or of a later version")]
    ConfigDamaged {
        /// The cluster.
        cluster_id: String,
    },
    /// The configuration of a cluster is too large to be stored.
    #[error("the configuration has {bytes} bytes, {bytes_max} are the most")]
    ConfigTooLarge {
        /// Its size as JSON.
        bytes: usize,
        /// The largest size.
        bytes_max: usize,
    },
    /// Something is where a new file should be. It was left alone.
    #[error("{} exists, and is left alone", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Somebody else owns the thing by now. Nothing was changed; what the caller made is on no
    /// record, so it should delete it.
    #[error("{kind} {key:?} is not owned under fence {fence} any more")]
    Fenced {
        /// The kind of the thing.
        kind: Kind,
        /// Its key.
        key: String,
        /// The caller's fence.
        fence: Fence,
        /// The fence of the owner by now; `None` if the thing is not there.
        current: Option<Fence>,
    },
    /// The file was not opened, or SQLite refused to read or write it. The inner error names the
    /// file; nothing was written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The document of the former file-based cache can not be taken over. Nothing of it was.
    #[error("the document can not be imported")]
    Import(#[from] ImportError),
    /// Shared things are being used, made or deleted, so the file can not be restored now.
    #[error("shared things are in use ({uses} times), so nothing was restored")]
    InUse {
        /// How often they are used, made or deleted.
        uses: u64,
    },
    /// The thing can not be joined: it is not ready, or its last user is deleting it. Register,
    /// or wait.
    #[error("{kind} {key:?} can not be joined{}", in_state(*state))]
    NotJoinable {
        /// The kind of the thing.
        kind: Kind,
        /// Its key.
        key: String,
        /// What state it is in; `None` if it is not there.
        state: Option<State>,
    },
    /// The task that the call was waiting for was ended with its runtime.
    #[error("the runtime ended before the call did")]
    RuntimeEnded,
    /// Not even its owner can take the thing from the one state to the other.
    #[error("{kind} {key:?} is {from} and can not become {to}")]
    Transition {
        /// The kind of the thing.
        kind: Kind,
        /// Its key.
        key: String,
        /// The state that it is in.
        from: State,
        /// The state that it should have.
        to: State,
    },
}

fn in_state(state: Option<State>) -> String {
    state.map_or_else(String::new, |state| format!(", it is {state}"))
}

/// What ends a piece of work inside a transaction: SQLite's own error, to which the store adds
/// the path, or one of ours.
#[derive(Debug)]
pub(crate) enum Fault {
    Error(Error),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Fault {
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Sqlite(error) => FileError::from_sqlite(path, error).into(),
        }
    }
}
