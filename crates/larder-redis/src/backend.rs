//! [`CacheBackend`] over Redis and Valkey: each verb is a span, a count and a call of the store.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Health,
    Key, Lease, LeaseOutcome, LeaseRequest, Operation, ReadRequest, Result, Snapshot, Stamp, Tag,
    Ttl, WatchStream,
};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    RedisConfig,
    counters::add,
    error::{NAME, Trouble},
    settings::Settings,
    store::Store,
    watch,
};

/// A cache on Redis or Valkey.
///
/// One connection to each server is shared by all calls and made anew when it is lost. A handle is
/// cheap to use from many tasks at once; reads that come at the same time share a command.
///
/// # Cancel safety
/// Every future may be dropped. What was sent takes effect as a whole, and its answer is thrown
/// away when it comes; it never reaches another caller.
///
/// # Dropping
/// Closes the connections.
pub struct RedisBackend {
    pub(crate) store: Arc<Store>,
}

impl RedisBackend {
    /// Connects to the server, or to all masters of a cluster, and looks at what they are.
    ///
    /// What will not work well is written to the log as a warning; [`CacheBackend::health`] has it
    /// as advice. Needs a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// - [`Authentication`](ErrorKind::Authentication): the server refused us, or we its
    ///   certificate.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): the configuration makes no sense, or the
    ///   server is part of a cluster although the configuration says that it is not, or the
    ///   reverse.
    /// - [`Protocol`](ErrorKind::Protocol): something else listens there.
    /// - [`ReadOnly`](ErrorKind::ReadOnly): the server is a replica.
    /// - [`Timeout`](ErrorKind::Timeout) after [`RedisConfig::time_limit`], and
    ///   [`Unavailable`](ErrorKind::Unavailable): nobody answers.
    /// - [`Unsupported`](ErrorKind::Unsupported): the server is older than version 6.2.
    ///
    /// # Cancel safety
    /// Connections that were made are closed.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        let backend = Self::unconnected(config)?;
        let outcome = backend.store.fleet.masters().await;
        outcome.map_err(|trouble| trouble.into_error(Operation::Open))?;
        backend.warn().await;
        Ok(backend)
    }

    /// As [`RedisBackend::connect`], but a server that can not be reached for now is no error:
    /// calls fail until it is there, and then connect. Returns why, if it is not.
    ///
    /// # Errors
    /// As [`RedisBackend::connect`], without what [may pass](larder_core::Error::is_retryable).
    ///
    /// # Cancel safety
    /// As [`RedisBackend::connect`].
    pub async fn connect_or_wait(config: RedisConfig) -> Result<(Self, Option<Error>)> {
        let backend = Self::unconnected(config)?;
        match backend.store.fleet.masters().await {
            Ok(_) => {
                backend.warn().await;
                Ok((backend, None))
            }
            Err(trouble) => {
                let error = trouble.into_error(Operation::Open);
                if error.is_retryable() { Ok((backend, Some(error))) } else { Err(error) }
            }
        }
    }

    fn unconnected(config: RedisConfig) -> Result<Self> {
        if let Some(objection) = config.objection() {
            let error = Error::new(ErrorKind::InvalidInput, NAME, Operation::Open);
            return Err(error.with_detail(objection));
        }
        let settings = Settings::new(config);
        let settings = settings.map_err(|trouble| trouble.into_error(Operation::Open))?;
        Ok(Self { store: Arc::new(Store::new(settings)) })
    }

    /// Writes to the log what will not work well.
    async fn warn(&self) {
        // Advice is not worth failing for.
        if let Ok(health) = Box::pin(self.store.health()).await {
            for advice in health.advice {
                tracing::warn!(backend = NAME, server = health.server, "{advice}");
            }
        }
    }

    /// Runs a call in a span of its own and says how it ended.
    pub(crate) async fn observed<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = std::result::Result<T, Trouble>>,
    ) -> Result<T> {
        let span = span(operation);
        let outcome = call.instrument(span.clone()).await;
        self.report(operation, &span, outcome)
    }

    fn report<T>(
        &self,
        operation: Operation,
        span: &Span,
        outcome: std::result::Result<T, Trouble>,
    ) -> Result<T> {
        span.record("outcome", if outcome.is_ok() { "ok" } else { "error" });
        outcome.map_err(|trouble| {
            add(&self.store.counters.errors, 1);
            match operation {
                Operation::Watch => watch::refusal(trouble),
                operation => trouble.into_error(operation),
            }
        })
    }

    pub(crate) fn check_size(&self, operation: Operation, value: &Bytes) -> Result<()> {
        let limit = self.store.settings.config.value_bytes_max;
        if value.len() <= limit {
            return Ok(());
        }
        add(&self.store.counters.errors, 1);
        let detail = format!("{} bytes, the limit is {limit}", value.len());
        Err(Error::new(ErrorKind::TooLarge, NAME, operation).with_detail(detail))
    }
}

fn span(operation: Operation) -> Span {
    let operation = operation.as_str();
    tracing::debug_span!("cache", backend = NAME, operation, outcome = Empty)
}

#[async_trait]
impl CacheBackend for RedisBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        // The hot path: each function that takes a future copies it.
        let (store, span) = (&self.store, span(Operation::Read));
        let outcome = store.reads.read(store, key, tags).instrument(span.clone()).await;
        self.report(Operation::Read, &span, outcome)
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        self.observed(Operation::ReadMany, self.store.read_batch(requests)).await
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        self.observed(Operation::Generations, self.store.generations(tags)).await
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        self.observed(Operation::Lease, self.store.lease(key, request)).await
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        self.observed(Operation::Renew, self.store.renew(key, lease, time)).await
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        self.observed(Operation::Release, self.store.release(key, lease)).await
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        self.check_size(Operation::Fill, &value)?;
        self.observed(Operation::Fill, self.store.fill(key, lease, &value, ttl)).await
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        self.check_size(Operation::Put, &value)?;
        self.observed(Operation::Put, self.store.put(key, &value, ttl)).await
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        self.check_size(Operation::Add, &value)?;
        self.observed(Operation::Add, self.store.add(key, &value, ttl)).await
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        self.observed(Operation::Touch, self.store.touch(key, ttl)).await
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        self.observed(Operation::Remove, self.store.remove(key)).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        self.observed(Operation::RemoveMany, self.store.remove_many(keys)).await
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        self.observed(Operation::Bump, self.store.bump(tags)).await
    }

    async fn clear(&self) -> Result<()> {
        self.observed(Operation::Clear, self.store.clear()).await
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        self.observed(Operation::Watch, Box::pin(watch::watch(&self.store, clock))).await
    }

    async fn epoch(&self) -> Result<Epoch> {
        self.observed(Operation::Epoch, self.store.fleet.epoch()).await
    }

    async fn health(&self) -> Result<Health> {
        self.observed(Operation::Health, self.store.health()).await
    }

    fn stats(&self) -> BackendStats {
        self.store.counters.stats()
    }

    fn capability(&self) -> Capability {
        let mut capability = Capability::protocol_only();
        capability.add = true;
        capability.batch = true;
        capability.clear = true;
        capability.persistent = true;
        capability.shared = true;
        capability.touch = true;
        capability.watch = true;
        capability.value_bytes_max = Some(self.store.settings.config.value_bytes_max);
        capability
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.store.settings.config;
        f.debug_struct("RedisBackend").field("config", config).finish_non_exhaustive()
    }
}

impl fmt::Display for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
