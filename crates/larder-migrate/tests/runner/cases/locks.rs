//! One at a time: who waits for whom, and for how long.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use larder_migrate::{MigrateError, Migrator, ModelRef, Standing};
use larder_model::Policy;
use rustix::process::Signal;
use tokio::sync::Semaphore;

use crate::{
    child::Child,
    support::{Scratch, Script, Scripted, alters, ensure_one, indexed, options, table, until},
};

/// Waits before the step that widens a table, until it is told to go on.
#[derive(Debug)]
struct Gate {
    arrived: Arc<Semaphore>,
    go_on: Arc<Semaphore>,
}

#[async_trait]
impl Script for Gate {
    async fn before(&self, sql: &str) {
        if alters("airline", sql) {
            self.arrived.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
        }
    }
}

/// A run that holds the lock until it is told to go on.
struct Holder {
    run: tokio::task::JoinHandle<Result<Vec<Standing>, MigrateError>>,
    go_on: Arc<Semaphore>,
}

impl Holder {
    async fn begin(scratch: &Scratch, lease: Duration) -> Self {
        ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
        let (arrived, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let script = Gate { arrived: Arc::clone(&arrived), go_on: Arc::clone(&go_on) };
        let connector = Arc::new(Scripted::new(scratch.connector(), script));
        let migrator = Migrator::new(connector, options().with_lease(lease));
        let run = tokio::spawn(async move {
            let wide = table("airline", &["seats"]);
            migrator.ensure(&[ModelRef::new("Airline", &wide)], Policy::Additive).await
        });
        arrived.acquire().await.unwrap().forget();
        Self { run, go_on }
    }

    async fn end(self) -> Result<Vec<Standing>, MigrateError> {
        self.go_on.add_permits(1);
        self.run.await.unwrap()
    }
}

async fn wide_within(
    scratch: &Scratch,
    timeout: Duration,
    lease: Duration,
) -> Result<Vec<Standing>, MigrateError> {
    let options = options().with_lock_timeout(timeout).with_lease(lease);
    let wide = table("airline", &["seats"]);
    let models = [ModelRef::new("Airline", &wide)];
    scratch.migrator_with(options).ensure(&models, Policy::Additive).await
}

pub(crate) async fn a_waiting_run_names_the_holder_at_its_deadline(scratch: &Scratch) {
    let holder = Holder::begin(scratch, Duration::from_secs(60)).await;
    let timeout = Duration::from_secs(1);
    let waited = wide_within(scratch, timeout, Duration::from_secs(60)).await;
    let Err(MigrateError::LockHeld { holder: Some(named), waited }) = waited else {
        panic!("{waited:?}");
    };
    assert_eq!(named.pid, std::process::id());
    assert!(!named.is_expired && named.expires_us > named.acquired_us);
    assert!(waited >= timeout, "{waited:?}");
    assert_eq!(scratch.migrator().status().await.unwrap().lock, Some(*named.clone()));
    let unlocked = scratch.migrator().unlock_stale().await;
    assert!(matches!(unlocked, Err(MigrateError::LockHeld { .. })), "{unlocked:?}");
    let standings = holder.end().await.unwrap();
    assert!(matches!(standings[0], Standing::Migrated { .. }));
}

pub(crate) async fn a_lease_is_given_up_with_the_lock(scratch: &Scratch) {
    let migrator = scratch.migrator();
    for columns in [&[][..], &["a"][..], &["a", "b"][..]] {
        ensure_one(&migrator, "Airline", &table("airline", columns)).await;
        assert_eq!(migrator.status().await.unwrap().lock, None);
    }
    assert_eq!(migrator.unlock_stale().await.unwrap(), None);
    let rows = migrator.status().await.unwrap().migrations;
    let tokens: Vec<_> = rows.iter().map(|row| row.lock_token).collect();
    assert_eq!(tokens, [Some(1), Some(2), Some(3)]);
}

pub(crate) async fn a_second_run_waits_and_finds_the_work_done(scratch: &Scratch) {
    let holder = Holder::begin(scratch, Duration::from_secs(60)).await;
    let mut second =
        Box::pin(wide_within(scratch, Duration::from_secs(60), Duration::from_secs(60)));
    tokio::select! {
        ended = &mut second => panic!("it did not wait: {ended:?}"),
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
    }
    assert!(matches!(holder.end().await.unwrap()[0], Standing::Migrated { .. }));
    assert_eq!(second.await.unwrap(), [Standing::Verified]);
    assert_eq!(scratch.migrator().status().await.unwrap().migrations.len(), 2);
}

pub(crate) async fn a_killed_holder_makes_nobody_wait(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let mut child = Child::start(scratch, "hold", Duration::from_secs(600));
    child.stop_as_holder().await;
    child.signal(Signal::KILL);
    child.ended().await;
    // Far below the lease: a lock that is gone with its process needs no lease to end.
    let timeout = Duration::from_secs(30);
    let standings = wide_within(scratch, timeout, Duration::from_secs(600)).await.unwrap();
    assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:?}");
    let status = scratch.migrator().status().await.unwrap();
    assert_eq!(status.migrations.len(), 2);
    assert_eq!(status.lock, None);
}

