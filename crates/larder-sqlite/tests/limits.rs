//! Every bound holds, and what reaches it hurts nobody else.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::{join_all, poll_immediate};
use larder_core::{CacheBackend, EntryId, ErrorKind, Key, LeaseOutcome, LeaseRequest, Tag, Ttl};
use larder_sqlite::{SqliteBackend, SqliteConfig};
use larder_testkit::ManualClock;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("cache.db")
    }

    fn config(&self) -> SqliteConfig {
        SqliteConfig::new(self.path()).with_sweep_interval(Duration::from_millis(5))
    }
}

async fn open(config: SqliteConfig) -> SqliteBackend {
    SqliteBackend::open(config).await.unwrap()
}

fn seconds(seconds: u64) -> Ttl {
    Ttl::new(Duration::from_secs(seconds)).unwrap()
}

fn key(number: usize) -> Key {
    Key::object(&format!("key {number}"))
}

async fn put(backend: &SqliteBackend, number: usize, ttl: Ttl) {
    backend.put(&key(number), "x".into(), ttl).await.unwrap();
}

/// Waits until something holds that another thread or process brings about.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let patience = Duration::from_secs(60);
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(patience, wait).await.expect("it never came true");
}

#[tokio::test]
async fn what_would_expire_first_makes_room() {
    let place = Place::new();
    let bytes_max = 1 << 20;
    let backend = open(place.config().with_value_bytes_max(60_000).with_bytes_max(bytes_max)).await;
    // The later it is put, the sooner it would expire; number 0 lives longest.
    for number in 0..100 {
        let ttl = seconds(10_000 - number as u64);
        backend.put(&key(number), vec![1; 50_000].into(), ttl).await.unwrap();
    }
    let info = backend.file_info().await.unwrap();
    assert!(info.entry_bytes <= bytes_max, "{info:?}");
    assert!(info.bytes <= 2 * bytes_max, "{info:?}");
    assert_eq!(info.entries, 20);
    let stats = backend.stats();
    assert_eq!((stats.evicted, stats.expired), (80, 0));
    assert_eq!((stats.entries, stats.bytes), (Some(20), Some(info.entry_bytes)));
    for number in [0, 10, 18, 99] {
        let found = backend.read(&key(number), &[]).await.unwrap().value;
        assert!(found.is_some(), "{number} was evicted");
    }
    for number in [50, 98] {
        let found = backend.read(&key(number), &[]).await.unwrap().value;
        assert!(found.is_none(), "{number} should have made room");
    }
}

#[tokio::test]
async fn dead_entries_make_room_before_live_ones() {
    let place = Place::new();
    let config = place.config().with_value_bytes_max(60_000).with_bytes_max(1 << 20);
    let backend = open(config.with_sweep_interval(Duration::from_secs(3_600))).await;
    for number in 0..19 {
        backend.put(&key(number), vec![1; 50_000].into(), seconds(10_000)).await.unwrap();
    }
    backend.clear().await.unwrap();
    for number in 100..119 {
        backend.put(&key(number), vec![1; 50_000].into(), seconds(1)).await.unwrap();
    }
    assert_eq!(backend.stats().evicted, 0);
    assert!(backend.stats().expired > 0);
}

