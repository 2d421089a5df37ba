//! The contract, verb by verb: each goes to the servers that it concerns, is counted and traced.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Health,
    Key, Lease, LeaseOutcome, LeaseRequest, Operation, PlainStore, ReadRequest, Result, Snapshot,
    Stamp, Tag, Ttl, WatchStream,
};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    MemcachedConfig,
    counters::Counters,
    error::{NAME, Trouble},
    fleet::{Fleet, Outcome, TagVerb},
    name::Name,
    verbs::Found,
};

/// What an item needs beside the value: its name, the server's records, and ours.
const ITEM_OVERHEAD: usize = 1_024;

/// The largest item that a server takes unless it was told otherwise.
const ITEM_BYTES_DEFAULT: usize = 1 << 20;

/// A cache on one Memcached, or on several.
///
/// # Cancel safety
/// Every future may be dropped. A request that was written takes effect; its reply is dropped, and
/// the connection serves the others.
///
/// # Runtime
/// Calls need a tokio runtime with timers and sockets. When a runtime ends, so do the connections
/// that were made on it; the next call on another one makes new ones.
pub struct MemcachedBackend {
    fleet: Fleet,
    value_bytes_max: usize,
    counters: Counters,
}

impl MemcachedBackend {
    /// Connects to the servers and asks what they are.
    ///
    /// Of several servers some may be down; what belongs to them fails until they are back.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a configuration that can not be used;
    /// [`Authentication`](ErrorKind::Authentication) and [`Protocol`](ErrorKind::Protocol) if any
    /// server refuses the credentials, can not be trusted, or is no Memcached;
    /// [`Unavailable`](ErrorKind::Unavailable) and [`Timeout`](ErrorKind::Timeout) if no server
    /// answers.
    ///
    /// # Cancel safety
    /// A connection that is being made is then closed.
    pub async fn connect(config: MemcachedConfig) -> Result<Self> {
        match Self::connect_or_wait(config).await? {
            (backend, None) => Ok(backend),
            (_, Some(error)) => Err(error),
        }
    }

    /// As [`MemcachedBackend::connect`], but it is no error if no server can be reached for now:
    /// calls fail until one is there, and then connect. Returns why, if none is; until then a
    /// value may be as large as Memcached's own default admits, one mebibyte.
    ///
    /// # Errors
    /// As [`MemcachedBackend::connect`], without what [may pass](larder_core::Error::is_retryable).
    ///
    /// # Cancel safety
    /// As [`MemcachedBackend::connect`].
    pub async fn connect_or_wait(config: MemcachedConfig) -> Result<(Self, Option<Error>)> {
        let refused = |trouble: Trouble| trouble.into_error(Operation::Open, None);
        if let Some(objection) = config.objection() {
            return Err(refused(Trouble::Config(objection)));
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(refused(Trouble::Config("there is no tokio runtime")));
        }
        let configured = config.value_bytes_max;
        let fleet = Fleet::new(Arc::new(config)).map_err(refused)?;
        let answers = join_all(fleet.nodes.iter().map(|node| node.info())).await;
        let mut item_bytes_max = None;
        let mut away = None;
        for (node, answer) in fleet.nodes.iter().zip(answers) {
            match answer {
                Ok(info) => {
                    let least = item_bytes_max.unwrap_or(usize::MAX).min(info.item_bytes_max);
                    item_bytes_max = Some(least);
                }
                Err(trouble) => {
                    let permanent = !trouble.kind().is_retryable();
                    let error = trouble.into_error(Operation::Open, Some(&node.address));
                    if permanent {
                        return Err(error);
                    }
                    away.get_or_insert(error);
                }
            }
        }
        let away = if item_bytes_max.is_some() { None } else { away };
        let taken = item_bytes_max.unwrap_or(ITEM_BYTES_DEFAULT).saturating_sub(ITEM_OVERHEAD);
        let value_bytes_max = configured.unwrap_or(taken.max(1));
        Ok((Self { fleet, value_bytes_max, counters: Counters::default() }, away))
    }

