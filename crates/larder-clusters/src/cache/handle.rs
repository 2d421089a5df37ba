//! The handle of the cache.
//!
//! Guards that the history tells the cache's clusters apart from shared things, whose keys may be
//! the same texts.

use std::sync::Arc;

use larder_sqlite_file::rusqlite::Transaction;

use crate::{
    ClusterFile, ClusterFileOptions, Result,
    error::Fault,
    events::{self, NewEvent},
    store::Store,
};

/// The kind under which the history keeps what became of cached clusters. No kind of shared
/// things can have a space in its name.
pub(super) const KIND: &str = "cached cluster";

/// The clusters that are cached in a file. Cloning it is cheap; it may be used by any number of
/// threads and processes.
///
/// Every call blocks; in asynchronous code, make it where blocking is allowed.
#[derive(Clone, Debug)]
pub struct ClusterCache {
    file: ClusterFile,
}

impl ClusterCache {
    /// Opens a file for its cache.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn open(options: ClusterFileOptions) -> Result<Self> {
        ClusterFile::open(options).map(|file| file.cache())
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &ClusterFile {
        &self.file
    }

    pub(super) fn store(&self) -> &Arc<Store> {
        self.file.store()
    }

    /// Writes down what became of a cluster, in the transaction in which it did.
    pub(super) fn record(
        &self,
        transaction: &Transaction<'_>,
        cluster_id: &str,
        event: &str,
    ) -> Result<(), Fault> {
        let event = NewEvent { kind: KIND, key: cluster_id, fence: None, event, detail: None };
        events::record(self.store(), transaction, event)
    }
}

impl ClusterFile {
    /// The clusters that are cached in it.
    #[must_use]
    pub fn cache(&self) -> ClusterCache {
        ClusterCache { file: self.clone() }
    }
}
