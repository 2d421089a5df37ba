//! [`CacheBackend`] over the file: reads on the spot, writes through the queue.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use larder_core::{
    BackendStats, CacheBackend, Capability, Clock, Epoch, Error, ErrorKind, FillOutcome, Health,
    Key, Lease, LeaseOutcome, LeaseRequest, Operation, ReadRequest, Result, Snapshot, Stamp, Tag,
    Ttl, WatchStream,
};
use larder_sqlite_file::rusqlite::{self, Connection};

use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    FileInfo, ReadMode, SqliteConfig,
    batch::{Batch, Meta, now},
    error::{NAME, Trouble},
    info, leases,
    shared::Shared,
    slot::KeySlot,
    snapshot,
    watch::watch,
    writer::Writer,
};

/// The most entries of one `read_many` that are read without letting other tasks run.
const READ_CHUNK: usize = 256;

/// A cache in one SQLite file that several processes share.
///
/// # Cancel safety
/// Every future may be dropped. A write that was queued takes place as a whole; a lease that was
/// won for a caller who no longer listens is given back.
///
/// # Dropping
/// Waits until the queued writes are committed, for a second at most if another process holds
/// the lock, then closes every connection.
pub struct SqliteBackend {
    shared: Arc<Shared>,
    writer: Writer,
}

impl SqliteBackend {
    /// Opens the cache file, making it if there is none.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for a file that is damaged or belongs to another program;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a configuration or a path that can not be
    /// used: a link, a pipe, a directory that everybody can write;
    /// [`Busy`](ErrorKind::Busy) and [`Unavailable`](ErrorKind::Unavailable) for what may pass;
    /// [`ReadOnly`](ErrorKind::ReadOnly) and [`NoSpace`](ErrorKind::NoSpace) for the file system.
    /// The message names the file, and nothing was deleted or overwritten.
    ///
    /// # Cancel safety
    /// Dropping the future waits for the thread that opens the file.
    pub async fn open(mut config: SqliteConfig) -> Result<Self> {
        if let Some(objection) = config.objection() {
            let error = Error::new(ErrorKind::InvalidInput, NAME, Operation::Open);
            return Err(error.with_detail(objection));
        }
        // A later change of the working directory must not change which file this is.
        if let Ok(absolute) = std::path::absolute(&config.path) {
            config.path = absolute;
        }
        let path = config.path.clone();
        let shared = Arc::new(Shared::new(config));
        let writer = Writer::start(Arc::clone(&shared)).await;
        let writer = writer.map_err(|trouble| trouble.into_error(Operation::Open, &path))?;
        Ok(Self { shared, writer })
    }

    /// Removes what is dead, gives free pages back to the file system, refreshes SQLite's
    /// statistics and empties the write-ahead log; then says what the file looks like.
    ///
    /// Writes wait meanwhile, for a time in proportion to the pages that are given back.
    ///
    /// # Errors
    /// Those of a write.
    ///
    /// # Cancel safety
    /// The upkeep goes on when the future is dropped.
    pub async fn optimize(&self) -> Result<FileInfo> {
        self.observed(Operation::Maintain, async {
            while self.writer.write(0, |batch| batch.sweep_entries()).await? {}
            self.writer.upkeep(|connection| info::optimize(connection)).await
        })
        .await?;
        self.file_info().await
    }

