//! The lock while it is held.
//!
//! Invariants: the registry is complete and of a known format as soon as the lock is held; what a
//! holder of a transaction's lock wrote becomes permanent only together with giving up the lease,
//! and not at all if another holder came after it.

use std::{fmt, sync::Arc};

use larder_model::Dialect;

use crate::{
    Cell, MigrateError, MigrateOptions, Session, SessionError, SessionErrorKind,
    context::{Context, Seat},
    lock::{Exclusion, exclusion::LockKey, heart::Heart, lease},
    registry::Registry,
};

/// The lock, held. Dropping it closes the connection, which rolls back and gives it up.
pub(crate) struct Locked {
    pub(super) context: Arc<Context>,
    pub(super) seat: Seat,
    pub(super) key: LockKey,
    pub(super) exclusion: Exclusion,
    pub(super) registry: Registry,
    pub(super) lease: Option<Lease>,
    /// The token of the lease, also after it was given up.
    pub(super) token: Option<i64>,
}

/// The lease of a holder who is going to change something.
pub(super) struct Lease {
    pub(super) token: i64,
    pub(super) heart: Heart,
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

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked")
            .field("exclusion", &self.exclusion)
            .field("token", &self.token())
            .finish_non_exhaustive()
    }
}
