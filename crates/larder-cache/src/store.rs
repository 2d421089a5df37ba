//! After the load: into the far tier with the lease, into the near tier under the versions from
//! before the load.
//!
//! Invariant: what the far tier refused, or what was invalidated here meanwhile, leaves no near
//! entry. Its callers get the value; nobody after them does.

use std::{sync::Arc, time::Duration};

use larder_core::{
    Dependency, EntryId, Envelope, EnvelopeHeader, FillOutcome, Lease, Operation, Ttl, bytes::Bytes,
};

use crate::{
    Args, Loaded,
    entry::{Conditions, Entry},
    far::Far,
    load::{Plan, Right},
    request::Mode,
};

/// When a value was loaded and how long that took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) created_ms: u64,
    pub(crate) load_time: Duration,
}

impl<T: Send + Sync + 'static> Plan<T> {
    /// After a load that failed: the next loader need not wait for the lease to run out.
    pub(crate) async fn give_back(&self, right: Option<(&Arc<Far>, Right)>) {
        if let Some((far, right)) = right {
            let release = far.backend.release(&self.key, &right.lease);
            far.attempt(&mut far.budget(), Operation::Release, release).await;
        }
    }

    /// Stores a loaded value in both tiers, as far as it may be stored.
    pub(crate) async fn store(
        &mut self,
        args: Args<'_>,
        mode: Mode,
        right: Option<(&Arc<Far>, Right)>,
        loaded: Loaded<T>,
        stored: Stored,
    ) -> Arc<Entry<T>> {
        let negative = loaded.value.is_none();
        let ttl = self.family.policy.draw(loaded.brief).filter(|_| !loaded.unstored);
        let Some(ttl) = ttl else {
            self.give_back(right).await;
            return Arc::new(Entry::detached(loaded.value));
        };
        let filled = match (right, loaded.payload) {
            (Some((far, right)), Some(payload)) => {
                self.fill(far, right, negative, payload, ttl, stored).await
            }
            (right, _) => {
                self.give_back(right).await;
                Fill::None
            }
        };
        if mode == Mode::Refresh && !self.family.inner.engine.view.supersede(&mut self.token) {
            return Arc::new(Entry::detached(loaded.value));
        }
        let engine = &self.family.inner.engine;
        let entry = Arc::new(Entry::new(
            loaded.value,
            self.family.inner.id,
            args,
            Conditions {
                expires: self.started.after(ttl.as_duration()),
                confirmed: self.confirmed(),
                token: self.token.clone(),
                weight: loaded.weight,
                far: filled.id(),
            },
        ));
        if filled != Fill::Refused
            && engine.view.is_current(entry.token())
            && let Some(near) = &engine.near
        {
            near.insert(self.hash, Arc::clone(&entry) as _);
        }
        entry
    }

    async fn fill(
        &self,
        far: &Far,
        right: Right,
        negative: bool,
        payload: Bytes,
        ttl: Ttl,
        stored: Stored,
    ) -> Fill {
        let keyspace = &self.family.inner.keyspace;
        let payload_bytes = payload.len() as u64;
        let (id, bytes) = self.envelope(&right, negative, payload, ttl, stored);
        let fill = far.backend.fill(&self.key, &right.lease, bytes, ttl);
        match far.attempt(&mut far.budget(), Operation::Fill, fill).await {
            Some(FillOutcome::Stored) => {
                keyspace.bytes_filled.add(payload_bytes);
                Fill::Stored(id)
            }
            Some(FillOutcome::Refused) => {
                keyspace.refused.increment();
                self.give_back_lease(far, &right.lease).await;
                Fill::Refused
            }
            None => {
                // Too large, or lost on the way: the next loader need not wait.
                self.give_back_lease(far, &right.lease).await;
                Fill::None
            }
        }
    }

    async fn give_back_lease(&self, far: &Far, lease: &Lease) {
        let release = far.backend.release(&self.key, lease);
        far.attempt(&mut far.budget(), Operation::Release, release).await;
    }

    fn envelope(
        &self,
        right: &Right,
        negative: bool,
        payload: Bytes,
        ttl: Ttl,
        stored: Stored,
    ) -> (EntryId, Bytes) {
        let codec = &self.family.inner.codec;
        let id = EntryId::random();
        let expiry_ms = stored.created_ms.saturating_add(ttl.as_millis());
        let dependencies = self.tags.iter().zip(&right.stamps);
        let header = EnvelopeHeader {
            id,
            negative,
            codec: codec.codec,
            epoch: right.lease.epoch,
            database_epoch: None,
            created_ms: stored.created_ms,
            soft_expiry_ms: expiry_ms,
            hard_expiry_ms: expiry_ms,
            load_time: stored.load_time,
            schema: codec.schema,
            dependencies: dependencies
                .map(|(tag, stamp)| Dependency { tag: *tag, stamp: *stamp })
                .collect(),
        };
        let mac = self.family.inner.engine.mac.as_ref();
        (id, Envelope { header, payload }.encode(&self.key, mac))
    }
}

/// What became of the far copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    None,
    Refused,
    Stored(EntryId),
}

impl Fill {
    const fn id(self) -> Option<EntryId> {
        match self {
            Self::Stored(id) => Some(id),
            Self::None | Self::Refused => None,
        }
    }
}
