//! What processes tell each other of tables that they verified, by way of a cache backend.
//!
//! Invariants: what another process verified counts only as long as the database's signal is the
//! one that it saw *before* it looked; an entry that was invalidated while it was on its way is
//! dead on arrival, because it carries the generation from before. Trouble with the cache is a
//! miss.

use std::{future::Future, time::Duration};

use larder_core::{
    CacheBackend, Codec, Dependency, EntryId, Envelope, EnvelopeHeader, Epoch, Expectation, Key,
    KeySpace, ReadRequest, Snapshot, Stamp, Tag, Ttl, bytes::Bytes,
};
use larder_migrate::SchemaSignal;
use larder_model::ModelEntry;
use serde::{Deserialize, Serialize};

/// The second level of one database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecondLevel<'a> {
    pub(crate) backend: &'a dyn CacheBackend,
    pub(crate) identity: &'a str,
    pub(crate) limit: Duration,
}

/// What it said of several tables.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The state of the database's tag before the tables are looked at.
    pub(crate) stamp: Stamp,
    /// For each table, whether there is something that counts, and what a new entry needs.
    pub(crate) found: Vec<Found>,
}

/// What it said of one table.
#[derive(Debug)]
pub(crate) struct Found {
    /// When it was verified, in Unix milliseconds, if nothing was changed since.
    pub(crate) verified_ms: Option<u64>,
    /// The epoch of the node that stores the entry.
    epoch: Epoch,
}

/// How long an entry lives where tables have no time-to-live. It is trusted only together with
/// the signal, so that this bounds nothing but what is left behind.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize, Serialize)]
struct Payload {
    signal: String,
    ddl_epoch: u64,
}

impl Payload {
    fn of(signal: &SchemaSignal) -> Self {
        Self { signal: signal.database.clone(), ddl_epoch: signal.ddl_epoch }
    }

    fn is(&self, signal: &SchemaSignal) -> bool {
        self.signal == signal.database && self.ddl_epoch == signal.ddl_epoch
    }
}

impl SecondLevel<'_> {
    /// Looks tables up, in one round trip; `None` if nothing can be relied on.
    pub(crate) async fn look(
        &self,
        entries: &[&'static ModelEntry],
        signal: &SchemaSignal,
        now_ms: u64,
    ) -> Option<Looked> {
        let tags = [self.tag()];
        let keys: Vec<_> = entries.iter().map(|entry| self.key(entry)).collect();
        let requests: Vec<_> = keys.iter().map(|key| ReadRequest { key, tags: &tags }).collect();
        let snapshots = self.within(self.backend.read_many(&requests)).await?;
        let known = snapshots.first()?.stamps.first().copied().flatten();
        let stamp = match known {
            Some(stamp) => stamp,
            None => self.stamp().await?,
        };
        let found = keys.iter().zip(&snapshots).map(|(key, snapshot)| Found {
            verified_ms: verified(key, snapshot, &tags, signal, now_ms),
            epoch: snapshot.epoch,
        });
        Some(Looked { stamp, found: found.collect() })
    }

    /// Tells others that a table was verified.
    pub(crate) async fn tell(
        &self,
        entry: &'static ModelEntry,
        (stamp, found): (Stamp, &Found),
        signal: &SchemaSignal,
        verified_ms: u64,
        ttl: Option<Ttl>,
    ) {
        let ttl = ttl.unwrap_or_else(|| Ttl::new(DAY).unwrap_or(Ttl::MIN));
        let expiry_ms = verified_ms.saturating_add(ttl.as_millis());
        let Ok(payload) = serde_json::to_vec(&Payload::of(signal)) else { return };
        let header = EnvelopeHeader {
            id: EntryId::random(),
            negative: false,
            codec: Codec::JSON,
            epoch: found.epoch,
            database_epoch: None,
            created_ms: verified_ms,
            soft_expiry_ms: expiry_ms,
            hard_expiry_ms: expiry_ms,
            load_time: Duration::ZERO,
            schema: FORMAT,
            dependencies: vec![Dependency { tag: self.tag(), stamp }],
        };
        let key = self.key(entry);
        let stored = Envelope { header, payload: Bytes::from(payload) }.encode(&key, None);
        self.within(self.backend.put(&key, stored, ttl)).await;
    }

    /// The state of the database's tag, made if there is none.
    pub(crate) async fn stamp(&self) -> Option<Stamp> {
        let stamps = self.within(self.backend.generations(&[self.tag()])).await?;
        stamps.first().copied()
    }

    /// Invalidates what every process has told of this database. `true` if that is certain.
    pub(crate) async fn bump(&self) -> bool {
        self.within(self.backend.bump(&[self.tag()])).await.is_some()
    }

    fn tag(&self) -> Tag {
        Tag::named(&format!("larder schema of {}", self.identity))
    }

    fn key(&self, entry: &ModelEntry) -> Key {
        let key = Key::builder(KeySpace::Object).text("larder schema").text(self.identity);
        key.bytes(entry.checksum().as_bytes()).finish()
    }

    /// What the backend says in time.
    async fn within<T>(&self, work: impl Future<Output = larder_core::Result<T>>) -> Option<T> {
        match tokio::time::timeout(self.limit, work).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "the second level of the schema cache failed");
                None
            }
            Err(_) => {
                tracing::debug!("the second level of the schema cache did not answer in time");
                None
            }
        }
    }
}

/// The version of what an entry says.
const FORMAT: u64 = 1;

/// When a table was verified, if the entry counts and nothing was changed since.
fn verified(
    key: &Key,
    snapshot: &Snapshot,
    tags: &[Tag],
    signal: &SchemaSignal,
    now_ms: u64,
) -> Option<u64> {
    let stored = snapshot.value.as_ref()?;
    let envelope = Envelope::decode(stored, key, None).ok()?;
    let expect =
        Expectation { tags, database_epoch: None, codec: Codec::JSON, schema: FORMAT, now_ms };
    envelope.header.check(snapshot, &expect).ok()?;
    let payload: Payload = serde_json::from_slice(&envelope.payload).ok()?;
    payload.is(signal).then_some(envelope.header.created_ms)
}