pub(crate) async fn a_stopped_process_is_overtaken(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let lease = Duration::from_secs(2);
    let mut child = Child::start(scratch, "hold", lease);
    child.stop_as_holder().await;
    let standings = wide_within(scratch, Duration::from_secs(30), lease).await.unwrap();
    assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:?}");
    child.signal(Signal::KILL);
    child.ended().await;
    assert_eq!(scratch.migrator().status().await.unwrap().migrations.len(), 2);
}

pub(crate) async fn a_holder_that_comes_back_late_ends_with_an_error(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let lease = Duration::from_secs(2);
    let mut child = Child::start(scratch, "hold", lease);
    child.stop_as_holder().await;
    wide_within(scratch, Duration::from_secs(30), lease).await.unwrap();
    let migrations = scratch.migrator().status().await.unwrap().migrations;
    child.go_on().await;
    child.signal(Signal::CONT);
    let said = child.ended().await;
    assert!(said.contains("error=LockLost"), "{said}");
    let status = scratch.migrator().status().await.unwrap();
    assert_eq!(status.migrations, migrations, "the late holder wrote something");
    assert_eq!(status.lock, None);
}

pub(crate) async fn a_holder_at_work_is_left_alone(scratch: &Scratch) {
    let lease = Duration::from_secs(1);
    let holder = Holder::begin(scratch, lease).await;
    // Several leases long: only heartbeats tell that it is at work.
    let waited = wide_within(scratch, Duration::from_secs(4), lease).await;
    assert!(matches!(waited, Err(MigrateError::LockHeld { .. })), "{waited:?}");
    assert!(matches!(holder.end().await.unwrap()[0], Standing::Migrated { .. }));
    until("the lease is given up", async || {
        scratch.migrator().status().await.unwrap().lock.is_none()
    })
    .await;
}

/// A wait that blocks on the lock would hold a snapshot, which an index in the making waits for.
pub(crate) async fn an_index_is_built_while_others_wait(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &["seats"])).await;
    scratch.run("INSERT INTO airline (id, seats) VALUES (1, 2), (2, 3)").await;
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let migrator = scratch.migrator();
            tokio::spawn(async move {
                let indexed = indexed("airline", &["seats"], "seats");
                migrator.ensure(&[ModelRef::new("Airline", &indexed)], Policy::Safe).await
            })
        })
        .collect();
    let mut migrated = 0;
    for run in runs {
        let standing = run.await.unwrap().unwrap().remove(0);
        assert!(standing.is_ensured(), "{standing:#?}");
        migrated += usize::from(matches!(standing, Standing::Migrated { .. }));
    }
    assert_eq!(migrated, 1);
    assert_eq!(scratch.migrator().status().await.unwrap().migrations.len(), 2);
}

/// On a file nobody but the holder can end its transaction, so that a stopped one is waited for
/// until the deadline; and when it goes on, it ends well.
pub(crate) async fn a_stopped_process_is_named_and_goes_on(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let lease = Duration::from_secs(1);
    let mut child = Child::start(scratch, "hold", lease);
    child.stop_as_holder().await;
    let waited = wide_within(scratch, Duration::from_secs(2), lease).await;
    let Err(MigrateError::LockHeld { holder: Some(named), .. }) = waited else {
        panic!("{waited:?}");
    };
    assert_eq!(Some(named.pid), child.id());
    // Who only looks waits for nobody.
    let narrow = table("airline", &[]);
    let verified = scratch.migrator().verify(&[ModelRef::new("Airline", &narrow)]).await.unwrap();
    assert_eq!(verified, [Standing::Verified]);
    child.go_on().await;
    child.signal(Signal::CONT);
    let said = child.ended().await;
    assert!(said.contains("ok=true"), "{said}");
    assert_eq!(wide_within(scratch, lease, lease).await.unwrap(), [Standing::Verified]);
}

pub(crate) async fn a_busy_table_is_waited_for(scratch: &Scratch) {
    ensure_one(&scratch.migrator(), "Airline", &table("airline", &[])).await;
    let mut reader = scratch.session().await;
    reader.begin().await.unwrap();
    reader.fetch("SELECT name FROM airline", &[]).await.unwrap();
    let wide = wide_within(scratch, Duration::from_secs(60), Duration::from_secs(60));
    let mut wide = Box::pin(wide);
    tokio::select! {
        ended = &mut wide => panic!("the table was in use: {ended:?}"),
        // Longer than a statement waits, so that it has tried again.
        () = tokio::time::sleep(Duration::from_millis(2500)) => {}
    }
    // Others get at the table all the same, because the one that waits lets them pass.
    let others = tokio::time::timeout(
        Duration::from_secs(30),
        scratch.number("SELECT COUNT(*) FROM airline"),
    );
    let others = tokio::select! {
        ended = &mut wide => panic!("the table was in use: {ended:?}"),
        others = others => others,
    };
    assert_eq!(others, Ok(0));
    reader.commit().await.unwrap();
    let standings = wide.await.unwrap();
    assert!(matches!(standings[0], Standing::Migrated { .. }), "{standings:?}");
    let rows = scratch.migrator().status().await.unwrap().migrations;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert!(rows.iter().all(|row| row.status.is_done() && row.error.is_none()), "{rows:#?}");
}
