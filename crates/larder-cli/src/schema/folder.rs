//! The folder with SQL files.

use std::path::PathBuf;

use clap::Args;
use larder::migrate::MigrationFiles;

use super::plain::path;
use crate::failure::Failure;

/// Where the SQL files stand.
#[derive(Clone, Debug, Args)]
pub(super) struct FolderArgs {
    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations", value_parser = path)]
    pub(super) dir: PathBuf,
}

impl FolderArgs {
    /// Reads the files.
    ///
    /// # Errors
    /// If the folder is not there, or one of its files can not be used.
    pub(super) fn read(&self) -> Result<MigrationFiles, Failure> {
        if !self.dir.is_dir() {
            let hint = "larder schema new makes it, and --dir names another folder";
            return Err(Failure::Missing { path: self.dir.clone(), hint });
        }
        Ok(MigrationFiles::from_folder(&self.dir)?)
    }

    /// Reads the files; none if the folder is not there.
    ///
    /// # Errors
    /// If one of the files can not be used.
    pub(super) fn read_if_there(&self) -> Result<MigrationFiles, Failure> {
        if self.dir.is_dir() { self.read() } else { Ok(MigrationFiles::default()) }
    }
}
