//! What is known of one model's table in one database, beyond what a hit reads.

use std::sync::Arc;

use larder_core::Tick;
use larder_model::ModelEntry;

use crate::SchemaError;

/// One registered model. Kept small: a process may have ten thousand.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: &'static ModelEntry,
    /// The number of the last verification, see `SchemaCache::next_order`.
    pub(crate) order: u64,
    /// In Unix milliseconds; 0 for never.
    pub(crate) first_ensured_ms: u64,
    /// In Unix milliseconds; 0 for never.
    pub(crate) verified_ms: u64,
    pub(crate) verifications: u32,
    /// How often in a row it could not be ensured.
    pub(crate) failures: u32,
    /// The last one of them; it stays until the table is ensured or cleared.
    pub(crate) failure: Option<Box<Failure>>,
}

/// Why a table could not be ensured, and until when nobody tries again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Arc<SchemaError>,
    pub(crate) until: Tick,
}

impl Record {
    pub(crate) const fn new(entry: &'static ModelEntry) -> Self {
        Self {
            entry,
            order: 0,
            first_ensured_ms: 0,
            verified_ms: 0,
            verifications: 0,
            failures: 0,
            failure: None,
        }
    }

    pub(crate) fn ensured(&mut self, order: u64, now_ms: u64) {
        self.order = order;
        if self.first_ensured_ms == 0 {
            self.first_ensured_ms = now_ms;
        }
        self.verified_ms = now_ms;
        self.verifications = self.verifications.saturating_add(1);
        self.recovered();
    }

    pub(crate) fn failed(&mut self, error: &SchemaError, until: impl FnOnce(u32) -> Tick) {
        self.failures = self.failures.saturating_add(1);
        let failure = Failure { error: Arc::new(error.clone()), until: until(self.failures) };
        self.failure = Some(Box::new(failure));
    }

    pub(crate) fn recovered(&mut self) {
        self.failures = 0;
        self.failure = None;
    }

    /// The failure because of which nobody tries again yet.
    pub(crate) fn backing_off(&self, now: Tick) -> Option<&Failure> {
        self.failure.as_deref().filter(|failure| now < failure.until)
    }
}
