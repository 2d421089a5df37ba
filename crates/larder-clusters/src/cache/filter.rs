//! Which clusters are meant.
//!
//! Guards that a value is bound and never becomes part of a statement.

use super::ClusterStatus;

/// Which clusters are meant; without a condition, all of them.
///
/// ```
/// use larder_clusters::{ClusterFilter, ClusterStatus};
///
/// let others = ClusterFilter::new()
///     .unexpired()
///     .shared(true)
///     .status(ClusterStatus::Running)
///     .except("cluster-123");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClusterFilter {
    /// Only the active ones, or only the others.
    pub active: Option<bool>,
    /// Not this one.
    pub except: Option<String>,
    /// Only those that were cached with a configuration of this hash.
    pub config_hash: Option<String>,
    /// Only those that have expired, or only the others.
    pub expired: Option<bool>,
    /// Only those of this workspace.
    pub host: Option<String>,
    /// Only those of this name.
    pub name: Option<String>,
    /// Only the shared ones, or only the others.
    pub shared: Option<bool>,
    /// Only those of which the provider said this.
    pub status: Option<ClusterStatus>,
    /// Only those with so many workers, or more.
    pub workers_min: Option<u32>,
}

impl ClusterFilter {
    /// All clusters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the active ones, or only the others.
    #[must_use]
    pub const fn active(mut self, is_active: bool) -> Self {
        self.active = Some(is_active);
        self
    }

    /// Not this one.
    #[must_use]
    pub fn except(mut self, cluster_id: impl Into<String>) -> Self {
        self.except = Some(cluster_id.into());
        self
    }

    /// Only those that were cached with a configuration of this hash.
    #[must_use]
    pub fn config_hash(mut self, hash: impl Into<String>) -> Self {
        self.config_hash = Some(hash.into());
        self
    }

    /// Only those that have expired.
    #[must_use]
    pub const fn expired(mut self) -> Self {
        self.expired = Some(true);
        self
    }

    /// Only those that have not expired.
    #[must_use]
    pub const fn unexpired(mut self) -> Self {
        self.expired = Some(false);
        self
    }

    /// Only those of this workspace.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Only those of this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only the shared ones, or only the others.
    #[must_use]
    pub const fn shared(mut self, is_shared: bool) -> Self {
        self.shared = Some(is_shared);
        self
    }

    /// Only those of which the provider said this.
    #[must_use]
    pub const fn status(mut self, status: ClusterStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only those with so many workers, or more.
    #[must_use]
    pub const fn workers_min(mut self, workers: u32) -> Self {
        self.workers_min = Some(workers);
        self
    }
}