    /// Says what the file looks like. Takes time in proportion to the number of entries, on a
    /// blocking thread if there is a runtime.
    ///
    /// # Errors
    /// Those of a read.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn file_info(&self) -> Result<FileInfo> {
        let shared = Arc::clone(&self.shared);
        let ask = move || {
            let ask = |connection: &Connection| info::file_info(connection, &shared.config);
            shared.readers.query(&shared, ask)
        };
        self.observed(Operation::Maintain, async {
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => joined(runtime.spawn_blocking(ask).await),
                Err(_no_runtime) => ask(),
            }
        })
        .await
    }

    /// Runs something that reads where reads are configured to run.
    async fn query<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> std::result::Result<T, Trouble> + Send + 'static,
    ) -> std::result::Result<T, Trouble> {
        if self.shared.config.reads == ReadMode::Inline {
            return work(&self.shared);
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|_none| Trouble::NoRuntime)?;
        let shared = Arc::clone(&self.shared);
        joined(runtime.spawn_blocking(move || work(&shared)).await)
    }

    async fn query_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &SqliteConfig) -> rusqlite::Result<T> + Send + 'static,
    ) -> std::result::Result<T, Trouble> {
        let ask = |shared: &Shared| {
            let work = |connection: &Connection| work(connection, &shared.config);
            shared.readers.query(shared, work)
        };
        self.query(ask).await
    }

    /// Runs a call in a span of its own and says how it ended.
    async fn observed<T>(
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
            self.shared.counters.count_error();
            trouble.into_error(operation, &self.shared.config.path)
        })
    }

    fn check_size(&self, operation: Operation, value: &Bytes) -> Result<()> {
        let limit = self.shared.config.value_bytes_max;
        if value.len() <= limit {
            return Ok(());
        }
        self.shared.counters.count_error();
        let detail = format!("{} bytes, the limit is {limit}", value.len());
        Err(Error::new(ErrorKind::TooLarge, NAME, operation).with_detail(detail))
    }
}

fn span(operation: Operation) -> Span {
    let operation = operation.as_str();
    tracing::debug_span!("cache", backend = NAME, operation, outcome = Empty)
}

/// What a blocking task returned; it ends without a result only with its runtime.
fn joined<T>(
    outcome: std::result::Result<std::result::Result<T, Trouble>, tokio::task::JoinError>,
) -> std::result::Result<T, Trouble> {
    outcome.unwrap_or(Err(Trouble::Closed))
}

#[async_trait]
impl CacheBackend for SqliteBackend {
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Snapshot> {
        if self.shared.config.reads == ReadMode::Inline {
            // The hot path: no future besides the one that this function is.
            let span = span(Operation::Read).entered();
            let outcome = self.shared.readers.read(&self.shared, key, tags);
            return self.report(Operation::Read, &span, outcome);
        }
        let (key, tags) = (*key, tags.to_vec());
        let read = self.query(move |shared| shared.readers.read(shared, &key, &tags));
        self.observed(Operation::Read, read).await
    }

