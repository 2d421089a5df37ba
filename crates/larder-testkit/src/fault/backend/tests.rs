//! Every fault on real calls of the reference backend.

use futures_util::StreamExt as _;
use larder_core::{LeaseToken, MemoryBackend, MemoryConfig, WatchEvent};

use crate::{ManualClock, interrupt};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn tormented() -> (FaultBackend, Faults, Key, Ttl) {
    let memory = MemoryBackend::new(MemoryConfig::default().with_clock(ManualClock::new()));
    let backend = FaultBackend::new(Arc::new(memory));
    let faults = backend.faults();
    (backend, faults, Key::object("k"), Ttl::new(MINUTE).unwrap())
}

fn kind<T: fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn an_error_keeps_the_call_from_the_backend() {
    let (backend, faults, key, ttl) = tormented();
    faults.set(Operation::Put, Fault::Error(ErrorKind::NoSpace));
    for _ in 0..2 {
        let result = backend.put(&key, "v".into(), ttl).await;
        assert_eq!(kind(result), ErrorKind::NoSpace);
    }
    assert_eq!(backend.read(&key, &[]).await.unwrap().value, None);
    faults.clear();
    backend.put(&key, "v".into(), ttl).await.unwrap();
    assert_eq!(faults.calls(Operation::Put), 3);
    assert_eq!(faults.calls(Operation::Read), 1);
    assert_eq!(faults.calls(Operation::Bump), 0);
}

#[tokio::test]
async fn a_lost_answer_has_taken_effect() {
    let (backend, faults, key, ttl) = tormented();
    faults.set_next(Operation::Put, Fault::Lost(ErrorKind::Timeout), 1);
    let result = backend.put(&key, "v".into(), ttl).await;
    assert_eq!(kind(result), ErrorKind::Timeout);
    assert!(backend.read(&key, &[]).await.unwrap().value.is_some());
    backend.put(&key, "w".into(), ttl).await.unwrap();
}

#[tokio::test]
async fn a_call_hangs_until_it_is_released() {
    let (backend, faults, key, ttl) = tormented();
    for (fault, effect) in [(Fault::Hang, false), (Fault::HangAfter, true)] {
        backend.remove(&key).await.unwrap();
        faults.set_next(Operation::Put, fault, 1);
        let arrived = faults.calls(Operation::Put) + 1;
        let hanging = {
            let backend = backend.clone();
            tokio::spawn(async move { backend.put(&key, "v".into(), ttl).await })
        };
        faults.reached(Operation::Put, arrived).await;
        let stored = backend.read(&key, &[]).await.unwrap().value.is_some();
        assert_eq!(stored, effect, "{fault:?}");
        assert!(!hanging.is_finished(), "{fault:?}");
        faults.lift(Operation::Put);
        hanging.await.unwrap().unwrap();
        assert!(backend.read(&key, &[]).await.unwrap().value.is_some());
    }
}

#[tokio::test]
async fn a_hanging_call_that_is_dropped_never_reaches_the_backend() {
    let (backend, faults, key, ttl) = tormented();
    faults.set(Operation::Put, Fault::Hang);
    let given_up = interrupt(backend.put(&key, "v".into(), ttl), 1).await;
    assert!(given_up.is_none());
    faults.clear();
    assert_eq!(backend.read(&key, &[]).await.unwrap().value, None);
}

#[tokio::test]
async fn refusing_is_the_verbs_own_no() {
    let (backend, faults, key, ttl) = tormented();
    for operation in [
        Operation::Add,
        Operation::Fill,
        Operation::Lease,
        Operation::Release,
        Operation::Remove,
        Operation::Renew,
        Operation::Touch,
    ] {
        faults.set(operation, Fault::Refuse);
    }
    let request = LeaseRequest::new(MINUTE);
    let lease = Lease { token: LeaseToken::random(), epoch: backend.epoch().await.unwrap() };
    let held = backend.lease(&key, request).await.unwrap();
    assert_eq!(held, LeaseOutcome::Held);
    let filled = backend.fill(&key, &lease, "v".into(), ttl).await.unwrap();
    assert_eq!(filled, FillOutcome::Refused);
    assert!(!backend.add(&key, "v".into(), ttl).await.unwrap());
    assert!(!backend.touch(&key, ttl).await.unwrap());
    assert!(!backend.renew(&key, &lease, MINUTE).await.unwrap());
    assert!(!backend.release(&key, &lease).await.unwrap());
    assert_eq!(kind(backend.remove(&key).await), ErrorKind::Unavailable);
    faults.clear();
    let won = backend.lease(&key, request).await.unwrap();
    assert!(matches!(won, LeaseOutcome::Won(_)));
}

#[tokio::test]
async fn an_open_feed_is_held_back_and_ends() {
    let (backend, faults, _, _) = tormented();
    let mut feed = backend.watch(ManualClock::new()).await.unwrap();
    let tags = vec![Tag::named("t")];
    faults.set(Operation::Watch, Fault::Hang);
    backend.bump(&tags).await.unwrap();
    assert!(interrupt(feed.next(), 1).await.is_none(), "held back");
    faults.lift(Operation::Watch);
    assert_eq!(feed.next().await, Some(WatchEvent::Bumped(tags.clone())));

    faults.set(Operation::Watch, Fault::Error(ErrorKind::Unavailable));
    backend.bump(&tags).await.unwrap();
    assert_eq!(feed.next().await, None);
}

#[tokio::test]
async fn display_shows_the_stack() {
    assert_eq!(tormented().0.to_string(), "fault(memory)");
}
