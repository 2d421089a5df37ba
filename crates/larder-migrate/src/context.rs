//! What all operations of a migrator share: the way to the database, options, kept connections.
//!
//! Invariant: a connection is kept only after an operation that ended well. One whose operation
//! failed or was dropped is closed, which rolls back and gives up all locks.

use std::{fmt, sync::Arc};

use larder_model::Dialect;
use rand::RngExt as _;
use tokio::{
    sync::{Mutex, OnceCell, OwnedMutexGuard},
    time,
};

use crate::{
    Connector, MigrateError, MigrateOptions, Session, SessionError, SessionErrorKind,
    error::CONNECT, hex, lock::Waiting, registry::Names,
};

type Slot = Arc<Mutex<Option<Box<dyn Session>>>>;

/// What all operations of a migrator share.
pub(crate) struct Context {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) options: MigrateOptions,
    pub(crate) me: Me,
    /// The connection for everything that may take a while.
    work: Slot,
    /// The connection for the signal, which waits for no migration.
    watch: Slot,
    pub(crate) identity: OnceCell<String>,
}

/// Who this migrator is.
#[derive(Clone, Debug)]
pub(crate) struct Me {
    pub(crate) owner: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
}

/// A connection that nobody else of this process uses meanwhile.
#[derive(Debug)]
pub(crate) struct Seat {
    slot: OwnedMutexGuard<Option<Box<dyn Session>>>,
    pub(crate) session: Box<dyn Session>,
}

impl Context {
    pub(crate) fn new(connector: Arc<dyn Connector>, options: MigrateOptions) -> Self {
        Self {
            connector,
            options,
            me: Me::new(),
            work: Slot::default(),
            watch: Slot::default(),
            identity: OnceCell::new(),
        }
    }

    pub(crate) fn names(&self, dialect: Dialect) -> Names {
        Names::new(dialect, &self.options)
    }

    /// The connection for work. Others of this process wait for it as they would for another
    /// process's lock.
    pub(crate) async fn work(&self) -> Result<Seat, MigrateError> {
        let begun = self.options.clock.now();
        let slot = Arc::clone(&self.work).lock_owned();
        let Ok(slot) = time::timeout(self.options.lock_timeout, slot).await else {
            let waited = self.options.clock.now().since(begun);
            return Err(MigrateError::LockHeld { holder: None, waited });
        };
        self.seat(slot).await
    }

    /// The connection for the signal.
    pub(crate) async fn watch(&self) -> Result<Seat, MigrateError> {
        let slot = Arc::clone(&self.watch).lock_owned().await;
        self.seat(slot).await
    }

    async fn seat(
        &self,
        mut slot: OwnedMutexGuard<Option<Box<dyn Session>>>,
    ) -> Result<Seat, MigrateError> {
        match slot.take() {
            Some(session) => Ok(Seat { slot, session }),
            None => {
                let session = self.open().await?;
                Ok(Seat { slot, session })
            }
        }
    }

    /// A new connection. A server that has no room for it is asked again until the deadline for
    /// locks, because many replicas that start at once end their connections soon.
    pub(crate) async fn open(&self) -> Result<Box<dyn Session>, MigrateError> {
        let mut waiting = Waiting::new(&self.options);
        loop {
            let error = match self.connector.connect().await {
                Ok(mut session) => {
                    self.names(session.dialect()).check()?;
                    let ready = self.make_ready(&mut *session).await;
                    ready.map_err(MigrateError::session("set a connection up"))?;
                    return Ok(session);
                }
                Err(error) => error,
            };
            if !is_overload(&error) || waiting.is_over() {
                return Err(MigrateError::session(CONNECT)(error));
            }
            waiting.pause().await;
        }
    }

    async fn make_ready(&self, session: &mut dyn Session) -> Result<(), SessionError> {
        let seconds = self.options.statement_lock_timeout.as_millis().div_ceil(1000).max(1);
        let waits = format!(
            "SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
        );
        match session.dialect() {
            // How long a statement may take is for whoever starts the migration to say.
            Dialect::MariaDb => session.run(&format!("{waits}, max_statement_time = 0")).await,
            Dialect::MySql => session.run(&format!("{waits}, max_execution_time = 0")).await,
            Dialect::Sqlite => {
                // Short, so that the deadline is kept by the loop around it; and without the
                // actions of foreign keys, because a table that is rebuilt is dropped once, and
                // would take its children along.
                let millis = self.options.lock_timeout.as_millis().clamp(1, 250);
                session.run(&format!("PRAGMA busy_timeout = {millis}")).await?;
                session.run("PRAGMA foreign_keys = OFF").await
            }
            // PostgreSQL's settings are made for each transaction, where a pooler keeps them.
            _ => Ok(()),
        }
    }
}

impl Seat {
    /// Keeps the connection for the next operation.
    pub(crate) fn keep(self) {
        let Self { mut slot, session, .. } = self;
        *slot = Some(session);
    }
}

/// Whether the server only has no room for another connection now.
fn is_overload(error: &SessionError) -> bool {
    matches!(error.code(), Some("53300" | "57P03" | "1040" | "1203" | "08004"))
        || error.kind() == SessionErrorKind::Busy
}

impl Me {
    fn new() -> Self {
        let random: [u8; 16] = rand::rng().random();
        Self { owner: hex(&random), host: host(), pid: std::process::id() }
    }

    pub(crate) fn executor(&self) -> String {
        let text = format!("{}@{}", self.pid, self.host);
        text.chars().take(255).collect()
    }
}

/// The host's name, for people; empty if nobody knows it.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let name = name.or_else(|_| std::env::var("HOSTNAME"));
    let name = name.or_else(|_| std::env::var("COMPUTERNAME")).unwrap_or_default();
    name.trim().chars().take(255).collect()
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a connector prints is its own affair, and may be a password.
        f.debug_struct("Context").field("options", &self.options).finish_non_exhaustive()
    }
}
