//! The lock while it is held.
//!
//! Invariants: the registry is complete and of a known format as soon as the lock is held; what a
//! holder of a transaction's lock wrote becomes permanent only together with giving up the lease,
//! and not at all if another holder came after it.

use std::{fmt, sync::Arc, time::Duration};

use larder_core::Tick;
use larder_model::Dialect;

use crate::{
    Cell, LockHolder, MigrateError, MigrateOptions, Session, SessionError, SessionErrorKind,
    context::{Context, Seat},
    lock::{
        Exclusion, Waiting,
        exclusion::{LockKey, is_cluster, session_id},
        heart::Heart,
        judge,
        lease::{self, Taking},
    },
    registry::{Names, Registry},
};

/// The lock, held. Dropping it closes the connection, which rolls back and gives it up.
pub(crate) struct Locked {
    context: Arc<Context>,
    seat: Seat,
    key: LockKey,
    exclusion: Exclusion,
    registry: Registry,
    lease: Option<Lease>,
    /// The token of the lease, also after it was given up.
    token: Option<i64>,
}

/// The lease of a holder who is going to change something.
struct Lease {
    token: i64,
    heart: Heart,
}

/// What became of one try.
pub(crate) enum Attempt {
    /// Something was prepared, and the next try may follow at once.
    Again(Seat),
    /// Somebody else has the lock.
    Held(Seat),
    /// The lock is held.
    Got(Box<Locked>),
}

