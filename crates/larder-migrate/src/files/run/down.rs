//! Files that come down.

use crate::{
    Direction, DownTarget, FileReport, FileRunError, FileStanding, MigrationFiles, Migrator,
};

use super::{
    choose::choose_down,
    up::{check, look, run_next},
};

impl Migrator {
    /// Takes versions back with the files that do it, the highest version first.
    ///
    /// Which versions those are is decided once; one that somebody else took back meanwhile is
    /// passed over.
    ///
    /// # Errors
    /// As [`Migrator::up`]; [`FileProblem::Irreversible`](crate::FileProblem::Irreversible) if one
    /// of the versions has no file that takes it back. Nothing has been run then.
    ///
    /// # Cancel safety
    /// As [`Migrator::up`].
    pub async fn down(
        &self,
        files: &MigrationFiles,
        target: &DownTarget,
    ) -> Result<FileReport, FileRunError> {
        Box::pin(self.run_down(files, target)).await
    }

    async fn run_down(
        &self,
        files: &MigrationFiles,
        target: &DownTarget,
    ) -> Result<FileReport, FileRunError> {
        let mut report = FileReport::default();
        let first = |problem| FileRunError::new(FileReport::default(), problem);
        let looked = look(self.context(), files).await;
        let looked = looked.map_err(|error| FileRunError::new(FileReport::default(), error))?;
        let chosen = choose_down(files, &looked.standings, target).map_err(first)?;
        let down = Direction::Down;
        check(self.context(), files, &chosen, down, looked.dialect).map_err(first)?;
        for wanted in chosen {
            let choose = |standings: &[FileStanding]| {
                // Everything that is applied, to find this version among it as it stands now.
                let all = DownTarget::Steps(files.files().len());
                let only: Vec<_> = standings
                    .iter()
                    .filter(|standing| standing.version == wanted.version)
                    .cloned()
                    .collect();
                Ok(choose_down(files, &only, &all)?.into_iter().next())
            };
            match run_next(self.context(), files, down, &choose).await {
                Ok(file) => report.files.extend(file),
                Err(problem) => return Err(FileRunError::new(report, problem)),
            }
        }
        Ok(report)
    }
}
