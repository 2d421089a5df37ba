//! A consistency checker: writers and readers race, and no read that began after an
//! acknowledged invalidation may return what was loaded before it.
//!
//! The "database" is a row of versions that only grow. A writer raises one and invalidates; a
//! loader reads one and dawdles, so that fills come late. A reader notes what was acknowledged
//! before it begins, and compares.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use larder::Larder;
use larder_cache::{Cache, Family, Near};
use larder_core::{CacheBackend, Key, MemoryBackend, MemoryConfig, Tag, Ttl};
use larder_moka::{MokaBackend, MokaConfig};
use larder_sqlite::{SqliteBackend, SqliteConfig};

use crate::support::{random_name, service_url};

const ROWS: usize = 4;
const WRITES: usize = 150;

/// The database, and what its writers have been told about each row.
#[derive(Debug, Default)]
struct World {
    rows: [AtomicU64; ROWS],
    acknowledged: [AtomicU64; ROWS],
}

impl World {
    /// A load that may be overtaken by anything.
    async fn load(&self, row: usize) -> u64 {
        let version = self.rows[row].load(Ordering::SeqCst);
        dawdle().await;
        version
    }

    /// How far a read falls behind what was acknowledged before it began.
    async fn staleness(&self, row: usize, read: impl Future<Output = u64>) -> u64 {
        let floor = self.acknowledged[row].load(Ordering::SeqCst);
        floor.saturating_sub(read.await)
    }

    async fn write(&self, row: usize, invalidate: impl Future<Output = ()>) {
        let version = self.rows[row].fetch_add(1, Ordering::SeqCst) + 1;
        invalidate.await;
        self.acknowledged[row].fetch_max(version, Ordering::SeqCst);
    }
}

async fn dawdle() {
    if rand::random_ratio(1, 4) {
        tokio::time::sleep(Duration::from_micros(rand::random_range(0..3_000))).await;
    }
}

fn tag(row: usize) -> Tag {
    Tag::named(&format!("row {row}"))
}

/// The cache of one process over a far tier that all of them share.
fn over(far: Arc<dyn CacheBackend>) -> Cache {
    Cache::builder().far(far).far_time_limit(Duration::from_secs(20)).build().unwrap()
}

fn families(cache: &Cache) -> Vec<Family<u64>> {
    (0..ROWS)
        .map(|row| cache.family("row").part(&row.to_string()).tags([tag(row)]).build())
        .collect()
}

async fn read(families: &[Family<u64>], world: &Arc<World>, row: usize) -> u64 {
    let world = Arc::clone(world);
    let load = move || async move { Ok::<_, io::Error>(world.load(row).await) };
    *families[row].get_or_load("k", load).await.unwrap()
}

async fn stale_reads(far: Arc<dyn CacheBackend>) -> u64 {
    stale_reads_of(async || over(Arc::clone(&far))).await
}

