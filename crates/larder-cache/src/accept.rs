//! Whether a far entry may be served, and what it does to the near tier.

use std::{sync::Arc, time::Duration};

use larder_core::{EntryId, Envelope, Epoch, Expectation, Snapshot, Tick};

use crate::{
    Args,
    entry::{Conditions, Confirmed, Entry},
    load::Plan,
};

impl<T: Send + Sync + 'static> Plan<T> {
    /// Takes a far entry as a hit, into the near tier too, if everything matches.
    pub(crate) fn accept(&self, snapshot: &Snapshot, args: Args<'_>) -> Option<Arc<Entry<T>>> {
        let inner = &self.family.inner;
        let (envelope, remaining) = self.checked(snapshot)?;
        let value = if envelope.header.negative {
            None
        } else {
            match (inner.codec.decode)(&envelope.payload) {
                Ok(value) => Some(value),
                Err(error) => {
                    inner.keyspace.rejected.increment();
                    tracing::warn!(
                        error,
                        keyspace = &*inner.label,
                        "a far entry can not be decoded"
                    );
                    return None;
                }
            }
        };
        let conditions = Conditions {
            expires: self.started.after(remaining),
            confirmed: self.confirmed(),
            token: self.token.clone(),
            weight: envelope.payload.len(),
            far: Some(envelope.header.id),
        };
        let entry = Arc::new(Entry::new(value, inner.id, args, conditions));
        if let Some(near) = &inner.engine.near {
            near.insert(self.hash, Arc::clone(&entry) as _);
        }
        Some(entry)
    }

    /// Prolongs the near entry that the far tier just confirmed, without decoding anything.
    pub(crate) fn confirm_near(
        &self,
        snapshot: &Snapshot,
        args: Args<'_>,
    ) -> Option<Arc<Entry<T>>> {
        let inner = &self.family.inner;
        let entry = inner.near_entry_unverified(args)?;
        let is_same =
            entry.far.is_some() && entry.far == snapshot.value.as_deref().and_then(EntryId::peek);
        if !is_same
            || entry.is_expired(inner.engine.clock.now())
            || !inner.engine.view.is_current(entry.token())
        {
            return None;
        }
        self.checked(snapshot)?;
        entry.confirm(&self.confirmed());
        Some(entry)
    }

    /// The stored envelope and how long it still lives, if it may be served.
    fn checked(&self, snapshot: &Snapshot) -> Option<(Envelope, Duration)> {
        let inner = &self.family.inner;
        let stored = snapshot.value.as_ref()?;
        let now_ms = inner.engine.clock.unix_millis();
        let expectation = Expectation {
            tags: &self.tags,
            database_epoch: None::<Epoch>,
            codec: inner.codec.codec,
            schema: inner.codec.schema,
            now_ms,
        };
        let checked =
            Envelope::decode(stored, &self.key, inner.engine.mac.as_ref()).and_then(|envelope| {
                envelope.header.check(snapshot, &expectation)?;
                Ok(envelope)
            });
        match checked {
            Ok(envelope) => {
                let left = envelope.header.hard_expiry_ms.saturating_sub(now_ms);
                Some((envelope, Duration::from_millis(left)))
            }
            Err(rejection) => {
                inner.keyspace.rejected.increment();
                tracing::debug!(%rejection, keyspace = &*inner.label, "a far entry is not served");
                None
            }
        }
    }

    /// What was loaded, or read from the far tier, reflects every invalidation that was
    /// acknowledged before.
    pub(crate) fn confirmed(&self) -> Confirmed {
        let engine = &self.family.inner.engine;
        match engine.far {
            None => Confirmed { at: self.started, until: Tick::NEVER },
            Some(_) => {
                Confirmed { at: self.started, until: self.started.after(engine.limits.staleness) }
            }
        }
    }
}
