//! Servers that die, come back, stand still or are replaced: typed errors within the time limit
//! meanwhile, and full service afterwards, with the same handle and few connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use larder_core::{
    CacheBackend, Clock as _, ErrorKind, FillOutcome, Key, LeaseOutcome, LeaseRequest, ReadRequest,
    Result, SystemClock, Ttl,
};
use larder_memcached::{MemcachedBackend, MemcachedConfig};
use larder_services::{Service, Setup};

/// A machine that is busy with other things is no reason for an error.
const PATIENT: Duration = Duration::from_secs(60);

/// Short enough to wait for. A busy machine may take longer.
const SHORT: Duration = Duration::from_millis(500);

/// Long enough for anything that is going to happen: a call that takes longer than its limits to
/// connect and to answer hangs.
const DEADLINE: Duration = Duration::from_secs(150);

fn ttl() -> Ttl {
    Ttl::new(Duration::from_secs(600)).unwrap()
}

fn key(n: usize) -> Key {
    Key::object(&format!("key {n}"))
}

fn start(setup: Setup) -> (Arc<Service>, MemcachedConfig) {
    let service = larder_services::start(setup).unwrap();
    let config: MemcachedConfig = service.url().parse().unwrap();
    (Arc::new(service), config.with_time_limit(PATIENT))
}

/// Does something to the servers on another thread, so that the runtime hears of it at once.
async fn upset(service: &Arc<Service>, work: impl FnOnce(&Service) + Send + 'static) {
    let service = Arc::clone(service);
    tokio::task::spawn_blocking(move || work(&service)).await.unwrap();
}

fn restart(service: &Service) {
    service.restart().unwrap();
}

async fn open(config: &MemcachedConfig) -> Arc<MemcachedBackend> {
    Arc::new(MemcachedBackend::connect(config.clone()).await.unwrap())
}

async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let Ok(result) = tokio::time::timeout(DEADLINE, call).await else {
        panic!("no answer and no error within {DEADLINE:?}");
    };
    result
}

/// Polls until the condition holds.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(DEADLINE, poll).await;
    assert!(waited.is_ok(), "it did not come to pass within {DEADLINE:?}: {what}");
}

/// The kind of the error that a call ends in while its server is away.
async fn trouble<T>(call: impl Future<Output = Result<T>>) -> ErrorKind {
    let Err(error) = in_time(call).await else { panic!("a server that is away answered") };
    assert!(error.is_retryable(), "{error}");
    error.kind()
}

/// The servers see so many connections in the end, this look included. Those of whoever waited for
/// a server to start count until its threads have noticed that they are closed.
async fn connections_are_bounded(cache: &MemcachedBackend, most: u64) {
    eventually(&format!("there are at most {most} connections"), async || {
        let health = in_time(cache.health()).await.unwrap();
        let fact = health.facts.iter().find(|fact| fact.name == "server connections").unwrap();
        fact.value.parse::<u64>().unwrap() <= most
    })
    .await;
}

