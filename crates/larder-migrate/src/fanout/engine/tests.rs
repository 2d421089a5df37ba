//! Tenants that only count: order, bounds, canaries, stops and resumption.

use std::{
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use larder_testkit::ManualClock;
use tokio::sync::Notify;

use super::*;
use crate::{Connector, MigrateOptions, Session, SessionError, SessionErrorKind};

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Connector for Nowhere {
    async fn connect(&self) -> Result<Box<dyn Session>, SessionError> {
        Err(SessionError::new(SessionErrorKind::Unsupported, None, None))
    }
}

/// Work that notes who is worked on, and waits until it is let go.
#[derive(Default)]
struct Noting {
    worked_on: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
    /// How many may end.
    go: Option<Arc<Semaphore>>,
    came: Notify,
}

#[async_trait]
impl Work for Noting {
    async fn work(&self, tenant: &Tenant) -> Done {
        self.worked_on.lock().unwrap().push(tenant.name.clone());
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.came.notify_one();
        match &self.go {
            Some(go) => go.acquire().await.unwrap().forget(),
            None => tokio::task::yield_now().await,
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        let outcome = match tenant.name.as_str() {
            name if name.starts_with("bad") => TenantOutcome::Failed { error: "bad".to_owned() },
            name if name.starts_with("panic") => panic!("as told"),
            _ => TenantOutcome::Migrated { steps: 1 },
        };
        (outcome, None)
    }
}

/// Tenants one after the other, and how many were asked for.
struct Tenants(std::vec::IntoIter<Tenant>, Arc<AtomicUsize>);

impl Stream for Tenants {
    type Item = Tenant;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Tenant>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        std::task::Poll::Ready(self.0.next())
    }
}

fn tenant(name: impl Into<String>) -> Tenant {
    Tenant::new(name, Arc::new(Nowhere))
}

fn tenants(names: &[&str]) -> Vec<Tenant> {
    names.iter().copied().map(tenant).collect()
}

fn many(prefix: &str, count: usize) -> Vec<Tenant> {
    (0..count).map(|number| tenant(format!("{prefix}{number}"))).collect()
}

fn number(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

fn options() -> FanOutOptions {
    let migrate = MigrateOptions::default().with_clock(ManualClock::new());
    FanOutOptions::default().with_canaries(0).with_migrate(migrate)
}

async fn run_with(
    options: &FanOutOptions,
    work: Arc<Noting>,
    tenants: Vec<Tenant>,
    state: Option<(StateFile, State)>,
) -> FanOutSummary {
    let tenants = Tenants(tenants.into_iter(), Arc::default());
    let engine = Engine::new(options, work, &|_| {}, state);
    engine.run(pin!(tenants)).await.unwrap()
}

async fn run(options: &FanOutOptions, tenants: Vec<Tenant>) -> (FanOutSummary, Arc<Noting>) {
    let work = Arc::new(Noting::default());
    (run_with(options, Arc::clone(&work), tenants, None).await, work)
}

#[tokio::test]
async fn every_tenant_is_worked_on_and_never_too_many_at_once() {
    let options = options().with_parallelism(number(3));
    let (summary, work) = run(&options, many("t", 50)).await;
    assert_eq!((summary.migrated, summary.failed), (50, 0));
    assert!(summary.is_ok());
    assert_eq!(work.worked_on.lock().unwrap().len(), 50);
    assert_eq!(work.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn one_host_is_not_asked_too_much_and_does_not_hold_up_another() {
    let options = options().with_parallelism(number(4)).with_parallelism_per_host(number(1));
    let mut all: Vec<_> = many("a", 6).into_iter().map(|of| of.with_host("a")).collect();
    all.push(tenant("b0").with_host("b"));
    let go = Arc::new(Semaphore::new(0));
    let work = Arc::new(Noting { go: Some(Arc::clone(&go)), ..Noting::default() });
    let running = tokio::spawn({
        let work = Arc::clone(&work);
        async move { run_with(&options, work, all, None).await }
    });
    while work.worked_on.lock().unwrap().len() < 2 {
        work.came.notified().await;
    }
    assert_eq!(*work.worked_on.lock().unwrap(), ["a0", "b0"]);
    go.add_permits(7);
    assert_eq!(running.await.unwrap().migrated, 7);
    assert_eq!(work.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nobody_is_touched_before_the_canaries_have_succeeded() {
    let options = options().with_canaries(2);
    let (summary, work) = run(&options, tenants(&["good", "bad", "other"])).await;
    assert_eq!(summary.stopped, Some(FanOutStop::Canary));
    assert_eq!((summary.migrated, summary.failed), (1, 1));
    assert_eq!(summary.errors[0].tenant, "bad");
    assert_eq!(*work.worked_on.lock().unwrap(), ["good", "bad"]);

    let (summary, _) = run(&options, tenants(&["good", "fine", "bad"])).await;
    assert_eq!((summary.stopped, summary.migrated, summary.failed), (None, 2, 1));
    assert!(!summary.is_ok());
}

#[tokio::test]
async fn it_stops_after_so_many_errors_and_finishes_what_it_began() {
    let options = options().with_parallelism(number(1)).with_errors_max(number(2));
    let (summary, work) = run(&options, many("bad", 100)).await;
    assert_eq!(summary.stopped, Some(FanOutStop::Errors));
    let begun = work.worked_on.lock().unwrap().len();
    assert_eq!(summary.failed, begun);
    assert!((2..100).contains(&begun), "{begun}");
}

#[tokio::test]
async fn the_stream_is_read_as_places_become_free() {
    let go = Arc::new(Semaphore::new(0));
    let work = Arc::new(Noting { go: Some(Arc::clone(&go)), ..Noting::default() });
    let read = Arc::<AtomicUsize>::default();
    let running = tokio::spawn({
        let (work, read) = (Arc::clone(&work), Arc::clone(&read));
        async move {
            let options = options().with_parallelism(number(2));
            let tenants = Tenants(many("t", 1_000).into_iter(), read);
            let engine = Engine::new(&options, work, &|_| {}, None);
            engine.run(pin!(tenants)).await.unwrap()
        }
    });
    while work.worked_on.lock().unwrap().len() < 2 {
        work.came.notified().await;
    }
    assert!(read.load(Ordering::SeqCst) <= 2 * (1 + WAITING));
    go.add_permits(1_000);
    assert_eq!(running.await.unwrap().migrated, 1_000);
}

#[tokio::test]
async fn two_tenants_of_one_name_are_an_error() {
    let (summary, work) = run(&options(), tenants(&["one", "one"])).await;
    assert_eq!((summary.migrated, summary.failed), (1, 1));
    assert_eq!(work.worked_on.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn work_that_panics_fails_its_tenant_only() {
    let (summary, _) = run(&options(), tenants(&["panic", "good"])).await;
    assert_eq!((summary.migrated, summary.failed), (1, 1));
    assert_eq!(summary.errors[0].tenant, "panic");
}

#[tokio::test]
async fn a_run_that_is_resumed_leaves_out_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path(), "release-7").unwrap();
    let load = || file.load("release-7", "models").unwrap();
    let all = || tenants(&["one", "bad", "two"]);

    let work = Arc::<Noting>::default();
    let state = Some((file.clone(), load()));
    let first = run_with(&options(), Arc::clone(&work), all(), state).await;
    assert_eq!((first.migrated, first.failed, first.resumed), (2, 1, 0));
    assert_eq!(load().done.into_iter().collect::<Vec<_>>(), ["one", "two"]);

    let work = Arc::<Noting>::default();
    let state = Some((file.clone(), load()));
    let second = run_with(&options(), Arc::clone(&work), all(), state).await;
    assert_eq!((second.migrated, second.failed, second.resumed), (0, 1, 2));
    assert_eq!(second.run.as_deref(), Some("release-7"));
    assert_eq!(*work.worked_on.lock().unwrap(), ["bad"], "what failed is tried again");

    let error = file.load("release-7", "other models").unwrap_err();
    assert!(matches!(error, FanOutError::OtherModels { .. }));
    for name in ["", "../x", "a b", ".hidden"] {
        assert!(StateFile::new(folder.path(), name).is_err(), "{name:?}");
    }
}

#[test]
fn a_summary_survives_json_and_reads_well() {
    let mut summary = FanOutSummary { stopped: Some(FanOutStop::Errors), ..Default::default() };
    summary.add(&at_once("a".to_owned(), TenantOutcome::Migrated { steps: 2 }));
    summary.add(&at_once("b".to_owned(), TenantOutcome::Failed { error: "no".to_owned() }));
    let json = serde_json::to_string(&summary).unwrap();
    assert!(json.contains(r#""outcome":{"outcome":"failed","error":"no"}"#), "{json}");
    assert_eq!(serde_json::from_str::<FanOutSummary>(&json).unwrap(), summary);
    assert_eq!(summary.to_string(), "1 migrated, 0 unchanged, 1 failed; stopped: too many errors");
}
