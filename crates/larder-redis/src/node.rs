//! A server and the one connection to it, which is made anew whenever it is needed and gone.
//!
//! Guards the number of connections: one at a time, made by one caller while the others wait.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use larder_core::Tick;

use crate::{
    Address,
    error::Trouble,
    link::Link,
    sentinel::Sentinels,
    settings::{Deadline, Settings},
};

/// Where a node's server is found.
#[derive(Debug)]
pub(crate) enum Place {
    /// Always there.
    Fixed(Address),
    /// Where the Sentinels say that the master is.
    Watched(Sentinels),
}

/// A server, whether or not there is a connection to it at the moment.
pub(crate) struct Node {
    settings: Arc<Settings>,
    place: Place,
    current: Mutex<Option<Arc<Link>>>,
    /// Held by the one who connects; says when and why the last attempt failed.
    connecting: tokio::sync::Mutex<Option<(Tick, Trouble)>>,
}

impl Node {
    pub(crate) fn new(settings: &Arc<Settings>, place: Place) -> Self {
        Self {
            settings: Arc::clone(settings),
            place,
            current: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(None),
        }
    }

    /// The connection, if there is one.
    pub(crate) fn current(&self) -> Option<Arc<Link>> {
        // A panic elsewhere leaves an option whole.
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|link| !link.is_closed()).map(Arc::clone)
    }

    /// The connection, made anew if there is none.
    ///
    /// # Cancel safety
    /// A connection that is being made is given up; whoever waits for it makes another.
    pub(crate) async fn link(&self, deadline: Deadline<'_>) -> Result<Arc<Link>, Trouble> {
        match self.current() {
            Some(link) => Ok(link),
            None => deadline.limit(self.connect(deadline)).await,
        }
    }

    async fn connect(&self, deadline: Deadline<'_>) -> Result<Arc<Link>, Trouble> {
        let mut last_failure = self.connecting.lock().await;
        if let Some(link) = self.current() {
            return Ok(link);
        }
        // An attempt that ended while we waited for our turn is as good as one of our own.
        match &*last_failure {
            Some((at, trouble)) if *at >= deadline.begin() => return Err(trouble.clone()),
            _ => {}
        }
        match self.open(deadline).await {
            Ok(link) => {
                let link = Arc::new(link);
                tracing::debug!(address = %link.address(), server = %link.server(), "connected");
                *last_failure = None;
                let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                *current = Some(Arc::clone(&link));
                Ok(link)
            }
            Err(trouble) => {
                tracing::debug!(?trouble, "could not connect");
                *last_failure = Some((self.settings.clock().now(), trouble.clone()));
                Err(trouble)
            }
        }
    }

    async fn open(&self, deadline: Deadline<'_>) -> Result<Link, Trouble> {
        match &self.place {
            Place::Fixed(address) => Link::open(&self.settings, address).await,
            Place::Watched(sentinels) => sentinels.open_master(&self.settings, deadline).await,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("place", &self.place).finish_non_exhaustive()
    }
}