/// Runs two writers and six readers in five "processes" and returns how many reads were stale.
async fn stale_reads_of(process: impl AsyncFn() -> Cache) -> u64 {
    let world = Arc::new(World::default());
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(Arc::new(families(&process().await)));
    }
    let writing = [process().await, process().await];
    let writers: Vec<_> = writing
        .into_iter()
        .enumerate()
        .map(|(writer, cache)| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for i in 0..WRITES {
                    let row = (i + writer) % ROWS;
                    let invalidate = async {
                        cache.invalidate_tags(&[tag(row)]).await.applied().unwrap();
                    };
                    world.write(row, invalidate).await;
                    dawdle().await;
                }
            })
        })
        .collect();
    let done = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..6)
        .map(|reader| {
            let (world, done) = (Arc::clone(&world), Arc::clone(&done));
            let families = Arc::clone(&processes[reader % 3]);
            tokio::spawn(async move {
                let mut stale = 0;
                while done.load(Ordering::SeqCst) == 0 {
                    // A hit is ready at once; without this, readers would keep writers off the threads.
                    tokio::task::yield_now().await;
                    let row = rand::random_range(0..ROWS);
                    stale +=
                        u64::from(world.staleness(row, read(&families, &world, row)).await > 0);
                }
                stale
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(1, Ordering::SeqCst);
    let mut stale = 0;
    for reader in readers {
        stale += reader.await.unwrap();
    }
    stale
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_backend_serves_no_stale_read() {
    assert_eq!(stale_reads(Arc::new(MemoryBackend::new(MemoryConfig::default()))).await, 0);
}

/// Generations that are forgotten all the time cost misses and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evicted_generations_cause_no_stale_read() {
    let mut config = MemoryConfig::default();
    config.tags_max = 2;
    config.entries_max = 3;
    assert_eq!(stale_reads(Arc::new(MemoryBackend::new(config))).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moka_serves_no_stale_read() {
    assert_eq!(stale_reads(Arc::new(MokaBackend::new(MokaConfig::default()))).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_serves_no_stale_read() {
    let dir = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(dir.path().join("cache.db"));
    assert_eq!(stale_reads(Arc::new(SqliteBackend::open(config).await.unwrap())).await, 0);
}

/// Real servers, to which each process is connected by itself.
macro_rules! servers {
    ($($setup:ident)*) => {$(
        mod $setup {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a live service"]
            async fn it_serves_no_stale_read() {
                let url = service_url(stringify!($setup));
                let namespace = random_name("stale");
                let process = async || {
                    let builder = Larder::builder().database("sqlite::memory:").without_near();
                    let builder = builder.far_time_limit(Duration::from_secs(20));
                    let builder = builder.namespace(&namespace).far(&url);
                    builder.build().await.unwrap().cache().clone()
                };
                assert_eq!(stale_reads_of(process).await, 0);
            }
        }
    )*};
}

servers! {
    redis redis_cluster redis_new redis_replicated redis_sentinel valkey valkey_new
    memcached memcached_fleet memcached_new
}

/// With a near tier in the invalidating process itself, the bound is zero as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_invalidates_reads_its_own_writes_from_the_near_tier() {
    let far: Arc<dyn CacheBackend> = Arc::new(MemoryBackend::new(MemoryConfig::default()));
    let cache = Cache::builder().near(Near::mebibytes(4)).far(far).build().unwrap();
    let family = cache.family::<u64>("row").tags([tag(0)]).build();
    let world = Arc::new(World::default());
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (world, family) = (Arc::clone(&world), family.clone());
            tokio::spawn(async move {
                for _ in 0..3_000 {
                    let loaded = Arc::clone(&world);
                    let load = move || async move { Ok::<_, io::Error>(loaded.load(0).await) };
                    let read = async { *family.get_or_load("k", load).await.unwrap() };
                    assert_eq!(world.staleness(0, read).await, 0);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..WRITES {
        let invalidate = async { cache.invalidate_tags(&[tag(0)]).await.applied().unwrap() };
        world.write(0, invalidate).await;
        dawdle().await;
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

/// The checker can fail: the usual cache-aside, set after load and delete after write, is caught.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_catches_plain_cache_aside() {
    /// Far more than it takes; a busy machine takes the most.
    const WRITES_MAX: usize = 200 * WRITES;
    let world = Arc::new(World::default());
    let far = Arc::new(MemoryBackend::new(MemoryConfig::default()));
    let stale = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let key = Key::object("row 0");
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let (world, far) = (Arc::clone(&world), Arc::clone(&far));
            let (stale, done) = (Arc::clone(&stale), Arc::clone(&done));
            tokio::spawn(async move {
                while done.load(Ordering::SeqCst) == 0 {
                    let read = async {
                        let cached = far.read(&key, &[]).await.unwrap().value;
                        if let Some(cached) = cached {
                            return u64::from_be_bytes(cached[..].try_into().unwrap());
                        }
                        let version = world.load(0).await;
                        let bytes = version.to_be_bytes().to_vec().into();
                        far.put(&key, bytes, Ttl::MAX).await.unwrap();
                        version
                    };
                    if world.staleness(0, read).await > 0 {
                        stale.fetch_add(1, Ordering::SeqCst);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..WRITES_MAX {
        if stale.load(Ordering::SeqCst) > 0 {
            break;
        }
        world.write(0, async { drop(far.remove(&key).await) }).await;
        dawdle().await;
    }
    done.store(1, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    let stale = stale.load(Ordering::SeqCst);
    assert!(stale > 0, "plain cache-aside passed, so the checker sees nothing");
}