    /// Runs a call in a span of its own and says how it ended.
    async fn observed<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Outcome<T>>,
    ) -> Result<T> {
        let span = span(operation);
        let outcome = call.instrument(span.clone()).await;
        self.report(operation, &span, outcome)
    }

    fn report<T>(&self, operation: Operation, span: &Span, outcome: Outcome<T>) -> Result<T> {
        span.record("outcome", if outcome.is_ok() { "ok" } else { "error" });
        outcome.map_err(|fault| {
            Counters::add(&self.counters.errors, 1);
            fault.trouble.into_error(operation, fault.server.as_ref())
        })
    }

    fn check_size(&self, value: &Bytes) -> Outcome<()> {
        let (bytes, limit) = (value.len(), self.value_bytes_max);
        if bytes <= limit { Ok(()) } else { Err(Trouble::TooLarge { bytes, limit }.into()) }
    }

    fn count_read(&self, found: &Found) {
        Counters::add(&self.counters.reads, 1);
        Counters::add(&self.counters.found, u64::from(found.value.is_some()));
    }
}

fn span(operation: Operation) -> Span {
    let operation = operation.as_str();
    tracing::debug_span!("cache", backend = NAME, operation, outcome = Empty)
}

fn snapshot(found: Found) -> Snapshot {
    Snapshot::new(found.value, found.stamps, found.epoch)
}

/// The epoch of a server that did not answer. No server ever has it, so what is filled under it
/// is never a hit.
const NO_EPOCH: Epoch = Epoch::from_bytes([0; 16]);

