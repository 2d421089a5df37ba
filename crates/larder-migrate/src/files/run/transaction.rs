//! Files whose statements and row are one transaction.
//!
//! Invariant: either all of the file and its row are there, or nothing of both.

use larder_model::Dialect;

use crate::{
    Cell, Direction, FileProblem, MigrateError, MigrationStatus, Session,
    lock::{Exclusion, Locked},
    registry::Finish,
};

use super::step::Work;

/// Runs a file. On PostgreSQL and SQLite its transaction is the lock's own, and ends with it.
pub(super) async fn run(locked: &mut Locked, work: &Work<'_>) -> Result<(), FileProblem> {
    if locked.exclusion() == Exclusion::Transaction {
        return statements(locked, work).await;
    }
    locked.check().await?;
    let doing = "run a file in a transaction";
    locked.session().begin().await.map_err(MigrateError::session(doing))?;
    match statements(locked, work).await {
        Ok(()) => Ok(locked.session().commit().await.map_err(MigrateError::session(doing))?),
        Err(problem) => {
            // If this fails the connection is broken, and the transaction gone with it.
            let _ = locked.session().rollback().await;
            Err(problem)
        }
    }
}

async fn statements(locked: &mut Locked, work: &Work<'_>) -> Result<(), FileProblem> {
    let row = work.row(locked, MigrationStatus::Running);
    let (session, registry) = locked.parts();
    if work.direction == Direction::Up {
        registry.put_file(session, &row).await?;
    }
    let before = violations(session).await?;
    for statement in work.rest() {
        let ran = session.run(statement.text).await;
        ran.map_err(|source| work.failure(statement, 0, source))?;
    }
    let after = violations(session).await?;
    let rows = after.iter().filter(|violation| !before.contains(violation)).count();
    if rows > 0 {
        return Err(FileProblem::ForeignKeys { path: work.script.path().to_owned(), rows });
    }
    if work.direction == Direction::Up {
        registry.advance_migration(session, &work.version, row.steps_total).await?;
    }
    registry.finish_migration(session, &work.version, work.done(), Finish::default()).await?;
    Ok(registry.bump_epoch(session).await?)
}

/// Rows of SQLite that refer to rows which are not there. Sessions of ours do not enforce foreign
/// keys while they run, so that a table can be rebuilt without losing its children's rows.
pub(super) async fn violations(session: &mut dyn Session) -> Result<Vec<Vec<Cell>>, MigrateError> {
    if session.dialect() != Dialect::Sqlite {
        return Ok(Vec::new());
    }
    let found = session.fetch("PRAGMA foreign_key_check", &[]).await;
    found.map_err(MigrateError::session("check the foreign keys"))
}
