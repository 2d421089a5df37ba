//! Files whose statements become permanent one by one.
//!
//! Invariants: the row says that the file runs before its first statement does; how far it came is
//! written after each statement, and together with it where the database can do that.

use larder_model::Dialect;

use crate::{
    Direction, FileProblem, MigrateError, MigrationStatus, SessionError, SessionErrorKind,
    files::prepared::PreparedStatement,
    lock::{Locked, Waiting},
    registry::Finish,
};

use super::step::{Work, chain};

/// Why a step was not done.
enum Failure {
    Registry(MigrateError),
    Statement(SessionError),
}

/// Runs a file from where an earlier run stopped.
pub(super) async fn run(locked: &mut Locked, work: &Work<'_>) -> Result<(), FileProblem> {
    locked.check().await?;
    begin(locked, work).await?;
    for (index, statement) in work.rest().iter().enumerate() {
        locked.check().await?;
        let done = work.start + index;
        if let Err(failure) = step(locked, work, statement, done).await {
            let problem = match failure {
                Failure::Registry(error) => locked.explain(error).await.into(),
                Failure::Statement(source) => work.failure(statement, done, source),
            };
            fail(locked, work, &problem).await;
            return Err(problem);
        }
    }
    let (session, registry) = locked.parts();
    registry.finish_migration(session, &work.version, work.done(), Finish::default()).await?;
    Ok(registry.bump_epoch(session).await?)
}

async fn begin(locked: &mut Locked, work: &Work<'_>) -> Result<(), MigrateError> {
    let doing = "write into the history that a file runs";
    let row = work.row(locked, MigrationStatus::Running);
    let (session, registry) = locked.parts();
    session.begin().await.map_err(MigrateError::session(doing))?;
    match work.direction {
        Direction::Down => registry.restart_migration(session, &row).await?,
        Direction::Up => registry.put_file(session, &row).await?,
    }
    // Before the first statement, because a process that is killed after it can not say so.
    registry.bump_epoch(session).await?;
    session.commit().await.map_err(MigrateError::session(doing))
}

/// Does a statement, and again where others got in its way.
async fn step(
    locked: &mut Locked,
    work: &Work<'_>,
    statement: &PreparedStatement<'_>,
    done: usize,
) -> Result<(), Failure> {
    let options = locked.context().options.clone();
    let mut waiting = Waiting::new(&options);
    let mut tries = 0;
    loop {
        let failure = match once(locked, work, statement, done).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let is_busy = matches!(&failure, Failure::Statement(error)
            if matches!(error.kind(), SessionErrorKind::Busy | SessionErrorKind::Conflict));
        if !is_busy || !statement.is_repeatable || tries >= options.retries {
            return Err(failure);
        }
        tries += 1;
        tracing::debug!(path = work.script.path(), number = statement.number, tries, "tries again");
        waiting.pause().await;
    }
}

async fn once(
    locked: &mut Locked,
    work: &Work<'_>,
    statement: &PreparedStatement<'_>,
    done: usize,
) -> Result<(), Failure> {
    let next = i64::try_from(done + 1).unwrap_or(i64::MAX);
    let timeout = locked.context().options.statement_lock_timeout.as_millis().max(1);
    let (session, registry) = locked.parts();
    if !statement.is_atomic {
        // What builds an index beside its readers and writers waits for all of them, and leaves
        // an invalid index behind if it is not let.
        let waits = session.dialect() == Dialect::Postgres;
        if waits {
            session.run("SET lock_timeout = 0").await.map_err(Failure::Statement)?;
        }
        session.run(statement.text).await.map_err(Failure::Statement)?;
        if waits {
            let set = format!("SET lock_timeout = '{timeout}ms'");
            session.run(&set).await.map_err(Failure::Statement)?;
        }
        let advanced = registry.advance_migration(session, &work.version, next).await;
        return advanced.map_err(Failure::Registry);
    }
    session.begin().await.map_err(Failure::Statement)?;
    let ran = match session.run(statement.text).await {
        Ok(()) => {
            let advanced = registry.advance_migration(session, &work.version, next).await;
            advanced.map_err(Failure::Registry)
        }
        Err(error) => Err(Failure::Statement(error)),
    };
    match ran {
        Ok(()) => session.commit().await.map_err(Failure::Statement),
        Err(failure) => {
            // If this fails the connection is broken, and the transaction gone with it.
            let _ = session.rollback().await;
            Err(failure)
        }
    }
}

/// Says in the history that the file failed. If that fails too, the file counts as interrupted.
async fn fail(locked: &mut Locked, work: &Work<'_>, problem: &FileProblem) {
    let error = chain(problem);
    let code = match problem {
        FileProblem::Statement { source, .. } => source.code(),
        _ => None,
    };
    let finish = Finish { error: Some(&error), error_sqlstate: code, ..Finish::default() };
    let (session, registry) = locked.parts();
    let said =
        registry.finish_migration(session, &work.version, MigrationStatus::Failed, finish).await;
    if let Err(error) = said {
        tracing::warn!(%error, path = work.script.path(), "the history does not say that it failed");
    }
}
