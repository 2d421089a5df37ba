//! What the tests share: a file, a clock, and processes that live and die on command.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use larder_sqlite_file::rusqlite::{Connection, Params};
use larder_testkit::ManualClock;
use tempfile::TempDir;

use super::super::process::{Liveness, Processes};
use crate::{
    ClusterFile, ClusterFileOptions, Creation, Hold, Process, Registration, SharedInfo,
    SharedOptions, SharedRegistry, State,
};

/// The lease of every registry here.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// The time after which a holder that can not be judged counts no more.
pub(crate) const EXPIRY: Duration = Duration::from_secs(30);

/// A file, a clock and some processes.
#[derive(Debug)]
pub(crate) struct Rig {
    // Dropped before the directory that the file lies in.
    pub(crate) file: ClusterFile,
    pub(crate) clock: Arc<ManualClock>,
    table: Arc<ProcessTable>,
    _directory: TempDir,
}

/// The processes that live: their numbers, with the start of each.
#[derive(Debug, Default)]
struct ProcessTable {
    living: Mutex<BTreeMap<u32, u64>>,
}

/// One process's view of the table.
#[derive(Debug)]
struct View {
    me: Process,
    table: Arc<ProcessTable>,
}

const BOOT: &str = "this boot";

impl Processes for View {
    fn me(&self) -> Process {
        self.me.clone()
    }

    fn liveness(&self, process: &Process) -> Liveness {
        if process.boot.as_deref() != Some(BOOT) {
            return Liveness::Unknown;
        }
        let living = self.table.living.lock().unwrap();
        match living.get(&process.pid) {
            Some(start) if Some(*start) == process.start => Liveness::Alive,
            _ => Liveness::Dead,
        }
    }

    fn former_liveness(&self, pid: u32, _at_ms: i64) -> Liveness {
        let living = self.table.living.lock().unwrap();
        if living.contains_key(&pid) { Liveness::Alive } else { Liveness::Dead }
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(crate) fn with(configure: impl FnOnce(ClusterFileOptions) -> ClusterFileOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new();
        let options = ClusterFileOptions::new(directory.path().join("clusters.db"))
            .with_clock(Arc::<ManualClock>::clone(&clock));
        let file = ClusterFile::open(configure(options)).unwrap();
        Self { file, clock, table: Arc::default(), _directory: directory }
    }

    pub(crate) fn options() -> SharedOptions {
        SharedOptions::default().with_lease(LEASE).with_holder_expiry(EXPIRY)
    }

    /// Starts a process; one of the same number that lived is dead then.
    pub(crate) fn start(&self, pid: u32) -> SharedRegistry {
        self.start_with(pid, Self::options())
    }

    pub(crate) fn start_with(&self, pid: u32, options: SharedOptions) -> SharedRegistry {
        let mut living = self.table.living.lock().unwrap();
        let start = living.get(&pid).map_or(1, |start| start + 1);
        living.insert(pid, start);
        self.registry(Process { pid, boot: Some(BOOT.into()), start: Some(start) }, options)
    }

    /// Starts a process that nobody else can look at.
    pub(crate) fn start_elsewhere(&self, pid: u32) -> SharedRegistry {
        let boot = Some("another boot".into());
        self.registry(Process { pid, boot, start: Some(1) }, Self::options())
    }

    fn registry(&self, me: Process, options: SharedOptions) -> SharedRegistry {
        let view = View { me, table: Arc::clone(&self.table) };
        SharedRegistry::with_processes(self.file.clone(), options, Box::new(view))
    }

    pub(crate) fn kill(&self, pid: u32) {
        self.table.living.lock().unwrap().remove(&pid);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A statement of the former tool.
    pub(crate) fn former(&self, statement: &str, parameters: impl Params) {
        self.file.store().write(|tx| Ok(tx.execute(statement, parameters)?)).unwrap();
    }

    /// What the former tool sees: status, cluster, process and count.
    pub(crate) fn seen_by_former(&self, key: &str) -> Option<FormerView> {
        self.file.store().read(|connection| Ok(former_view(connection, key))).unwrap()
    }
}

pub(crate) type FormerView = (String, Option<String>, Option<u32>, i64);

fn former_view(connection: &Connection, key: &str) -> Option<FormerView> {
    let mut select = connection
        .prepare(
            "SELECT status, cluster_id, worker_pid, usage_count
             FROM shared_cluster_registry WHERE config_hash = ?1",
        )
        .unwrap();
    let mut rows = select
        .query_map([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap();
    rows.next().map(Result::unwrap)
}

/// What tests say most.
pub(crate) trait Shorthand {
    fn create(&self, key: &str) -> Creation;
    fn create_ready(&self, key: &str, resource_id: &str) -> Creation;
    fn enter(&self, key: &str) -> Hold;
    fn see(&self, key: &str) -> SharedInfo;
    fn state(&self, key: &str) -> Option<State>;
}

impl Shorthand for SharedRegistry {
    #[track_caller]
    fn create(&self, key: &str) -> Creation {
        match self.register_creation(key).unwrap() {
            Registration::Creator(creation) => creation,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn create_ready(&self, key: &str, resource_id: &str) -> Creation {
        let creation = self.create(key);
        let ready = crate::Update::Ready { resource_id };
        self.update_status(key, creation.fence, ready).unwrap();
        creation
    }

    #[track_caller]
    fn enter(&self, key: &str) -> Hold {
        match self.register_creation(key).unwrap() {
            Registration::Ready(hold) => hold,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn see(&self, key: &str) -> SharedInfo {
        self.info(key).unwrap().unwrap()
    }

    fn state(&self, key: &str) -> Option<State> {
        self.info(key).unwrap().map(|info| info.state)
    }
}
