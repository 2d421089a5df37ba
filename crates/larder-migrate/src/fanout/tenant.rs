//! One database of a fan-out.

use std::{fmt, sync::Arc};

use crate::Connector;

/// A database of a fan-out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Tenant {
    /// What it is called in reports and in the state of a run; no two have one name.
    pub name: String,
    /// What its load falls on, such as a server's name; those without one share one.
    pub host: Option<String>,
    /// The way to it.
    pub connector: Arc<dyn Connector>,
}

impl Tenant {
    /// A database under a name that holds no secrets.
    #[must_use]
    pub fn new(name: impl Into<String>, connector: Arc<dyn Connector>) -> Self {
        Self { name: name.into(), host: None, connector }
    }

    /// Sets [`host`](Self::host).
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("name", &self.name)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
