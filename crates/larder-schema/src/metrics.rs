//! What a schema cache counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one database since its first handle was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaMetrics {
    /// Uses of a table that was ensured; `None` unless
    /// [`SchemaOptions::with_hit_count`](crate::SchemaOptions::with_hit_count), then of this
    /// handle and its clones.
    pub hits: Option<u64>,
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
    /// The share of hits among all uses, from 0 to 1; `None` if hits are not counted or there was
    /// no use yet.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let hits = self.hits?;
        let uses = hits.saturating_add(self.misses);
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
        (uses > 0).then(|| hits as f64 / uses as f64)
    }
}

/// The counters behind the metrics. All of them are raised off the hit path.
#[derive(Debug, Default)]
pub(crate) struct Counters {
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

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_hits_that_were_counted() {
        let metrics = |hits, misses| SchemaMetrics { hits, misses, ..SchemaMetrics::default() };
        assert_eq!(metrics(Some(3), 1).hit_rate(), Some(0.75));
        assert_eq!(metrics(Some(0), 0).hit_rate(), None);
        assert_eq!(metrics(None, 1).hit_rate(), None);
    }
}
