//! The handle of a cluster file, from which the cache and the registry come.

use std::{path::Path, sync::Arc};

use crate::{
    ClusterFileOptions, Event, Result,
    events::{self, Whose},
    store::Store,
};

/// An open cluster file. Cloning it is cheap; all clones share their connections, which are
/// closed with the last one.
#[derive(Clone, Debug)]
pub struct ClusterFile {
    store: Arc<Store>,
}

impl ClusterFile {
    /// Opens the file. A missing or empty one gets the tables, one of the former tool gets ours
    /// beside its own.
    ///
    /// This blocks, as does every method that is not `async`.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File); nothing was deleted or overwritten.
    pub fn open(options: ClusterFileOptions) -> Result<Self> {
        Ok(Self { store: Arc::new(Store::open(options)?) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &ClusterFileOptions {
        self.store.options()
    }

    /// What happened to one thing, the newest first.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn history(&self, kind: &str, key: &str, events_max: u32) -> Result<Vec<Event>> {
        self.store.read(|connection| events::of(connection, Whose::Thing { kind, key }, events_max))
    }

    /// What happened to the cached cluster and to the shared things of this key, the newest first.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn history_of_key(&self, key: &str, events_max: u32) -> Result<Vec<Event>> {
        self.store.read(|connection| events::of(connection, Whose::Key(key), events_max))
    }

    /// What happened to everything, the newest first.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn recent_history(&self, events_max: u32) -> Result<Vec<Event>> {
        self.store.read(|connection| events::of(connection, Whose::Everybody, events_max))
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }
}