/// Whom others have been waiting for, looked at now and then while they wait.
#[derive(Debug, Default)]
pub(crate) struct Overtaking {
    looked: Option<Tick>,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Context {
    /// Waits for the lock.
    ///
    /// # Errors
    /// [`MigrateError::LockHeld`] at the deadline.
    pub(crate) async fn lock(
        self: &Arc<Self>,
        exclusion: Exclusion,
    ) -> Result<Box<Locked>, MigrateError> {
        let mut waiting = Waiting::new(&self.options);
        let mut overtaking = Overtaking::default();
        let mut seat = self.work().await?;
        loop {
            seat = match Locked::attempt(self, seat, exclusion).await? {
                Attempt::Again(seat) => seat,
                Attempt::Held(mut seat) => {
                    self.wait(&mut seat, &mut waiting, &mut overtaking).await?;
                    seat
                }
                Attempt::Got(locked) => return Ok(locked),
            }
        }
    }

    /// Waits a little for whoever has the lock, and ends its connection if it was stopped.
    ///
    /// # Errors
    /// [`MigrateError::LockHeld`] at the deadline.
    pub(crate) async fn wait(
        &self,
        seat: &mut Seat,
        waiting: &mut Waiting,
        overtaking: &mut Overtaking,
    ) -> Result<(), MigrateError> {
        let session = &mut *seat.session;
        if waiting.is_over() {
            let names = self.names(session.dialect());
            let holder = match session.dialect() {
                // Whoever it is, the file's own lock proves that somebody is there.
                Dialect::Sqlite => lease::holder(session, &names)
                    .await
                    .map_err(MigrateError::session("read who holds the lock"))?,
                _ => current_holder(session, &names).await?,
            };
            return Err(MigrateError::LockHeld { holder, waited: waiting.waited() });
        }
        let now = self.options.clock.now();
        let looked = *overtaking.looked.get_or_insert(now);
        if now.since(looked) >= LOOK_EVERY.min(self.options.lease) {
            overtaking.looked = Some(now);
            let ended = self.end_stopped(session).await;
            ended.map_err(MigrateError::session("look who holds the lock"))?;
        }
        waiting.pause().await;
        Ok(())
    }

    async fn end_stopped(&self, session: &mut dyn Session) -> Result<(), SessionError> {
        let dialect = session.dialect();
        let names = self.names(dialect);
        let key = LockKey::find(session, &names).await?;
        let Some(seen) = key.sight(session, dialect).await? else { return Ok(()) };
        let row = lease::holder(session, &names).await?;
        if judge::is_stopped(&seen, row.as_ref(), self.options.lease) {
            tracing::warn!(
                connection = seen.session,
                holder = row.map(|row| row.to_string()),
                "ends the connection of a migrator that was not heard of"
            );
            key.end(session, &seen.session).await?;
        }
        Ok(())
    }
}

/// Who migrates; `None` if nobody does, or nobody has said so yet. A lease whose holder no longer
/// has the database's own lock is that of a process that was killed.
pub(crate) async fn current_holder(
    session: &mut dyn Session,
    names: &Names,
) -> Result<Option<LockHolder>, MigrateError> {
    let doing = MigrateError::session("read who holds the lock");
    let Some(holder) = lease::holder(session, names).await.map_err(&doing)? else {
        return Ok(None);
    };
    let is_there = is_there(session, names, &holder).await.map_err(&doing)?;
    Ok(Some(holder).filter(|_| is_there))
}

/// Whether a holder has the database's own lock, as far as the database tells.
async fn is_there(
    session: &mut dyn Session,
    names: &Names,
    holder: &LockHolder,
) -> Result<bool, SessionError> {
    let key = LockKey::find(session, names).await?;
    // A file does not tell, nor does one node of a cluster.
    if matches!(key, LockKey::File) || is_cluster(session).await? {
        return Ok(!holder.is_expired);
    }
    let seen = key.sight(session, names.dialect).await?;
    Ok(seen.is_some_and(|seen| seen.session == holder.session))
}

/// Removes the lease of a holder that is gone. `None`: there was none.
///
/// # Errors
/// [`MigrateError::LockHeld`] if the holder is there.
pub(crate) async fn clear_stale(
    session: &mut dyn Session,
    names: &Names,
) -> Result<Option<LockHolder>, MigrateError> {
    let doing = MigrateError::session("remove a stale lease");
    let Some(holder) = lease::holder(session, names).await.map_err(&doing)? else {
        return Ok(None);
    };
    if is_there(session, names, &holder).await.map_err(&doing)? {
        let waited = Duration::ZERO;
        return Err(MigrateError::LockHeld { holder: Some(holder), waited });
    }
    lease::release(session, names, holder.token).await.map_err(&doing)?;
    Ok(Some(holder))
}

/// What PostgreSQL is told before the first statement under the lock. The snapshot must be newer
/// than the lock, whatever the database's default is.
fn settings(options: &MigrateOptions, exclusion: Exclusion) -> String {
    let millis = options.statement_lock_timeout.as_millis().max(1);
    let (first, set) = match exclusion {
        Exclusion::Transaction => {
            ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; ", "SET LOCAL")
        }
        Exclusion::Session => ("", "SET"),
    };
    format!(
        "{first}{set} lock_timeout = '{millis}ms'; {set} statement_timeout = 0; \
         {set} idle_in_transaction_session_timeout = 0; {set} TimeZone = 'UTC'"
    )
}

impl Locked {
    /// Tries once.
    pub(crate) async fn attempt(
        context: &Arc<Context>,
        mut seat: Seat,
        exclusion: Exclusion,
    ) -> Result<Attempt, MigrateError> {
        let take = MigrateError::session("take the lock");
        let names = context.names(seat.session.dialect());
        let exclusion = match names.dialect {
            Dialect::MariaDb | Dialect::MySql => Exclusion::Session,
            _ => exclusion,
        };
        let session = &mut *seat.session;
        let key = LockKey::find(session, &names).await.map_err(&take)?;
        let settings = settings(&context.options, exclusion);
        if !key.take(session, exclusion, &settings).await.map_err(&take)? {
            return Ok(Attempt::Held(seat));
        }
        if exclusion == Exclusion::Session && !key.is_held(session).await.map_err(&take)? {
            return Err(MigrateError::Pooled);
        }
        let registry = Registry::inspect(session, &context.options).await?;
        let mut locked = Self {
            context: Arc::clone(context),
            seat,
            key,
            exclusion,
            registry,
            lease: None,
            token: None,
        };
        if locked.complete_registry().await? {
            return Ok(Attempt::Again(locked.into_seat()));
        }
        locked.registry.begin(&mut *locked.seat.session).await?;
        if locked.is_lease_all() && !locked.announce_if_free().await? {
            locked.give_up().await?;
            return Ok(Attempt::Held(locked.into_seat()));
        }
        Ok(Attempt::Got(Box::new(locked)))
    }

