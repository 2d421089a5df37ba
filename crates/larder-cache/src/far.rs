//! The far tier, kept at arm's length: every call has a time limit and may fail without harm.

use std::{future::Future, sync::Arc, time::Duration};

use larder_core::{CacheBackend, Clock, Counter, Error, ErrorKind, Operation, Result};
use tracing::{Instrument as _, field};

use crate::{
    breaker::{Breaker, Change},
    stats::FarStats,
};

pub(crate) struct Far {
    pub(crate) backend: Arc<dyn CacheBackend>,
    clock: Arc<dyn Clock>,
    time_limit: Duration,
    breaker: Breaker,
    errors: Counter,
    skipped: Counter,
    too_large: Counter,
    pub(crate) watches: bool,
}

/// How much of the time limit of one read its calls to the far tier have left.
///
/// The calls that precede a load share one limit, so that a far tier that answers each of them
/// just in time does not delay the read by the limit several times over.
#[derive(Debug)]
pub(crate) struct Budget(Duration);

impl Far {
    pub(crate) fn new(
        backend: Arc<dyn CacheBackend>,
        clock: Arc<dyn Clock>,
        time_limit: Duration,
        cooldown: Duration,
    ) -> Self {
        let watches = backend.capability().watch;
        Self {
            backend,
            clock,
            time_limit,
            breaker: Breaker::new(cooldown),
            errors: Counter::default(),
            skipped: Counter::default(),
            too_large: Counter::default(),
            watches,
        }
    }

    pub(crate) const fn budget(&self) -> Budget {
        Budget(self.time_limit)
    }

    /// Makes a call whose failure the caller can live with: `None`, counted and traced.
    pub(crate) async fn attempt<T>(
        &self,
        budget: &mut Budget,
        operation: Operation,
        call: impl Future<Output = Result<T>>,
    ) -> Option<T> {
        if budget.0.is_zero() {
            return None;
        }
        if !self.breaker.admits(self.clock.now()) {
            self.skipped.increment();
            budget.0 = Duration::ZERO;
            return None;
        }
        let before = self.clock.now();
        let answer = self.limited(operation, budget.0, call).await.ok();
        let spent = self.clock.now().since(before);
        // After a failure this read leaves the far tier alone.
        budget.0 = if answer.is_some() { budget.0.saturating_sub(spent) } else { Duration::ZERO };
        answer
    }

    /// Makes a call whose failure the caller has to know of. It goes out even while the breaker
    /// is open: an invalidation is never skipped.
    pub(crate) async fn insist<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.limited(operation, self.time_limit, call).await
    }

    async fn limited<T>(
        &self,
        operation: Operation,
        limit: Duration,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let span = tracing::debug_span!(
            "larder.far",
            backend = %self.backend,
            operation = operation.as_str(),
            outcome = field::Empty
        );
        let answer = tokio::time::timeout(limit, call).instrument(span.clone()).await;
        let answer = answer.unwrap_or_else(|_elapsed| {
            Err(Error::new(ErrorKind::Timeout, "far tier", operation)
                .with_detail(format!("{} ms", limit.as_millis())))
        });
        span.record("outcome", if answer.is_ok() { "ok" } else { "error" });
        self.note(&answer);
        answer
    }

    /// A value that is too large says nothing about the far tier's health.
    fn note<T>(&self, answer: &Result<T>) {
        let change = match answer {
            Ok(_) => self.breaker.succeeded(),
            Err(error) if error.kind() == ErrorKind::TooLarge => {
                self.too_large.increment();
                self.breaker.succeeded()
            }
            Err(error) => {
                self.errors.increment();
                tracing::debug!(error = error as &dyn std::error::Error, "a far call failed");
                self.breaker.failed(self.clock.now())
            }
        };
        match change {
            Change::None => {}
            Change::Closed => tracing::info!(backend = %self.backend, "the far tier is back"),
            Change::Opened => {
                tracing::warn!(backend = %self.backend, "the far tier fails; going without it");
            }
        }
    }

    pub(crate) fn stats(&self, pending_invalidations: u64) -> FarStats {
        FarStats {
            backend: self.backend.to_string(),
            errors: self.errors.get(),
            skipped: self.skipped.get(),
            too_large: self.too_large.get(),
            is_open: self.breaker.is_open(),
            pending_invalidations,
            counters: self.backend.stats(),
        }
    }
}
