//! The connections of one database.
//!
//! Guards that a connection is handed to the next user only if the last one left it as it was: not
//! in the middle of an answer, not inside a transaction, not with settings of its own. In every
//! other case, also if a future was dropped, it is closed.
//!
//! The pool of the driver underneath asks each connection for a sign of life when it is returned,
//! which costs as much as a short statement. This one asks only those that lay unused for a while.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use larder_core::{Clock, Tick};
use larder_database_url::{MySqlTarget, MySqlTls};
use sqlx::{ConnectOptions as _, Connection as _, MySqlConnection, mysql::MySqlConnectOptions};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{error, session::Session};
use crate::{DatabaseError, DatabaseErrorKind, DatabaseOptions, QueryError};

/// After lying unused for this long, a connection is asked for a sign of life first.
const TRUSTED_FOR: Duration = Duration::from_secs(15);
/// How long taking leave of the server may take.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    connect: MySqlConnectOptions,
    session: Session,
    clock: Arc<dyn Clock>,
    acquire_timeout: Duration,
    connections_max: u32,
    /// One permit for each connection, in use or not yet open.
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
    runtime: Handle,
}

struct Idle {
    connection: MySqlConnection,
    since: Tick,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Opens the first connection and learns what the others are to be like.
    pub(super) async fn open(
        target: &MySqlTarget,
        options: &DatabaseOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, QueryError> {
        let first = async {
            let (connect, mut connection) = open_first(target).await?;
            let session = Session::learn(&mut connection).await?;
            Ok::<_, QueryError>((connect, connection, session))
        };
        let (connect, connection, session) =
            timeout(options.acquire_timeout, first).await.map_err(|_| no_answer())??;
        let connections_max = options.connections_max.max(1);
        let idle = Idle { connection, since: clock.now() };
        let permits = Arc::new(Semaphore::new(usize::try_from(connections_max).unwrap_or(1)));
        Ok(Self {
            inner: Arc::new(Inner {
                connect,
                session,
                clock,
                acquire_timeout: options.acquire_timeout,
                connections_max,
                permits,
                idle: Mutex::new(vec![idle]),
                runtime: Handle::current(),
            }),
        })
    }

    pub(super) fn session(&self) -> &Session {
        &self.inner.session
    }

    /// A connection that answers, as far as can be told.
    pub(super) async fn acquire(&self) -> Result<Pooled, QueryError> {
        self.within_time(async {
            let permit = self.permit().await?;
            while let Some(Idle { mut connection, since }) = self.inner.take_idle() {
                let unused = self.inner.clock.now().since(since);
                if unused < TRUSTED_FOR || connection.ping().await.is_ok() {
                    return Ok(self.pooled(connection, permit, true));
                }
            }
            self.connect(permit).await
        })
        .await
    }

    /// A connection that was opened just now. Those that lie unused are closed: they are as old as
    /// the one that turned out to be broken.
    pub(super) async fn acquire_fresh(&self) -> Result<Pooled, QueryError> {
        drop(std::mem::take(&mut *self.inner.lock()));
        self.within_time(async { self.connect(self.permit().await?).await }).await
    }

    async fn within_time<T>(
        &self,
        work: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        match timeout(self.inner.acquire_timeout, work).await {
            Ok(outcome) => outcome,
            // Waiting for a permit and waiting for the server look alike from here.
            Err(_elapsed) if self.inner.permits.available_permits() == 0 => {
                Err(error::map(sqlx::Error::PoolTimedOut).into())
            }
            Err(_elapsed) => Err(no_answer()),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        let permit = Arc::clone(&self.inner.permits).acquire_owned().await;
        permit.map_err(|_closed| error::map(sqlx::Error::PoolClosed).into())
    }

    async fn connect(&self, permit: OwnedSemaphorePermit) -> Result<Pooled, QueryError> {
        let mut connection = self.inner.connect.connect().await.map_err(error::map)?;
        self.inner.session.set_up(&mut connection).await?;
        Ok(self.pooled(connection, permit, false))
    }

    fn pooled(
        &self,
        connection: MySqlConnection,
        permit: OwnedSemaphorePermit,
        was_idle: bool,
    ) -> Pooled {
        let pool = Arc::clone(&self.inner);
        Pooled {
            connection: Some(connection),
            pool,
            was_idle,
            left: Left::Alike,
            permit: Some(permit),
        }
    }

    /// Closes every connection, once those in use are returned.
    pub(super) async fn close(&self) {
        let Self { inner } = self.clone();
        let closing = self.inner.runtime.spawn(async move {
            // Waits for its turn behind everybody who asked before; nobody gets one after it.
            let all = inner.permits.acquire_many(inner.connections_max).await;
            inner.permits.close();
            drop(all);
            let idle = std::mem::take(&mut *inner.lock());
            for Idle { connection, .. } in idle {
                // The server notices either way.
                let _ = connection.close().await;
            }
        });
        // It fails only if the runtime ends, and the connections with it.
        let _ = closing.await;
    }
}

impl Inner {
    /// The connection that was returned last, so that the others grow old together.
    fn take_idle(&self) -> Option<Idle> {
        self.lock().pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        // Every critical section leaves the list whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_answer() -> QueryError {
    let message = "the server did not answer in time; if something else than MySQL or MariaDB \
                   listens there, it waits for us to speak first";
    error::own(DatabaseErrorKind::Connection, message).into()
}

/// Opens a connection, and says how the others are to be opened.
async fn open_first(
    target: &MySqlTarget,
) -> Result<(MySqlConnectOptions, MySqlConnection), QueryError> {
    let options = target.connect_options();
    match options.connect().await {
        Ok(connection) => Ok((options, connection)),
        Err(sqlx::Error::Configuration(_)) => match target.tls() {
            MySqlTls::Local if cfg!(feature = "tls-rustls") => {
                let options = target.encrypted().connect_options();
                let connection = options.connect().await.map_err(error::map)?;
                Ok((options, connection))
            }
            _ => Err(login_needs_encryption().into()),
        },
        Err(error) => Err(error::map(error).into()),
    }
}

/// The server asks for the password itself unless it has seen it lately (`caching_sha2_password`).
/// That goes over an encrypted connection only; the way around it, encryption of the password by
/// a key that the server sends, trusts whoever sends one.
fn login_needs_encryption() -> DatabaseError {
    error::own(
        DatabaseErrorKind::Authentication,
        "the login needs an encrypted connection: enable the feature `tls-rustls`, and leave \
         ssl-mode=DISABLED out of the URL",
    )
}

/// A connection in use. It returns to the pool when it is dropped, if it is like the others.
pub(super) struct Pooled {
    /// Empty only while it is dropped.
    connection: Option<MySqlConnection>,
    pool: Arc<Inner>,
    /// Whether it comes from the pool, so that it may have been broken before it was used.
    was_idle: bool,
    left: Left,
    permit: Option<OwnedSemaphorePermit>,
}

/// In what state the last user left a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Like every other one.
    Alike,
    /// With something of its own; it answers, but not like the others.
    Changed,
    /// Perhaps in the middle of an answer.
    Unknown,
}

impl Pooled {
    pub(super) const fn was_idle(&self) -> bool {
        self.was_idle
    }

    /// Says in what state the connection is from now on. It is put to [`Left::Unknown`] before
    /// anything is sent, so that a future that is dropped leaves it at that.
    pub(super) const fn leave(&mut self, left: Left) {
        self.left = left;
    }

    pub(super) fn runtime(&self) -> Handle {
        self.pool.runtime.clone()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let permit = self.permit.take();
        match self.left {
            Left::Alike if !self.pool.permits.is_closed() => {
                let since = self.pool.clock.now();
                self.pool.lock().push(Idle { connection, since });
                // Only now, so that whoever waits for a permit finds the connection.
                drop(permit);
            }
            // Taking leave keeps the server from noting a client that vanished.
            Left::Alike | Left::Changed => {
                self.pool.runtime.spawn(async move {
                    let _ = timeout(FAREWELL_MAX, connection.close()).await;
                    drop(permit);
                });
            }
            Left::Unknown => drop(connection),
        }
    }
}

impl Deref for Pooled {
    type Target = MySqlConnection;

    fn deref(&self) -> &MySqlConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is taken out only by the destructor"),
        }
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut MySqlConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is taken out only by the destructor"),
        }
    }
}

impl std::fmt::Debug for Pooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pooled").field("left", &self.left).finish_non_exhaustive()
    }
}
