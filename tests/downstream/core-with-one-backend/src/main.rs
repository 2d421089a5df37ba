//! The contract and one backend, without the engine: a value that survives its process's handle,
//! and an invalidation that does too.

use std::{env, error::Error, fs, path::Path, process, time::Duration};

use larder_core::{CacheBackend, FillOutcome, Key, LeaseOutcome, LeaseRequest, Tag, Ttl};
use larder_sqlite::{SqliteBackend, SqliteConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("larder-core-with-one-backend-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = fill_reopen_and_invalidate(&folder.join("cache.db")).await;
    fs::remove_dir_all(&folder)?;
    outcome
}

async fn fill_reopen_and_invalidate(file: &Path) -> Result<(), Box<dyn Error>> {
    let (key, tags) = (Key::object("airline:LH"), [Tag::named("airline")]);

    let cache = SqliteBackend::open(SqliteConfig::new(file)).await?;
    let snapshot = cache.generations(&tags).await?;
    let request = LeaseRequest::new(Duration::from_secs(5));
    let LeaseOutcome::Won(lease) = cache.lease(&key, request).await? else {
        return Err("nobody else loads from this file".into());
    };
    let ttl = Ttl::new(Duration::from_secs(60))?;
    let filled = cache.fill(&key, &lease, "Lufthansa".into(), ttl).await?;
    assert_eq!(filled, FillOutcome::Stored);
    drop(cache);

    let cache = SqliteBackend::open(SqliteConfig::new(file)).await?;
    let found = cache.read(&key, &tags).await?;
    assert_eq!(found.value.as_deref(), Some(&b"Lufthansa"[..]));
    assert_eq!(found.stamps, [Some(snapshot[0])]);

    cache.bump(&tags).await?;
    assert_ne!(cache.read(&key, &tags).await?.stamps, [Some(snapshot[0])]);
    println!("core-with-one-backend: {cache} kept the value, and the tag was invalidated");
    Ok(())
}
