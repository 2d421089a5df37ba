//! Saying who holds the lock, before something is changed.
//!
//! Invariant: the row can be read by others as long as the lock is held, which in a transaction of
//! one's own it could not.

use std::{sync::Arc, time::Duration};

use larder_model::Dialect;

use crate::{
    Cell, MigrateError, Session, SessionError, SessionErrorKind,
    lock::{
        Exclusion, Locked, Waiting, current_holder,
        exclusion::{LockKey, is_cluster, session_id},
        heart::Heart,
        lease::{self, Taking},
        locked::Lease,
    },
};

impl Locked {
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
                let holder = current_holder(on, names).await?.map(Box::new);
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

    /// Takes the lease where nothing else excludes. `false`: somebody else has it.
    pub(super) async fn announce_if_free(&mut self) -> Result<bool, MigrateError> {
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
}

async fn schema_version(session: &mut dyn Session) -> Result<Option<i64>, SessionError> {
    let rows = session.fetch("PRAGMA schema_version", &[]).await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Cell::as_integer))
}
