//! The limits. Every one of them bounds memory.

use std::sync::Arc;

use larder_core::{Clock, SystemClock};

/// The limits of a [`MokaBackend`](crate::MokaBackend).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MokaConfig {
    /// The room for entries, in bytes: values, keys and an estimate of what the store itself
    /// takes per entry. Default: 64 MiB.
    pub capacity_bytes: u64,
    /// The most leases held at once. Beyond it, the lease that would run out first is lost, and
    /// the fill of its holder refused. Default: 65,536.
    pub leases_max: usize,
    /// The most tags whose generation is remembered. Forgetting one invalidates what depends on
    /// it. Default: 100,000.
    pub tags_max: u64,
    /// The largest value, in bytes; never more than an eighth of the capacity, so that one entry
    /// does not drive out all others. Default: 8 MiB.
    pub value_bytes_max: usize,
    /// Where the time comes from. Default: [`SystemClock`].
    pub clock: Arc<dyn Clock>,
}

impl Default for MokaConfig {
    fn default() -> Self {
        Self {
            capacity_bytes: 64 << 20,
            leases_max: 65_536,
            tags_max: 100_000,
            value_bytes_max: 8 << 20,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl MokaConfig {
    /// Sets the room for entries, in bytes.
    #[must_use]
    pub const fn with_capacity_bytes(mut self, capacity_bytes: u64) -> Self {
        self.capacity_bytes = capacity_bytes;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the most leases held at once.
    #[must_use]
    pub const fn with_leases_max(mut self, leases_max: usize) -> Self {
        self.leases_max = leases_max;
        self
    }

    /// Sets the most tags whose generation is remembered.
    #[must_use]
    pub const fn with_tags_max(mut self, tags_max: u64) -> Self {
        self.tags_max = tags_max;
        self
    }

    /// Sets the largest value, in bytes.
    #[must_use]
    pub const fn with_value_bytes_max(mut self, value_bytes_max: usize) -> Self {
        self.value_bytes_max = value_bytes_max;
        self
    }

    /// The limit that holds: the configured one or an eighth of the capacity.
    pub(crate) fn value_limit(&self) -> usize {
        let share = usize::try_from(self.capacity_bytes / 8).unwrap_or(usize::MAX);
        self.value_bytes_max.min(share)
    }
}