    /// Creates what the registry has not. `true`: something was, and the lock has been given up
    /// so that others see it.
    async fn complete_registry(&mut self) -> Result<bool, MigrateError> {
        let missing = match self.registry.missing() {
            Ok(missing) if missing.is_empty() => return Ok(false),
            missing => missing?,
        };
        let doing = "create the registry";
        let session = &mut *self.seat.session;
        // Leaves SQLite's lock, which is none, for one that is.
        let own = self.exclusion == Exclusion::Session && matches!(self.key, LockKey::File);
        if own {
            session.begin().await.map_err(MigrateError::session(doing))?;
        }
        if session.dialect() == Dialect::Postgres {
            self.create_schema(doing).await?;
        }
        let session = &mut *self.seat.session;
        for sql in missing {
            tracing::debug!(sql, "completes the registry");
            match session.run(&sql).await {
                // Somebody whom the lock does not exclude, on another node of a cluster.
                Err(error)
                    if error.kind() == SessionErrorKind::Exists
                        && self.exclusion == Exclusion::Session => {}
                done => done.map_err(MigrateError::session(doing))?,
            }
        }
        if self.exclusion == Exclusion::Transaction || own {
            session.commit().await.map_err(MigrateError::session(doing))?;
        } else {
            self.key.release(session).await.map_err(MigrateError::session(doing))?;
        }
        Ok(true)
    }

    async fn create_schema(&mut self, doing: &'static str) -> Result<(), MigrateError> {
        let schema = &self.registry.names().schema;
        let session = &mut *self.seat.session;
        let sql = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let found = session.fetch(sql, &[crate::Param::Text(schema)]).await;
        let found = found.map_err(MigrateError::session(doing))?;
        let is_there = found.first().and_then(|row| row.first()).is_some_and(Cell::is_true);
        if !is_there {
            let sql = format!("CREATE SCHEMA {}", Dialect::Postgres.quoted(schema));
            session.run(&sql).await.map_err(MigrateError::session(doing))?;
        }
        Ok(())
    }

    /// Whether nothing but the lease excludes others.
    const fn is_lease_all(&self) -> bool {
        matches!((&self.key, self.exclusion), (LockKey::File, Exclusion::Session))
    }

    async fn announce_if_free(&mut self) -> Result<bool, MigrateError> {
        let session = &mut *self.seat.session;
        let (names, me) = (self.registry.names(), &self.context.me);
        let lease = self.context.options.lease;
        let taken = lease::take(session, names, me, "", lease, Taking::IfFree).await;
        match taken {
            Ok(Some(token)) => {
                self.hold(token, None);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) if error.kind() == SessionErrorKind::Busy => Ok(false),
            Err(error) => Err(MigrateError::session("take the lease")(error)),
        }
    }

    fn hold(&mut self, token: i64, session: Option<Box<dyn Session>>) {
        let options = &self.context.options;
        // Nobody else can write to a file while its transaction is open, so nothing beats then.
        let is_alone =
            self.exclusion == Exclusion::Transaction && matches!(self.key, LockKey::File);
        let every = if is_alone { Duration::MAX } else { options.heartbeat };
        let heart = Heart::begin(
            Arc::clone(&self.context.connector),
            session,
            self.registry.names().clone(),
            token,
            options.lease,
            every,
        );
        self.lease = Some(Lease { token, heart });
        self.token = Some(token);
    }

