//! What a schema cache counts.

use larder_core::{Counter, StripedCounter};

/// Counts of one database since its first handle was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaMetrics {
    /// Uses of a table that was ensured.
    pub hits: u64,
    /// Uses of a table that was not: never checked, cleared, doubted, expired, evicted or failed.
    pub misses: u64,
    /// How many tables are ensured now.
    pub cached_tables: usize,
    /// How many tables may be, of all databases of the same [`SchemaCache`](crate::SchemaCache).
    pub max_size: usize,
    /// Tables that were forgotten because there were too many.
    pub evictions: u64,
    /// Tables that were verified again because their time-to-live was over.
    pub expired: u64,
    /// How often the database was asked about tables, several at a time. Fewer than the misses,
    /// because those that come at once share a pass.
    pub checks: u64,
    /// Tables that were created or changed.
    pub migrations: u64,
    /// Tables that could not be ensured, each time.
    pub failures: u64,
    /// Uses that were answered with the last failure, because it was too early to try again.
    pub backed_off: u64,
    /// Tables that somebody else was found to have changed.
    pub drifts: u64,
    /// Tables that were trusted because another process had verified them.
    pub warmed: u64,
}

impl SchemaMetrics {
    /// The share of hits among all uses, from 0 to 1; `None` if there was no use yet.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let uses = self.hits.saturating_add(self.misses);
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
        (uses > 0).then(|| self.hits as f64 / uses as f64)
    }
}

/// The counters behind the metrics. All of them but hits are raised off the hit path.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: StripedCounter,
    pub(crate) misses: Counter,
    pub(crate) evictions: Counter,
    pub(crate) expired: Counter,
    pub(crate) checks: Counter,
    pub(crate) migrations: Counter,
    pub(crate) failures: Counter,
    pub(crate) backed_off: Counter,
    pub(crate) drifts: Counter,
    pub(crate) warmed: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_a_use() {
        let metrics = |hits, misses| SchemaMetrics { hits, misses, ..SchemaMetrics::default() };
        assert_eq!(metrics(3, 1).hit_rate(), Some(0.75));
        assert_eq!(metrics(0, 0).hit_rate(), None);
        assert_eq!(metrics(0, 1).hit_rate(), Some(0.0));
    }
}