#[async_trait]
impl CacheBackend for MemcachedBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        let span = span(Operation::Read);
        // The way of every hit: without a subscriber that wants it, the call is not wrapped, which
        // would more than double the future that is allocated for it.
        let outcome = if span.is_disabled() {
            self.fleet.read(key, tags).await
        } else {
            Box::pin(self.fleet.read(key, tags)).instrument(span.clone()).await
        };
        let found = self.report(Operation::Read, &span, outcome)?;
        self.count_read(&found);
        Ok(snapshot(found))
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        self.observed(Operation::ReadMany, async {
            let pairs: Vec<_> =
                requests.iter().map(|request| (request.key, request.tags)).collect();
            let all = self.fleet.read_many(&pairs).await;
            let mut snapshots = Vec::with_capacity(all.len());
            let some_answered = all.iter().any(std::result::Result::is_ok);
            for (outcome, request) in all.into_iter().zip(requests) {
                match outcome {
                    Ok(found) => {
                        self.count_read(&found);
                        snapshots.push(snapshot(found));
                    }
                    // One server of several is away: its keys are misses, the others are not.
                    Err(_) if some_answered => {
                        Counters::add(&self.counters.errors, 1);
                        Counters::add(&self.counters.reads, 1);
                        let stamps = vec![None; request.tags.len()];
                        snapshots.push(Snapshot::new(None, stamps, NO_EPOCH));
                    }
                    Err(fault) => return Err(fault),
                }
            }
            Ok(snapshots)
        })
        .await
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let call = self.fleet.stamps(tags, TagVerb::Generations);
        self.observed(Operation::Generations, call).await
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        let site = self.fleet.of_key(key);
        let call = async { site.lease(key, request).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Lease, call).await
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let site = self.fleet.of_key(key);
        let call = async { site.renew(key, lease, time).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Renew, call).await
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        let site = self.fleet.of_key(key);
        let call = async { site.release(key, lease).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Release, call).await
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        let site = self.fleet.of_key(key);
        let call = async {
            self.check_size(&value)?;
            site.fill(key, lease, &value, ttl).await.map_err(|t| site.fault(t))
        };
        let outcome = self.observed(Operation::Fill, call).await?;
        match outcome {
            FillOutcome::Refused => Counters::add(&self.counters.refused, 1),
            FillOutcome::Stored => Counters::add(&self.counters.fills, 1),
        }
        Ok(outcome)
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        let site = self.fleet.of_key(key);
        let call = async {
            self.check_size(&value)?;
            site.put(key, &value, ttl).await.map_err(|t| site.fault(t))
        };
        self.observed(Operation::Put, call).await?;
        Counters::add(&self.counters.puts, 1);
        Ok(())
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        let site = self.fleet.of_key(key);
        let call = async {
            self.check_size(&value)?;
            site.add(key, &value, ttl).await.map_err(|t| site.fault(t))
        };
        let added = self.observed(Operation::Add, call).await?;
        Counters::add(&self.counters.puts, u64::from(added));
        Ok(added)
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        let site = self.fleet.of_key(key);
        let call = async { site.touch(key, ttl).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Touch, call).await
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        let site = self.fleet.of_key(key);
        let call = async { site.remove(&[key]).await.map_err(|t| site.fault(t)) };
        let removed = self.observed(Operation::Remove, call).await?;
        Counters::add(&self.counters.removed, removed);
        Ok(removed > 0)
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        let removed = self.observed(Operation::RemoveMany, self.fleet.remove_many(keys)).await?;
        Counters::add(&self.counters.removed, removed);
        Ok(removed)
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let call = self.fleet.stamps(tags, TagVerb::Bump);
        let stamps = self.observed(Operation::Bump, call).await?;
        Counters::add(&self.counters.bumps, tags.len() as u64);
        Ok(stamps)
    }

    /// Two round trips per server, all servers at the same time.
    async fn clear(&self) -> Result<()> {
        let all = self.fleet.sites().map(|site| async move {
            site.node.clear().await.map_err(|trouble| site.fault(trouble))
        });
        // Every server is cleared that can be, even if one of them fails.
        let call = async { join_all(all).await.into_iter().collect::<Outcome<()>>() };
        self.observed(Operation::Clear, call).await
    }

    /// Memcached tells nobody what others changed.
    async fn watch(&self, _clock: Arc<dyn Clock>) -> Result<WatchStream> {
        Err(Error::new(ErrorKind::Unsupported, NAME, Operation::Watch))
    }

    async fn epoch(&self) -> Result<Epoch> {
        let all = self.fleet.sites().map(|site| async move {
            site.node.refresh_view().await.map_err(|trouble| site.fault(trouble))
        });
        let call = async {
            let views = try_join_all(all).await?;
            Ok(match &views[..] {
                [view] => view.epoch,
                views => {
                    let epochs: Vec<_> = views.iter().map(|v| &v.epoch.as_bytes()[..]).collect();
                    Epoch::derive(&epochs)
                }
            })
        };
        self.observed(Operation::Epoch, call).await
    }

    async fn health(&self) -> Result<Health> {
        self.observed(Operation::Health, self.fleet.health()).await
    }

    fn stats(&self) -> BackendStats {
        self.counters.stats()
    }

    fn capability(&self) -> Capability {
        let mut capability = Capability::protocol_only();
        capability.add = true;
        capability.batch = true;
        capability.clear = true;
        capability.persistent = true;
        capability.shared = true;
        capability.touch = true;
        capability.value_bytes_max = Some(self.value_bytes_max);
        capability.ttl_resolution = Duration::from_secs(1);
        capability
    }
}

#[async_trait]
impl PlainStore for MemcachedBackend {
    async fn plain_get(&self, key: &Key) -> Result<Option<Bytes>> {
        let name = Name::Plain(key);
        let site = self.fleet.of_name(&name);
        let call = async { site.plain_get(name).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Read, call).await
    }

    async fn plain_set(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        let name = Name::Plain(key);
        let site = self.fleet.of_name(&name);
        let call = async {
            self.check_size(&value)?;
            site.plain_set(name, &value, ttl).await.map_err(|t| site.fault(t))
        };
        self.observed(Operation::Put, call).await
    }

    async fn plain_delete(&self, key: &Key) -> Result<bool> {
        let name = Name::Plain(key);
        let site = self.fleet.of_name(&name);
        let call = async { site.plain_delete(name).await.map_err(|t| site.fault(t)) };
        self.observed(Operation::Remove, call).await
    }
}

impl fmt::Debug for MemcachedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedBackend")
            .field("config", &self.fleet.config)
            .field("value_bytes_max", &self.value_bytes_max)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for MemcachedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
