//! The call that creates or joins, and the guard that it gives.

use std::{
    convert::Infallible,
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::rig::{Rig, Shorthand as _};
use crate::{
    AcquireError, AcquireOptions, DestroyError, Error, Released, Shared, SharedRegistry, State,
    Update,
};

/// Longer than any of these tests may take, on any machine.
const LONG: Duration = Duration::from_secs(60);

async fn acquire(registry: &SharedRegistry, resource_id: &str) -> Result<Shared, AcquireError> {
    let made = ready(Ok::<_, Infallible>(resource_id.to_owned()));
    registry.acquire("k", |_| made, LONG).await
}

/// Waits until something that happens in the background has happened.
async fn eventually(mut check: impl FnMut() -> bool) {
    let deadline = tokio::time::timeout(LONG, async {
        while !check() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    deadline.await.expect("it should have happened by now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_one_creation() {
    let rig = Rig::new();
    let made = Arc::new(AtomicU32::new(0));
    let callers = (1..=16).map(|pid| {
        let (registry, made) = (rig.start(pid), Arc::clone(&made));
        tokio::spawn(async move {
            let create = async |creator: crate::Creator| {
                tokio::task::yield_now().await;
                made.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Infallible>(format!("c-{}", creator.fence()))
            };
            registry.acquire("k", create, LONG).await.unwrap()
        })
    });
    let mut guards = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        guards.push(caller.await.unwrap());
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert!(guards.iter().all(|guard| guard.resource_id() == guards[0].resource_id()));
    let observer = rig.start(99);
    assert_eq!(observer.see("k").usage, 16);
    drop(guards);
    eventually(|| observer.see("k").usage == 0).await;
    // The last drop began to drain and deleted nothing: the next creator hears of it.
    let leftover = Arc::new(Mutex::new(None));
    let told = Arc::clone(&leftover);
    let create = |creator: crate::Creator| {
        *told.lock().unwrap() = creator.leftover().map(str::to_owned);
        ready(Ok::<_, Infallible>("new".to_owned()))
    };
    let guard = observer.acquire("k", create, LONG).await.unwrap();
    assert_eq!(leftover.lock().unwrap().as_deref(), Some("c-1"));
    assert_eq!(guard.to_string(), "cluster \"k\": new");
}

#[tokio::test]
async fn the_last_one_deletes_while_others_wait_and_create_anew() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let guard = acquire(&a, "c-1").await.unwrap();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let deletion = tokio::spawn(guard.release_with(async |id| {
        assert_eq!(id, "c-1");
        begun.send(()).unwrap();
        finished.await
    }));
    has_begun.await.unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let options = AcquireOptions::new(LONG).with_observer(move |waiting| {
        log.lock().unwrap().push((waiting.state, waiting.owner.as_ref().map(|owner| owner.pid)));
    });
    let waiter = tokio::spawn(async move {
        let made = ready(Ok::<_, Infallible>("c-2".to_owned()));
        b.acquire_with("k", |_| made, options).await.unwrap()
    });
    eventually(|| !heard.lock().unwrap().is_empty()).await;
    finish.send(()).unwrap();
    assert!(deletion.await.unwrap().unwrap());
    let guard = waiter.await.unwrap();
    assert_eq!(guard.resource_id(), "c-2");
    assert_eq!(*heard.lock().unwrap(), [(State::Draining, Some(1))]);
    let second = acquire(&a, "unused").await.unwrap();
    assert!(!guard.release_with(|_| ready(Ok::<_, Infallible>(()))).await.unwrap());
    assert!(matches!(second.release().await.unwrap(), Released::Last(_)));
}

#[tokio::test]
async fn a_creation_that_fails_is_told_to_the_caller_and_to_those_who_wait() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let creation = a.create("k");
    let waiter = tokio::spawn(async move { acquire(&b, "c-1").await });
    let observer = rig.start(3);
    a.update_status("k", creation.fence, Update::Failed { error: "quota" }).unwrap();
    match waiter.await.unwrap() {
        Err(AcquireError::Failed { error, .. }) => assert_eq!(error, "quota"),
        // It came after the failure, and tried for itself.
        Ok(guard) => drop(guard),
        Err(other) => panic!("{other:?}"),
    }
    let failing = a.acquire("other", |_| ready(Err("no quota")), LONG).await;
    let Err(AcquireError::Create { source, .. }) = failing else { panic!("{failing:?}") };
    assert_eq!(source.to_string(), "no quota");
    assert_eq!(observer.see("other").error.as_deref(), Some("no quota"));
}

#[tokio::test]
async fn waiting_ends_at_its_time_limit_and_says_for_whom_it_was() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    a.create("k");
    let made = ready(Ok::<_, Infallible>("c".to_owned()));
    let refused = b.acquire("k", |_| made, Duration::ZERO).await;
    let Err(AcquireError::TimedOut { waiting: Some(waiting), .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(waiting.owner.map(|owner| owner.pid), Some(1));
    let never = pending::<Result<String, Infallible>>();
    let refused = b.acquire("other", |_| never, Duration::from_millis(5)).await;
    assert!(matches!(refused, Err(AcquireError::TimedOut { waiting: None, .. })), "{refused:?}");
    assert_eq!(a.state("other"), Some(State::Failed));
}

#[tokio::test]
async fn a_call_that_goes_away_while_it_creates_leaves_a_failure() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let caller = tokio::spawn(async move {
        let create = async |creator: crate::Creator| {
            creator.note("half").await.unwrap();
            begun.send(()).unwrap();
            pending::<Result<String, Infallible>>().await
        };
        a.acquire("k", create, LONG).await
    });
    has_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    eventually(|| b.state("k") == Some(State::Failed)).await;
    assert_eq!(b.create("k").leftover.as_deref(), Some("half"));
}

#[tokio::test]
async fn a_creation_that_panics_leaves_a_failure() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let caller = tokio::spawn(async move {
        let create = async |_| -> Result<String, Infallible> { panic!("planned") };
        a.acquire("k", create, LONG).await
    });
    assert!(caller.await.unwrap_err().is_panic());
    eventually(|| b.state("k") == Some(State::Failed)).await;
}

#[tokio::test]
async fn a_creator_that_was_taken_over_gets_its_id_back_to_delete() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let other = b.clone();
    let create = async |_| {
        rig.kill(1);
        other.create_ready("k", "second");
        Ok::<_, Infallible>("first".to_owned())
    };
    let refused = a.acquire("k", create, LONG).await;
    let Err(AcquireError::NotRecorded { resource_id, source, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(resource_id, "first");
    assert!(matches!(source, Error::Fenced { .. }));
    assert_eq!(b.see("k").resource_id.as_deref(), Some("second"));
}

#[tokio::test]
async fn a_deletion_that_fails_leaves_the_thing_to_the_next_creator() {
    let rig = Rig::new();
    let [a, b] = [1, 2].map(|pid| rig.start(pid));
    let guard = acquire(&a, "c-1").await.unwrap();
    let failed = guard.release_with(|_| ready(Err("busy"))).await;
    assert!(matches!(failed, Err(DestroyError::Destroy { .. })), "{failed:?}");
    let info = b.see("k");
    assert_eq!((info.state, info.error.as_deref()), (State::Failed, Some("busy")));
    let drain = b.drain("k").unwrap().unwrap();
    b.destroy(drain, |id| ready(if id == "c-1" { Ok(()) } else { Err("what?") })).await.unwrap();
    assert_eq!(b.state("k"), Some(State::Gone));
}

#[tokio::test]
async fn guards_say_that_they_live_and_notice_that_they_do_not() {
    let rig = Rig::new();
    let options = Rig::options().with_heartbeat(Duration::from_millis(1));
    let a = rig.start_with(1, options);
    let guard = acquire(&a, "c-1").await.unwrap();
    let joined_at = a.see("k").holders[0].heartbeat_at_ms;
    rig.advance(Duration::from_secs(7));
    eventually(|| a.see("k").holders[0].heartbeat_at_ms == joined_at + 7_000).await;
    assert!(guard.is_current());
    assert!(a.remove("k").unwrap());
    eventually(|| !guard.is_current()).await;
    assert_eq!(guard.release().await.unwrap(), Released::NotHeld);
}

#[tokio::test]
async fn a_creation_is_kept_alive_as_long_as_it_may_take_and_no_longer() {
    let rig = Rig::new();
    let options = Rig::options().with_heartbeat(Duration::from_millis(1));
    let (a, b) = (rig.start_with(1, options), rig.start(2));
    let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let creator = tokio::spawn(async move {
        let create = async |creator: crate::Creator| {
            begun.send(creator.fence()).unwrap();
            goes_on.await.map(|()| "c-1".to_owned())
        };
        a.acquire("k", create, LONG).await
    });
    let fence = has_begun.await.unwrap();
    let lease = || b.see("k").lease_until_ms.unwrap();
    let at_first = lease();
    rig.advance(Duration::from_secs(50));
    eventually(|| lease() == at_first + 50_000).await;
    // Beyond the minute that it may take it is not renewed, and so can be taken over.
    rig.advance(Duration::from_secs(61));
    assert_eq!(lease(), at_first + 50_000);
    assert!(b.create("k").fence > fence);
    go_on.send(()).unwrap();
    let refused = creator.await.unwrap();
    assert!(matches!(refused, Err(AcquireError::NotRecorded { .. })), "{refused:?}");
}

#[test]
fn a_guard_that_outlives_its_runtime_still_gives_back() {
    let rig = Rig::new();
    let a = rig.start(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let guard = runtime.block_on(acquire(&a, "c-1")).unwrap();
    drop(runtime);
    drop(guard);
    assert_eq!(a.see("k").usage, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let guard = acquire(&a, "c-2").await.unwrap();
        // Never run to its end: the runtime goes first.
        tokio::spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
    });
    drop(runtime);
    assert_eq!(a.see("k").usage, 0);
}
