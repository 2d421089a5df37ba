//! What a person says about a file that stands in the way.

use crate::{
    Direction, FileProblem, FileState, FileVersion, MigrationFiles, MigrationStatus, Migrator,
    file_standings,
    files::registry_version,
    lock::{Exclusion, Locked},
    registry::Finish,
};

/// What a person says about a file that failed, was interrupted, edited, or is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileRepair {
    /// Of a file that was edited: it does the same, and its checksum is the new one.
    AcceptEdit,
    /// It was finished by hand: it counts as applied, with the text that the file has now.
    MarkApplied,
    /// The next run goes on with the statement that failed or may not be done.
    Retry,
    /// What it had done was undone by hand: it counts as not applied. Also of a file that is
    /// missing.
    RolledBack,
    /// The statement that failed or may not be done was done by hand: the next run goes on with
    /// the one behind it.
    SkipStatement,
}

impl Migrator {
    /// Says what became of a file's version. Nothing is run.
    ///
    /// # Errors
    /// [`FileProblem::UnknownVersion`], [`FileProblem::NotRepairable`] if its state needs no such
    /// repair, [`FileProblem::Migrate`].
    ///
    /// # Cancel safety
    /// It is said as a whole or not at all.
    pub async fn repair_file(
        &self,
        files: &MigrationFiles,
        version: &FileVersion,
        repair: FileRepair,
    ) -> Result<(), FileProblem> {
        Box::pin(async {
            let mut locked = self.context().lock(Exclusion::Transaction).await?;
            match write(&mut locked, files, version, repair).await {
                Ok(()) => Ok(locked.commit().await?),
                Err(problem) => {
                    // If this fails the connection is broken, and nothing was said.
                    let _ = locked.roll_back().await;
                    Err(problem)
                }
            }
        })
        .await
    }
}

async fn write(
    locked: &mut Locked,
    files: &MigrationFiles,
    version: &FileVersion,
    repair: FileRepair,
) -> Result<(), FileProblem> {
    let (session, registry) = locked.parts();
    let rows = registry.migrations(session).await?;
    let application = &registry.names().application;
    let standings = file_standings(files, &rows, application, session.dialect());
    let unknown = || FileProblem::UnknownVersion { version: version.clone() };
    let standing = standings.into_iter().find(|standing| standing.version == *version);
    let state = standing.ok_or_else(unknown)?.state;
    if !is_possible(&state, repair) {
        let (version, state) = (version.clone(), state.as_str());
        return Err(FileProblem::NotRepairable { version, state });
    }
    let text = registry_version(version, application);
    let checksum = files.get(version).map(|file| file.up.checksum());
    let status = match repair {
        FileRepair::AcceptEdit => None,
        FileRepair::MarkApplied => Some(MigrationStatus::Applied),
        FileRepair::Retry | FileRepair::SkipStatement => Some(MigrationStatus::Pending),
        FileRepair::RolledBack => Some(MigrationStatus::RolledBack),
    };
    if repair == FileRepair::SkipStatement {
        let row = rows.iter().find(|row| row.version == text);
        let done = row.map_or(0, |row| row.steps_total.min(row.steps_done + 1));
        registry.advance_migration(session, &text, done).await?;
    }
    if matches!(repair, FileRepair::AcceptEdit | FileRepair::MarkApplied)
        && let Some(checksum) = &checksum
    {
        registry.put_file_checksum(session, &text, checksum).await?;
    }
    if let Some(status) = status {
        registry.finish_migration(session, &text, status, Finish::default()).await?;
    }
    Ok(registry.bump_epoch(session).await?)
}

fn is_possible(state: &FileState, repair: FileRepair) -> bool {
    use FileRepair::{AcceptEdit, MarkApplied, Retry, RolledBack, SkipStatement};
    match state {
        FileState::Divergent { .. } => matches!(repair, AcceptEdit | RolledBack),
        FileState::Missing | FileState::Future => repair == RolledBack,
        // Going down again is how that is tried again.
        FileState::Failed { direction: Direction::Down, .. }
        | FileState::Interrupted { direction: Direction::Down, .. } => {
            matches!(repair, MarkApplied | RolledBack)
        }
        FileState::Failed { .. } | FileState::Interrupted { .. } => {
            matches!(repair, MarkApplied | Retry | RolledBack | SkipStatement)
        }
        _ => false,
    }
}