#[tokio::test]
async fn a_value_beyond_the_limit_is_refused_at_once() {
    let place = Place::new();
    let backend = open(place.config().with_value_bytes_max(10)).await;
    let error = backend.put(&key(0), vec![0; 11].into(), seconds(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    backend.put(&key(0), vec![0; 10].into(), seconds(60)).await.unwrap();
}

#[tokio::test]
async fn the_tag_written_longest_ago_is_forgotten() {
    let place = Place::new();
    let backend = open(place.config().with_tags_max(10)).await;
    let tags: Vec<_> = (0..25).map(|tag| Tag::named(&tag.to_string())).collect();
    for tag in &tags[..20] {
        backend.generations(std::slice::from_ref(tag)).await.unwrap();
    }
    // Written again, number 10 is the newest.
    backend.bump(&tags[10..11]).await.unwrap();
    backend.bump(&tags[20..]).await.unwrap();
    let stamps = backend.read(&key(0), &tags).await.unwrap().stamps;
    let known: Vec<_> = (0..25).filter(|tag| stamps[*tag].is_some()).collect();
    assert_eq!(known, [10, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    assert_eq!(backend.file_info().await.unwrap().tags, 10);
}

#[tokio::test]
async fn expired_and_cleared_rows_are_swept() {
    let place = Place::new();
    let clock = ManualClock::new();
    let backend = open(place.config().with_clock(Arc::<ManualClock>::clone(&clock))).await;
    join_all((0..700).map(|number| put(&backend, number, seconds(10)))).await;
    join_all((700..710).map(|number| put(&backend, number, seconds(1_000)))).await;
    for number in 1_000..1_300 {
        let request = LeaseRequest::new(Duration::from_secs(10));
        backend.lease(&key(number), request).await.unwrap();
    }
    let info = backend.file_info().await.unwrap();
    assert_eq!((info.entries, info.live, info.expired, info.leases), (710, 710, 0, 300));

    clock.advance(Duration::from_secs(11));
    until(async || backend.file_info().await.unwrap().entries == 10).await;
    until(async || backend.file_info().await.unwrap().leases == 0).await;
    assert_eq!(backend.stats().expired, 700);
    assert!(backend.read(&key(700), &[]).await.unwrap().value.is_some());

    backend.lease(&key(1), LeaseRequest::new(Duration::from_secs(10_000))).await.unwrap();
    backend.clear().await.unwrap();
    until(async || backend.file_info().await.unwrap().entries == 0).await;
    until(async || backend.file_info().await.unwrap().leases == 0).await;
    let info = backend.file_info().await.unwrap();
    assert_eq!(info.entry_bytes, 0);
}

#[tokio::test]
async fn a_full_file_fails_only_what_needs_room() {
    let place = Place::new();
    let config = place.config().with_value_bytes_max(1_000).with_bytes_max(70_000).with_tags_max(1);
    let backend = open(config).await;
    backend.put(&key(0), "x".into(), seconds(3_600)).await.unwrap();
    backend.bump(&[Tag::named("t")]).await.unwrap();
    // Leases end by themselves, so nothing but the size of the file bounds their number.
    let request = LeaseRequest::new(Duration::from_secs(3_600));
    let mut error = None;
    for number in 1..10_000 {
        if let Err(found) = backend.lease(&key(number), request).await {
            error = Some(found);
            break;
        }
    }
    let error = error.expect("the file never filled up");
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error:?}");

    // In one transaction with what fails, what needs no room succeeds all the same.
    let others = (20_000..20_050).map(|number| {
        let backend = &backend;
        async move { backend.lease(&key(number), request).await.map(drop) }
    });
    let invalidations = async {
        backend.bump(&[Tag::named("t")]).await.unwrap();
        assert!(backend.remove(&key(0)).await.unwrap());
    };
    let (failed, ()) = tokio::join!(join_all(others), invalidations);
    for error in failed.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error:?}");
    }
    assert!(backend.read(&key(0), &[]).await.unwrap().value.is_none(), "reads go on");
    backend.clear().await.unwrap();
    // The sweep makes room again.
    until(async || backend.lease(&key(1), request).await.is_ok()).await;
}

#[tokio::test]
async fn a_lease_won_for_nobody_is_given_back() {
    let place = Place::new();
    let backend = open(place.config()).await;
    let request = LeaseRequest::new(Duration::from_secs(3_600));
    let mut given_up = 0;
    for number in 0..50 {
        // Polled once, it is queued; then its caller goes away, unless the answer was as fast.
        if poll_immediate(backend.lease(&key(number), request)).await.is_some() {
            continue;
        }
        given_up += 1;
        until(async || {
            matches!(backend.lease(&key(number), request).await, Ok(LeaseOutcome::Won(_)))
        })
        .await;
    }
    assert!(given_up > 0, "every answer was faster than the caller");
}

#[tokio::test]
async fn what_was_queued_is_written_although_everybody_left() {
    let place = Place::new();
    let backend = open(place.config()).await;
    {
        // Polled once, each is queued; then its caller goes away. More than 128 would need more
        // polls, because the runtime makes a task pause there.
        let puts = (0..100).map(|number| put(&backend, number, seconds(60)));
        assert!(poll_immediate(join_all(puts)).await.is_none());
    }
    drop(backend);
    let backend = open(place.config()).await;
    for number in 0..100 {
        let found = backend.read(&key(number), &[]).await.unwrap().value;
        assert!(found.is_some(), "{number} is missing");
    }
}

#[tokio::test]
async fn a_queue_and_batches_of_one_are_enough() {
    let place = Place::new();
    let config = place.config().with_queue_max(1).with_batch_max(1).with_readers_max(1);
    let backend = open(config).await;
    join_all((0..100).map(|number| put(&backend, number, seconds(60)))).await;
    let keys: Vec<_> = (0..100).map(key).collect();
    assert_eq!(backend.remove_many(&keys).await.unwrap(), 100);
}

#[tokio::test]
async fn the_files_of_a_closed_cache_are_one_file() {
    let place = Place::new();
    let backend = open(place.config()).await;
    backend.put(&key(0), "x".into(), seconds(60)).await.unwrap();
    backend.read(&key(0), &[]).await.unwrap();
    let feed = backend.watch(Arc::new(larder_core::SystemClock::new())).await.unwrap();
    drop((feed, backend));
    let files: Vec<_> = std::fs::read_dir(place.0.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "a connection stayed open: {files:?}");
}

#[tokio::test]
async fn optimize_gives_room_back() {
    let place = Place::new();
    let backend = open(place.config()).await;
    for number in 0..200 {
        backend.put(&key(number), vec![1; 20_000].into(), seconds(60)).await.unwrap();
    }
    let before = backend.optimize().await.unwrap();
    assert!(before.bytes > 200 * 20_000);
    assert_eq!((before.wal_bytes, before.entries), (0, 200));
    assert_eq!(before.journal_mode, "wal");
    backend.clear().await.unwrap();
    let after = backend.optimize().await.unwrap();
    assert!(after.bytes < 200_000, "{after:?}");
    assert_eq!((after.wal_bytes, after.entries, after.free_pages), (0, 0, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn a_cache_whose_file_is_removed_starts_over() {
    let place = Place::new();
    let backend = open(place.config()).await;
    backend.put(&key(0), "x".into(), seconds(60)).await.unwrap();
    assert!(backend.read(&key(0), &[]).await.unwrap().value.is_some());
    let epoch = backend.epoch().await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{}{suffix}", place.path().display())).unwrap();
    }
    until(async || backend.epoch().await.is_ok_and(|now| now != epoch)).await;
    assert!(backend.read(&key(0), &[]).await.unwrap().value.is_none());
    backend.put(&key(1), "y".into(), seconds(60)).await.unwrap();
    // Others see the same file.
    let other = open(place.config()).await;
    assert!(other.read(&key(1), &[]).await.unwrap().value.is_some());
}

#[tokio::test]
async fn waiting_for_a_loader_takes_no_write_lock() {
    let place = Place::new();
    let backend = open(place.config().with_busy_timeout(Duration::from_millis(1))).await;
    let request = LeaseRequest::new(Duration::from_secs(60));
    backend.lease(&key(0), request).await.unwrap();
    backend.put(&key(1), "x".into(), seconds(60)).await.unwrap();
    let other = larder_sqlite_file::FileOptions::new(place.path()).open().unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(backend.lease(&key(0), request).await.unwrap(), LeaseOutcome::Held);
    let dead = request.with_dead(Some(EntryId::random()));
    assert_eq!(backend.lease(&key(1), dead).await.unwrap(), LeaseOutcome::Found("x".into()));
    let error = backend.put(&key(0), "y".into(), seconds(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.is_retryable());
    other.execute_batch("COMMIT").unwrap();
    backend.put(&key(0), "y".into(), seconds(60)).await.unwrap();
}