mod memcached {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn the_first_call_after_a_restart_succeeds() {
        let (service, config) = start(Setup::Memcached);
        let cache = open(&config).await;
        for round in 0..5 {
            cache.put(&key(round), "value".into(), ttl()).await.unwrap();
            let epoch = cache.epoch().await.unwrap();
            upset(&service, restart).await;
            // Nobody used the connection meanwhile: that it is dead shows on the next call.
            let snapshot = in_time(cache.read(&key(round), &[])).await.unwrap();
            assert_eq!(snapshot.value, None, "the server was restarted");
            assert_ne!(snapshot.epoch, epoch, "another history");
        }
        assert_eq!(cache.stats().errors, 0);
        connections_are_bounded(&cache, 3).await;
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_dead_server_is_an_error_at_once_and_the_first_call_after_it_succeeds() {
        let (service, config) = start(Setup::Memcached);
        let cache = open(&config).await;
        service.kill();
        for n in 0..100 {
            assert_eq!(trouble(cache.read(&key(n), &[])).await, ErrorKind::Unavailable);
            let kind = trouble(cache.bump(&[larder_core::Tag::named("t")])).await;
            assert_eq!(kind, ErrorKind::Unavailable);
        }
        service.server(0).start().unwrap();
        in_time(cache.put(&key(0), "value".into(), ttl())).await.unwrap();
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_lease_from_before_a_restart_does_not_fill() {
        let (service, config) = start(Setup::Memcached);
        let cache = open(&config).await;
        let request = LeaseRequest::new(Duration::from_secs(60));
        let LeaseOutcome::Won(before) = cache.lease(&key(0), request).await.unwrap() else {
            panic!("nobody else loads");
        };
        upset(&service, restart).await;
        // The server counts from the beginning again, so the next lease may have the same number.
        let LeaseOutcome::Won(after) = cache.lease(&key(0), request).await.unwrap() else {
            panic!("nobody else loads");
        };
        let old = cache.fill(&key(0), &before, "old".into(), ttl()).await.unwrap();
        let new = cache.fill(&key(0), &after, "new".into(), ttl()).await.unwrap();
        assert_eq!((old, new), (FillOutcome::Refused, FillOutcome::Stored));
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_that_stands_still_is_given_up_in_time() {
        let (service, config) = start(Setup::Memcached);
        let cache = open(&config.with_time_limit(SHORT)).await;
        let put = async || in_time(cache.put(&key(0), "value".into(), ttl())).await.is_ok();
        eventually("a machine that is not too busy to store", put).await;
        let clock = SystemClock::new();
        service.pause();
        let before = clock.now();
        assert_eq!(trouble(cache.read(&key(0), &[])).await, ErrorKind::Timeout);
        assert!(clock.now().since(before) >= SHORT / 2, "given up too early");
        // From here on no connection can be made, either.
        for _ in 0..3 {
            assert_eq!(trouble(cache.read(&key(0), &[])).await, ErrorKind::Timeout);
        }
        service.resume();
        eventually("an answer after the pause", async || {
            let read = in_time(cache.read(&key(0), &[])).await;
            read.is_ok_and(|snapshot| {
                assert!(snapshot.value.is_some(), "nothing was lost");
                true
            })
        })
        .await;
    }

    /// Tasks that read all the time, across restarts and pauses: every call ends, whoever calls
    /// when the server is back is answered, and connections are closed before new ones are made.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs a live service"]
    async fn readers_survive_everything_on_a_bounded_number_of_connections() {
        let (service, config) = start(Setup::Memcached);
        let cache = open(&config).await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let answers = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..64)
            .map(|n| {
                let (cache, stopped) = (Arc::clone(&cache), stopped.clone());
                let answers = Arc::clone(&answers);
                tokio::spawn(async move {
                    while !*stopped.borrow() {
                        match in_time(cache.read(&key(n), &[])).await {
                            Ok(_) => _ = answers.fetch_add(1, SeqCst),
                            Err(error) => assert!(error.is_retryable(), "{error}"),
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for round in 0..4 {
            upset(&service, move |service| match round % 2 {
                0 => restart(service),
                _ => {
                    service.pause();
                    service.resume();
                }
            })
            .await;
            // Whatever the readers found while the server was away.
            in_time(cache.put(&key(0), "value".into(), ttl())).await.unwrap();
            let enough = answers.load(SeqCst) + 300;
            eventually("readers are answered", async || answers.load(SeqCst) >= enough).await;
        }
        connections_are_bounded(&cache, 4).await;
        stop.send(true).unwrap();
        for reader in readers {
            reader.await.unwrap();
        }
    }
}

mod memcached_fleet {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_server_that_is_away_takes_only_its_own_keys_along() {
        let (service, config) = start(Setup::MemcachedFleet);
        let cache = open(&config).await;
        let keys: Vec<_> = (0..90).map(key).collect();
        for key in &keys {
            cache.put(key, "value".into(), ttl()).await.unwrap();
        }
        service.server(1).kill();
        let mut away = Vec::new();
        for key in &keys {
            match in_time(cache.read(key, &[])).await {
                Ok(snapshot) => assert!(snapshot.value.is_some(), "its server is there"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unavailable);
                    away.push(*key);
                }
            }
        }
        assert!((10..60).contains(&away.len()), "{} of 90 keys", away.len());
        let requests: Vec<_> = keys.iter().map(|key| ReadRequest { key, tags: &[] }).collect();
        let found = in_time(cache.read_many(&requests)).await.unwrap();
        let misses = found.iter().filter(|snapshot| snapshot.value.is_none());
        assert_eq!(misses.count(), away.len(), "the others are answered");
        let advice = cache.health().await.unwrap().advice;
        assert!(advice.iter().any(|advice| advice.contains("does not answer")), "{advice:?}");

        service.server(1).start().unwrap();
        for key in &keys {
            let found = in_time(cache.read(key, &[])).await.unwrap().value;
            assert_eq!(found.is_none(), away.contains(key), "no key has moved");
        }
    }

    #[tokio::test]
    #[ignore = "needs a live service"]
    async fn a_fleet_of_which_one_is_away_can_be_opened() {
        let (service, config) = start(Setup::MemcachedFleet);
        service.server(2).kill();
        let cache = open(&config).await;
        let mut stored = 0;
        for n in 0..30 {
            stored += usize::from(cache.put(&key(n), "value".into(), ttl()).await.is_ok());
        }
        assert!((1..30).contains(&stored), "{stored} of 30");
        service.server(2).start().unwrap();
        for n in 0..30 {
            in_time(cache.put(&key(n), "value".into(), ttl())).await.unwrap();
        }
    }
}