    pub(crate) fn session(&mut self) -> &mut dyn Session {
        &mut *self.seat.session
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The connection and the registry together.
    pub(crate) fn parts(&mut self) -> (&mut dyn Session, &Registry) {
        (&mut *self.seat.session, &self.registry)
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(crate) const fn exclusion(&self) -> Exclusion {
        self.exclusion
    }

    /// The number of this holder, once it has said that it is going to change something.
    pub(crate) const fn token(&self) -> Option<i64> {
        self.token
    }

    /// Says to everybody that something is going to be changed, and by whom.
    ///
    /// # Errors
    /// [`SessionErrorKind::Conflict`] if somebody was faster, on SQLite only: what was read
    /// before has to be read again, under a lock of one's own.
    pub(crate) async fn announce(&mut self) -> Result<(), MigrateError> {
        if self.lease.is_some() {
            return Ok(());
        }
        let doing = "say who holds the lock";
        let session = &mut *self.seat.session;
        let holding = session_id(session).await.map_err(MigrateError::session(doing))?;
        let is_cluster = is_cluster(session).await.map_err(MigrateError::session(doing))?;
        let taking = match is_cluster {
            true => Taking::IfFree,
            false => Taking::Over,
        };
        // In the transaction nobody would see the row before its end, and nobody could renew it.
        let in_transaction = self.exclusion == Exclusion::Transaction;
        let mut beside = match (in_transaction, session.dialect()) {
            (true, Dialect::Sqlite) => return self.announce_on_file(doing).await,
            (true, _) => Some(self.context.open().await?),
            (false, _) => None,
        };
        let on = beside.as_deref_mut().unwrap_or(&mut *self.seat.session);
        let (names, me) = (self.registry.names(), &self.context.me);
        let lease = self.context.options.lease;
        let token = lease::take(on, names, me, &holding, lease, taking).await;
        match token.map_err(MigrateError::session(doing))? {
            Some(token) => {
                self.hold(token, beside);
                Ok(())
            }
            None => {
                let holder = current_holder(on, names).await?;
                Err(MigrateError::LockHeld { holder, waited: Duration::ZERO })
            }
        }
    }

    /// On SQLite there is one writer at a time, so the row is written before the transaction and
    /// not beside it.
    async fn announce_on_file(&mut self, doing: &'static str) -> Result<(), MigrateError> {
        let fail = MigrateError::session(doing);
        let (names, me) = (self.registry.names(), &self.context.me);
        let session = &mut *self.seat.session;
        let lease = self.context.options.lease;
        let before = schema_version(session).await.map_err(&fail)?;
        let token = lease::take(session, names, me, "", lease, Taking::Over).await;
        let token = token.map_err(&fail)?;
        session.commit().await.map_err(&fail)?;
        let mut waiting = Waiting::new(&self.context.options);
        loop {
            match session.begin().await {
                Ok(()) => break,
                Err(error) if error.kind() == SessionErrorKind::Busy && !waiting.is_over() => {
                    waiting.pause().await;
                }
                Err(error) => return Err(fail(error)),
            }
        }
        let after = schema_version(session).await.map_err(&fail)?;
        let is_latest = match token {
            Some(token) => lease::is_latest(session, names, token).await.map_err(&fail)?,
            None => false,
        };
        match token.filter(|_| is_latest && before == after) {
            Some(token) => {
                self.hold(token, None);
                Ok(())
            }
            None => Err(fail(SessionError::new(SessionErrorKind::Conflict, None, None))),
        }
    }

    /// Makes sure before a step that the lock is still held.
    ///
    /// # Errors
    /// [`MigrateError::LockLost`], [`MigrateError::Pooled`].
    pub(crate) async fn check(&mut self) -> Result<(), MigrateError> {
        if self.lease.as_ref().is_some_and(|lease| lease.heart.is_lost()) {
            return Err(MigrateError::LockLost);
        }
        if self.exclusion == Exclusion::Transaction {
            // The lock and the step have one transaction, so there is no step without the lock.
            return Ok(());
        }
        let is_held = self.is_held().await;
        match is_held {
            Ok(true) => Ok(()),
            Ok(false) => Err(MigrateError::LockLost),
            Err(error) => {
                Err(self.explain(MigrateError::session("check that the lock is held")(error)).await)
            }
        }
    }

    async fn is_held(&mut self) -> Result<bool, SessionError> {
        let session = &mut *self.seat.session;
        if !self.key.is_held(session).await? {
            return Ok(false);
        }
        match &self.lease {
            Some(of) => lease::is_latest(session, self.registry.names(), of.token).await,
            None => Ok(true),
        }
    }

    /// Says why the connection broke: if another holder came after, that was the reason.
    pub(crate) async fn explain(&mut self, error: MigrateError) -> MigrateError {
        let is_broken =
            error.database().is_some_and(|error| error.kind() == SessionErrorKind::Connection);
        let Some(token) = self.token.filter(|_| is_broken) else { return error };
        let Ok(mut session) = self.context.open().await else { return error };
        match lease::is_latest(&mut *session, self.registry.names(), token).await {
            Ok(false) => MigrateError::LockLost,
            _ => error,
        }
    }

    /// Makes everything permanent and gives the lock up.
    ///
    /// # Errors
    /// [`MigrateError::LockLost`] if another holder came after; nothing is permanent then that a
    /// transaction could take back.
    pub(crate) async fn commit(mut self: Box<Self>) -> Result<(), MigrateError> {
        let released = self.release_lease().await;
        if let Err(error) = released {
            return Err(self.explain(error).await);
        }
        let ended = self.end(true).await;
        if let Err(error) = ended {
            let error = MigrateError::session("commit")(error);
            return Err(self.explain(error).await);
        }
        self.into_seat().keep();
        Ok(())
    }

    /// Takes back what the transaction did, and gives the lock up.
    pub(crate) async fn roll_back(mut self: Box<Self>) -> Result<(), MigrateError> {
        self.give_up().await?;
        self.into_seat().keep();
        Ok(())
    }

    /// As [`Locked::roll_back`]; the connection stays in use.
    pub(crate) async fn roll_back_and_stay(mut self: Box<Self>) -> Result<Seat, MigrateError> {
        self.give_up().await?;
        Ok(self.into_seat())
    }

    async fn give_up(&mut self) -> Result<(), MigrateError> {
        let is_session = self.exclusion == Exclusion::Session;
        if is_session {
            // Another holder that came after has the lease now, and that is fine.
            let _ = self.release_lease().await;
        }
        self.end(false).await.map_err(MigrateError::session("give the lock up"))?;
        if !is_session {
            let _ = self.release_lease().await;
        }
        Ok(())
    }

    async fn end(&mut self, permanently: bool) -> Result<(), SessionError> {
        let session = &mut *self.seat.session;
        match (self.exclusion, permanently) {
            (Exclusion::Transaction, true) => session.commit().await,
            (Exclusion::Transaction, false) => session.rollback().await,
            (Exclusion::Session, _) => self.key.release(session).await,
        }
    }

    async fn release_lease(&mut self) -> Result<(), MigrateError> {
        let Some(Lease { token, heart }) = self.lease.take() else { return Ok(()) };
        drop(heart);
        let session = &mut *self.seat.session;
        let released = lease::release(session, self.registry.names(), token).await;
        match released.map_err(MigrateError::session("give the lease up"))? {
            true => Ok(()),
            false => Err(MigrateError::LockLost),
        }
    }

    fn into_seat(self) -> Seat {
        self.seat
    }
}

async fn schema_version(session: &mut dyn Session) -> Result<Option<i64>, SessionError> {
    let rows = session.fetch("PRAGMA schema_version", &[]).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_integer))
}

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked")
            .field("exclusion", &self.exclusion)
            .field("token", &self.token())
            .finish_non_exhaustive()
    }
}