    async fn read_many(&self, requests: &[ReadRequest<'_>]) -> Result<Vec<Snapshot>> {
        let owned = |request: &ReadRequest<'_>| (*request.key, request.tags.to_vec());
        self.observed(Operation::ReadMany, async {
            let mut snapshots = Vec::with_capacity(requests.len());
            for chunk in requests.chunks(READ_CHUNK) {
                if !snapshots.is_empty() {
                    tokio::task::yield_now().await;
                }
                let chunk: Vec<_> = chunk.iter().map(owned).collect();
                let read = self.query(move |shared| shared.readers.read_many(shared, &chunk));
                snapshots.extend(read.await?);
            }
            Ok(snapshots)
        })
        .await
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let (tags, wanted) = (tags.to_vec(), tags.to_vec());
        self.observed(Operation::Generations, async {
            // Most of the time nothing is missing, and then nothing has to be written.
            let known = self.query_connection(move |file, _| snapshot::stamps(file, &wanted));
            match known.await?.into_iter().collect() {
                Some(stamps) => Ok(stamps),
                None => self.writer.write(0, move |batch| batch.create(&tags)).await,
            }
        })
        .await
    }

    async fn lease(&self, key: &Key, request: LeaseRequest) -> Result<LeaseOutcome> {
        let slot = KeySlot::of(key);
        self.observed(Operation::Lease, async {
            let taken = self.query_connection(move |file, config| {
                leases::probe(file, &slot, request.dead, now(config))
            });
            match taken.await? {
                Some(outcome) => Ok(outcome),
                None => self.writer.lease(slot, request).await,
            }
        })
        .await
    }

    async fn renew(&self, key: &Key, lease: &Lease, time: Duration) -> Result<bool> {
        let (slot, lease) = (KeySlot::of(key), *lease);
        let write = self.writer.write(0, move |batch| batch.renew(&slot, &lease, time));
        self.observed(Operation::Renew, write).await
    }

    async fn release(&self, key: &Key, lease: &Lease) -> Result<bool> {
        let (slot, lease) = (KeySlot::of(key), *lease);
        let write = self.writer.write(0, move |batch| batch.release(&slot, &lease));
        self.observed(Operation::Release, write).await
    }

    async fn fill(&self, key: &Key, lease: &Lease, value: Bytes, ttl: Ttl) -> Result<FillOutcome> {
        self.check_size(Operation::Fill, &value)?;
        let (slot, lease, ttl_ms) = (KeySlot::of(key), *lease, ttl.as_millis());
        let weight = value.len();
        let fill = move |batch: &mut Batch<'_>| batch.fill(&slot, &lease, &value, ttl_ms);
        self.observed(Operation::Fill, self.writer.write(weight, fill)).await
    }

    async fn put(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<()> {
        self.check_size(Operation::Put, &value)?;
        let (slot, ttl_ms) = (KeySlot::of(key), ttl.as_millis());
        let weight = value.len();
        let put = move |batch: &mut Batch<'_>| batch.put(&slot, &value, ttl_ms);
        self.observed(Operation::Put, self.writer.write(weight, put)).await
    }

    async fn add(&self, key: &Key, value: Bytes, ttl: Ttl) -> Result<bool> {
        self.check_size(Operation::Add, &value)?;
        let (slot, ttl_ms) = (KeySlot::of(key), ttl.as_millis());
        let weight = value.len();
        let add = move |batch: &mut Batch<'_>| batch.add(&slot, &value, ttl_ms);
        self.observed(Operation::Add, self.writer.write(weight, add)).await
    }

    async fn touch(&self, key: &Key, ttl: Ttl) -> Result<bool> {
        let (slot, ttl_ms) = (KeySlot::of(key), ttl.as_millis());
        let write = self.writer.write(0, move |batch| batch.touch(&slot, ttl_ms));
        self.observed(Operation::Touch, write).await
    }

    async fn remove(&self, key: &Key) -> Result<bool> {
        let slot = KeySlot::of(key);
        let write = self.writer.write(0, move |batch| batch.remove(&slot));
        self.observed(Operation::Remove, write).await
    }

    async fn remove_many(&self, keys: &[Key]) -> Result<u64> {
        let slots: Vec<_> = keys.iter().map(KeySlot::of).collect();
        let write = self.writer.write(0, move |batch| {
            let remove = |sum, slot| Ok(sum + u64::from(batch.remove(slot)?));
            slots.iter().try_fold(0, remove)
        });
        self.observed(Operation::RemoveMany, write).await
    }

    async fn bump(&self, tags: &[Tag]) -> Result<Vec<Stamp>> {
        let tags = tags.to_vec();
        let write = self.writer.write(0, move |batch| batch.bump(&tags));
        self.observed(Operation::Bump, write).await
    }

    async fn clear(&self) -> Result<()> {
        let write = self.writer.write(0, |batch| {
            batch.clear();
            Ok(())
        });
        self.observed(Operation::Clear, write).await
    }

    async fn watch(&self, clock: Arc<dyn Clock>) -> Result<WatchStream> {
        let shared = Arc::clone(&self.shared);
        let subscribe = self.query(move |_| watch(shared, clock));
        self.observed(Operation::Watch, subscribe).await
    }

    async fn epoch(&self) -> Result<Epoch> {
        let meta = self.query_connection(|file, _| Meta::load(file));
        Ok(self.observed(Operation::Epoch, meta).await?.epoch)
    }

    async fn health(&self) -> Result<Health> {
        let before = self.shared.config.clock.now();
        let meta = self.query_connection(|file, _| Meta::load(file));
        let meta = self.observed(Operation::Health, meta).await?;
        let latency = self.shared.config.clock.now().since(before);
        let path: &PathBuf = &self.shared.config.path;
        let server = format!("SQLite {}, file {path:?}", rusqlite::version());
        let mut health = Health::new(latency, server);
        health.advice = info::advice(&meta, &self.shared.config);
        Ok(health)
    }

    fn stats(&self) -> BackendStats {
        let mut stats = self.shared.counters.stats();
        (stats.reads, stats.found) = self.shared.readers.counts();
        stats
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
        capability.value_bytes_max = Some(self.shared.config.value_bytes_max);
        capability.ttl_resolution = Duration::from_millis(1);
        capability
    }
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        // Closed first, so that no read that is still offloaded opens a connection again. The
        // writer's own drop, which follows, flushes the queue.
        self.shared.presence.close();
        self.shared.readers.close();
    }
}

impl fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteBackend").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl fmt::Display for SqliteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
