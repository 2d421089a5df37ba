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
    /// Whether there was no place for it: then it is checked when it is used, and not together
    /// with others, which would take their places in turn.
    pub(crate) is_evicted: bool,
    /// Why it could not be ensured the last time; it stays until it is, or is cleared.
    pub(crate) failure: Option<Box<Failure>>,
}

/// Why a table could not be ensured, and until when nobody tries again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Arc<SchemaError>,
    pub(crate) until: Tick,
    /// How many there were in a row.
    pub(crate) in_a_row: u32,
}

impl Record {
    pub(crate) const fn new(entry: &'static ModelEntry) -> Self {
        Self {
            entry,
            order: 0,
            first_ensured_ms: 0,
            verified_ms: 0,
            verifications: 0,
            is_evicted: false,
            failure: None,
        }
    }

    pub(crate) fn ensured(&mut self, order: u64, now_ms: u64) {
        self.order = order;
        self.is_evicted = false;
        if self.first_ensured_ms == 0 {
            self.first_ensured_ms = now_ms;
        }
        self.verified_ms = now_ms;
        self.verifications = self.verifications.saturating_add(1);
        self.recovered();
    }

    pub(crate) fn failed(&mut self, error: &SchemaError, until: impl FnOnce(u32) -> Tick) {
        let in_a_row = self.failures().saturating_add(1);
        let failure = Failure { error: Arc::new(error.clone()), until: until(in_a_row), in_a_row };
        self.failure = Some(Box::new(failure));
    }

    /// How often in a row it could not be ensured.
    pub(crate) fn failures(&self) -> u32 {
        self.failure.as_ref().map_or(0, |failure| failure.in_a_row)
    }

    pub(crate) fn recovered(&mut self) {
        self.failure = None;
    }

    /// Whether a pass for somebody else includes it, if it is not ensured.
    pub(crate) fn joins_others(&self, now: Tick) -> bool {
        !self.is_evicted && self.backing_off(now).is_none()
    }

    /// The failure because of which nobody tries again yet.
    pub(crate) fn backing_off(&self, now: Tick) -> Option<&Failure> {
        self.failure.as_deref().filter(|failure| now < failure.until)
    }
}
