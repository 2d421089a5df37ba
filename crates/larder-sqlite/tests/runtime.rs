//! What needs a tokio runtime, and what does not.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use larder_core::{CacheBackend as _, ErrorKind, Key, ReadRequest, Tag, Ttl};
use larder_sqlite::{ReadMode, SqliteBackend, SqliteConfig};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future without any runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn reads_and_writes_need_no_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(directory.path().join("cache.db"));
    block_on(async {
        let backend = SqliteBackend::open(config).await.unwrap();
        let (key, tags) = (Key::object("key"), [Tag::named("tag")]);
        let ttl = Ttl::new(Duration::from_secs(60)).unwrap();
        backend.put(&key, "value".into(), ttl).await.unwrap();
        backend.bump(&tags).await.unwrap();
        let request = ReadRequest { key: &key, tags: &tags };
        let snapshots = backend.read_many(&[request; 600]).await.unwrap();
        assert_eq!(snapshots.len(), 600);
        assert!(snapshots.iter().all(|found| found.value.is_some() && found.stamps[0].is_some()));
        assert_eq!(backend.file_info().await.unwrap().live, 1);
    });
}

#[test]
fn offloaded_reads_without_a_runtime_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(directory.path().join("cache.db"));
    block_on(async {
        let backend = SqliteBackend::open(config.with_reads(ReadMode::Offload)).await.unwrap();
        let error = backend.read(&Key::object("key"), &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
