//! The cache: connected to, asked, timed, and tried with one entry.

use std::{sync::Arc, time::Duration};

use larder::{
    CacheBackend, FarUrl, OpenError, Ttl,
    core::{self, Clock as _, EntryId, Key, SystemClock, bytes::Bytes},
};

use super::{
    database::ROUND_TRIPS,
    finding::{Finding, Latency},
    mend,
};

/// How long the entry lives that is stored to see whether that works, should its removal fail.
const TRIAL_TTL: Duration = Duration::from_secs(10);

pub(crate) async fn examine(configured: Option<String>) -> Finding {
    let Some(text) = configured else { return Finding::not_configured() };
    let url: FarUrl = match text.parse() {
        Ok(url) => url,
        Err(error) => return Finding::failed(None, mend::cache(&OpenError::FarUrl(error))),
    };
    let shown = url.to_string();
    let backend = match url.open().await {
        Ok(Some(backend)) => backend,
        Ok(None) => return Finding::not_configured(),
        Err(error) => return Finding::failed(Some(shown), mend::cache(&error)),
    };
    match look(&backend, &shown).await {
        Ok(finding) => finding,
        Err(error) => Finding::failed(Some(shown), mend::call(&error)),
    }
}

async fn look(backend: &Arc<dyn CacheBackend>, shown: &str) -> core::Result<Finding> {
    let health = backend.health().await?;
    // A name that nobody else has.
    let key = Key::object(&format!("larder doctor {:?}", EntryId::random()));
    let clock = SystemClock::new();
    let mut took = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let started = clock.now();
        backend.read(&key, &[]).await?;
        took.push(clock.now().since(started));
    }
    let kept = try_entry(&**backend, &key).await?;
    let latency = Latency::of(took).ok_or_else(|| {
        core::Error::new(core::ErrorKind::Protocol, "doctor", core::Operation::Read)
    })?;
    let mut finding = Finding::healthy(shown.to_owned(), health, latency);
    if !kept {
        finding.advise(
            "an entry that was stored was gone at once: the server may be full, or evict \
             everything"
                .to_owned(),
        );
    }
    Ok(finding)
}

/// Stores an entry, reads it back and removes it; whether it was there.
async fn try_entry(backend: &dyn CacheBackend, key: &Key) -> core::Result<bool> {
    let value = Bytes::from_static(b"larder doctor");
    let ttl = Ttl::new(TRIAL_TTL).unwrap_or(Ttl::MIN);
    backend.put(key, value.clone(), ttl).await?;
    let found = backend.read(key, &[]).await?.value;
    backend.remove(key).await?;
    Ok(found == Some(value))
}
