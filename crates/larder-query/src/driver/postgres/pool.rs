//! The connections.
//!
//! Guards that nobody gets a connection on which something is under way, or whose session is not
//! like the others, and that there are never more of them than allowed.
//!
//! The driver's own pool asks the server whenever a connection is given back, and by default
//! whenever one is taken. Both cost as much as a short statement. Here a connection says itself
//! whether it is in order: it is given back only after the server said that it is ready.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use larder_core::{Clock, SystemClock, Tick};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{error, session::Session};
use crate::{DatabaseOptions, QueryError};

/// A connection that was idle for longer is asked whether it is still there.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long the answer may take.
const PING_LIMIT: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is closed.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// A connection that was opened longer ago is closed, so that the server's memory of it is freed.
const LIFETIME_MAX: Duration = Duration::from_secs(1_800);

pub(super) struct Pool {
    connect: PgConnectOptions,
    acquire_timeout: Duration,
    connections_max: u32,
    permits: Arc<Semaphore>,
    /// The one that was given back last is taken first, so that those that are not needed grow
    /// old.
    idle: Mutex<Vec<Idle>>,
    clock: SystemClock,
    closed: AtomicBool,
    /// How often a statement may have changed the types of columns.
    changes: Arc<AtomicU64>,
    /// What decides about answers in the session of the first connection.
    fingerprint: OnceLock<String>,
    /// Whether all others had the same.
    is_uniform: AtomicBool,
}

struct Idle {
    session: Box<Session>,
    since: Tick,
}

impl Pool {
    pub(super) fn new(connect: PgConnectOptions, options: &DatabaseOptions) -> Self {
        let connections_max = options.connections_max.clamp(1, 1 << 16);
        Self {
            connect,
            acquire_timeout: options.acquire_timeout,
            connections_max,
            permits: Arc::new(Semaphore::new(connections_max as usize)),
            idle: Mutex::new(Vec::new()),
            clock: SystemClock::new(),
            closed: AtomicBool::new(false),
            changes: Arc::default(),
            fingerprint: OnceLock::new(),
            is_uniform: AtomicBool::new(true),
        }
    }

    pub(super) const fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    pub(super) const fn connections_max(&self) -> u32 {
        self.connections_max
    }

    /// Takes a connection, an idle one if there is one.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Checkout, QueryError> {
        let permit = self.permit().await?;
        while let Some(Idle { mut session, since }) = self.pop() {
            let idle_for = self.clock.now().since(since);
            if idle_for < TRUSTED_FOR
                || matches!(timeout(PING_LIMIT, session.ping()).await, Ok(Ok(())))
            {
                return Ok(Checkout::new(self, permit, session, true));
            }
        }
        let session = self.open().await?;
        Ok(Checkout::new(self, permit, session, false))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        let permits = || Arc::clone(&self.permits);
        let permit = match permits().try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(_none_free) => match timeout(self.acquire_timeout, permits().acquire_owned()).await
            {
                Ok(permit) => permit.map_err(|_closed| sqlx::Error::PoolClosed),
                Err(_elapsed) => Err(sqlx::Error::PoolTimedOut),
            },
        };
        match permit {
            Ok(_) if self.closed.load(Ordering::Acquire) => {
                Err(error::map(sqlx::Error::PoolClosed).into())
            }
            permit => permit.map_err(|source| error::map(source).into()),
        }
    }

    async fn open(&self) -> Result<Box<Session>, QueryError> {
        let opened = self.clock.now();
        let opening = Session::open(&self.connect, opened, &self.changes);
        let opening = timeout(self.acquire_timeout, opening).await;
        let Ok(opening) = opening else {
            let what = format!("the server did not answer within {:?}", self.acquire_timeout);
            let silent = io::Error::new(io::ErrorKind::TimedOut, what);
            return Err(error::map(sqlx::Error::Io(silent)).into());
        };
        let (session, fingerprint) = opening?;
        if *self.fingerprint.get_or_init(|| fingerprint.clone()) != fingerprint {
            // Somebody gave the role or the database other settings since the pool was opened.
            self.is_uniform.store(false, Ordering::Release);
        }
        Ok(Box::new(session))
    }

    /// What decides about answers in the session of the first connection; empty before there is
    /// one.
    pub(super) fn fingerprint(&self) -> &str {
        self.fingerprint.get().map_or("", String::as_str)
    }

    /// Whether the sessions of all connections so far were alike.
    pub(super) fn is_uniform(&self) -> bool {
        self.is_uniform.load(Ordering::Acquire)
    }

    /// The idle connection that was used last; those that are too old are closed.
    fn pop(&self) -> Option<Idle> {
        let now = self.clock.now();
        let mut idle = self.idle();
        let taken = loop {
            let last = idle.pop()?;
            if now.since(last.session.opened()) < LIFETIME_MAX && now.since(last.since) < IDLE_MAX {
                break last;
            }
        };
        // The oldest ones are at the front, and one of them at a time is enough.
        if idle.first().is_some_and(|first| now.since(first.since) >= IDLE_MAX) {
            idle.remove(0);
        }
        Some(taken)
    }

    fn give_back(&self, session: Box<Session>) {
        let since = self.clock.now();
        let mut idle = self.idle();
        // Whoever closes the pool sets the mark first and empties the list then.
        if !self.closed.load(Ordering::Acquire) {
            idle.push(Idle { session, since });
        }
    }

    /// Closes what is idle: one of them was broken, and nothing is known of the others.
    pub(super) fn close_idle(&self) {
        self.idle().clear();
    }

    /// Closes everything, waiting for what is in use.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let idle = std::mem::take(&mut *self.idle());
        for Idle { session, .. } in idle {
            session.close().await;
        }
        if let Ok(_all) = self.permits.acquire_many(self.connections_max).await {
            self.permits.close();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // Every critical section leaves the list whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    /// Without the options, which hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("connections_max", &self.connections_max)
            .field("idle", &self.idle().len())
            .finish_non_exhaustive()
    }
}

/// A connection in use. Dropping it gives it back if nothing is under way on it, and closes it
/// otherwise.
pub(super) struct Checkout {
    /// Taken out when this is dropped, and while a new one is opened.
    session: Option<Box<Session>>,
    pool: Arc<Pool>,
    /// Released after the connection was given back.
    _permit: OwnedSemaphorePermit,
    was_idle: bool,
}

impl Checkout {
    fn new(
        pool: &Arc<Pool>,
        permit: OwnedSemaphorePermit,
        session: Box<Session>,
        was_idle: bool,
    ) -> Self {
        Self { session: Some(session), pool: Arc::clone(pool), _permit: permit, was_idle }
    }

    /// Whether it was idle before, and may have broken since.
    pub(super) const fn was_idle(&self) -> bool {
        self.was_idle
    }

    /// The connection.
    pub(super) fn session(&mut self) -> Result<&mut Session, QueryError> {
        self.session.as_deref_mut().ok_or_else(|| error::map(sqlx::Error::PoolClosed).into())
    }

    /// Opens a new connection in its place.
    pub(super) async fn renew(&mut self) -> Result<(), QueryError> {
        self.session = None;
        self.pool.close_idle();
        self.session = Some(self.pool.open().await?);
        self.was_idle = false;
        Ok(())
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && session.is_reusable()
        {
            self.pool.give_back(session);
        }
    }
}

impl fmt::Debug for Checkout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkout").field("was_idle", &self.was_idle).finish_non_exhaustive()
    }
}
