//! The wrapper that meets every call with what the script says.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Health,
    Key, Lease, LeaseOutcome, LeaseRequest, Operation, ReadRequest, Result, Snapshot, Stamp, Tag,
    Ttl, WatchStream, async_trait,
};

use super::{Fault, Faults};

const NAME: &str = "fault";

/// Wraps a backend and lets its operations fail, hang or get lost, as [`Faults`] says.
///
/// Feeds of [`watch`](CacheBackend::watch) that are already open follow what is set for
/// [`Operation::Watch`] until it is lifted: while it hangs the events are held back, and any
/// other fault ends the feed.
///
/// ```
/// use larder_core::{CacheBackend, ErrorKind, Key, MemoryBackend, MemoryConfig, Operation};
/// use larder_testkit::{Fault, FaultBackend};
/// use std::sync::Arc;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let memory = Arc::new(MemoryBackend::new(MemoryConfig::default()));
/// let backend = FaultBackend::new(memory);
/// let faults = backend.faults();
///
/// faults.set_next(Operation::Read, Fault::Error(ErrorKind::Timeout), 1);
/// let key = Key::object("k");
/// assert_eq!(backend.read(&key, &[]).await.unwrap_err().kind(), ErrorKind::Timeout);
/// assert!(backend.read(&key, &[]).await.is_ok());
/// assert_eq!(faults.calls(Operation::Read), 2);
/// # });
/// ```
#[derive(Clone)]
pub struct FaultBackend {
    inner: Arc<RwLock<Arc<dyn CacheBackend>>>,
    faults: Faults,
}

impl FaultBackend {
    /// Wraps a backend; no call fails until its script says so.
    #[must_use]
    pub fn new(inner: Arc<dyn CacheBackend>) -> Self {
        Self { inner: Arc::new(RwLock::new(inner)), faults: Faults::new() }
    }

    /// The script, to keep while the backend itself is given away.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Sends every later call to another backend: a replica that was promoted, a node that was
    /// restored. Calls that are under way and open feeds stay with the old one.
    pub fn fail_over(&self, to: Arc<dyn CacheBackend>) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = to;
    }

    fn inner(&self) -> Arc<dyn CacheBackend> {
        Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one call under the script; `no` is the verb's negative answer, where it has one.
    async fn call<T>(
        &self,
        operation: Operation,
        no: Option<T>,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let entered = self.faults.enter(operation);
        match entered.fault {
            None => call.await,
            Some(Fault::Error(kind)) => Err(Error::new(kind, NAME, operation)),
            Some(Fault::Hang) => {
                self.faults.released(entered).await;
                call.await
            }
            Some(Fault::HangAfter) => {
                let result = call.await;
                self.faults.released(entered).await;
                result
            }
            Some(Fault::Lost(kind)) => {
                call.await?;
                Err(Error::new(kind, NAME, operation))
            }
            Some(Fault::Refuse) => {
                no.ok_or_else(|| Error::new(ErrorKind::Unavailable, NAME, operation))
            }
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl CacheBackend for FaultBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        let inner = self.inner();
        let call = inner.read(key, tags);
        self.call(Operation::Read, None, call).await
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        let inner = self.inner();
        let call = inner.read_many(requests);
        self.call(Operation::ReadMany, None, call).await
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let inner = self.inner();
        let call = inner.generations(tags);
        self.call(Operation::Generations, None, call).await
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        let inner = self.inner();
        let call = inner.lease(key, request);
        self.call(Operation::Lease, Some(LeaseOutcome::Held), call).await
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let inner = self.inner();
        let call = inner.renew(key, lease, time);
        self.call(Operation::Renew, Some(false), call).await
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        let inner = self.inner();
        let call = inner.release(key, lease);
        self.call(Operation::Release, Some(false), call).await
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        let inner = self.inner();
        let call = inner.fill(key, lease, value, ttl);
        self.call(Operation::Fill, Some(FillOutcome::Refused), call).await
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        let inner = self.inner();
        let call = inner.put(key, value, ttl);
        self.call(Operation::Put, None, call).await
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        let inner = self.inner();
        let call = inner.add(key, value, ttl);
        self.call(Operation::Add, Some(false), call).await
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        let inner = self.inner();
        let call = inner.touch(key, ttl);
        self.call(Operation::Touch, Some(false), call).await
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        let inner = self.inner();
        let call = inner.remove(key);
        self.call(Operation::Remove, None, call).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        let inner = self.inner();
        let call = inner.remove_many(keys);
        self.call(Operation::RemoveMany, None, call).await
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let inner = self.inner();
        let call = inner.bump(tags);
        self.call(Operation::Bump, None, call).await
    }

    async fn clear(&self) -> Result<()> {
        let inner = self.inner();
        let call = inner.clear();
        self.call(Operation::Clear, None, call).await
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        let inner = self.inner();
        let call = inner.watch(clock);
        let feed = self.call(Operation::Watch, None, call).await?;
        let tormented = stream::unfold((feed, self.faults.clone()), |(mut feed, faults)| async {
            let event = feed.next().await?;
            match faults.feed().await {
                None => Some((event, (feed, faults))),
                Some(_ended) => None,
            }
        });
        Ok(tormented.boxed())
    }

    async fn epoch(&self) -> Result<Epoch> {
        let inner = self.inner();
        let call = inner.epoch();
        self.call(Operation::Epoch, None, call).await
    }

    async fn health(&self) -> Result<Health> {
        let inner = self.inner();
        let call = inner.health();
        self.call(Operation::Health, None, call).await
    }

    fn stats(&self) -> BackendStats {
        self.inner().stats()
    }

    fn capability(&self) -> Capability {
        self.inner().capability()
    }
}

impl fmt::Debug for FaultBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultBackend").field("inner", &self.inner()).finish_non_exhaustive()
    }
}

impl fmt::Display for FaultBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", self.inner())
    }
}

#[cfg(test)]
mod tests;
