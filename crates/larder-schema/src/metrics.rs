//! What a schema cache counts.

/// Counts since the cache was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaMetrics {
    /// Uses of a table that was ensured; `None` unless
    /// [`SchemaOptions::with_hit_count`](crate::SchemaOptions::with_hit_count).
    pub hits: Option<u64>,
    /// Uses of a table that was not: never checked, cleared, expired or failed.
    pub misses: u64,
    /// How often the database was asked. Fewer than the misses, because those that come at once
    /// share one check.
    pub checks: u64,
    /// Checks that changed the table.
    pub migrations: u64,
    /// Checks that failed.
    pub failures: u64,
    /// How many tables are ensured now.
    pub cached_tables: usize,
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
