//! Whose turn it is: waiting for the lock, and who has it meanwhile.
//!
//! Invariant: nobody waits longer than the deadline, and whoever waits in vain is told for whom.

use std::{sync::Arc, time::Duration};

use larder_core::Tick;
use larder_model::Dialect;

use crate::{
    LockHolder, MigrateError, Session, SessionError,
    context::{Context, Seat},
    lock::{
        Attempt, Exclusion, Locked, Waiting,
        exclusion::{LockKey, is_cluster},
        judge, lease,
    },
    registry::Names,
};

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
            let (holder, waited) = (holder.map(Box::new), waiting.waited());
            return Err(MigrateError::LockHeld { holder, waited });
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
        return Err(MigrateError::LockHeld { holder: Some(Box::new(holder)), waited });
    }
    lease::release(session, names, holder.token).await.map_err(&doing)?;
    Ok(Some(holder))
}
