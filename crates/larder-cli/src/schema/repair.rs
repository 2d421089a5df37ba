//! `larder schema repair`: what is to become of a migration that failed.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use larder::migrate::{FileRepair, MigrationFiles, Migrator, RepairAction};
use serde_json::json;

use super::{answer::AnswerArgs, files::version, place::Place};
use crate::{failure::Failure, output::escape};

/// Say what became of a migration that failed, or remove the lock of a process that is gone
///
/// Nothing is run: the next run of `larder schema apply` or `up` goes by what was said.
#[derive(Debug, Args)]
pub(super) struct RepairArgs {
    #[command(flatten)]
    place: Place,

    /// The version of the migration, as `larder schema status` shows it
    #[arg(required_unless_present = "unlock")]
    version: Option<String>,

    /// What became of it
    #[arg(long = "as", value_enum, value_name = "OUTCOME", default_value_t)]
    outcome: Outcome,

    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    /// Remove the lock of a process that was not heard of in time
    #[arg(long, conflicts_with = "version")]
    unlock: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// Of a file that was edited: it does the same
    AcceptEdit,
    /// It was finished by hand
    Applied,
    /// The next run goes on with it
    #[default]
    Retry,
    /// It was undone by hand
    RolledBack,
    /// Of a file: the statement that failed was done by hand, the next run goes on behind it
    SkipStatement,
}

pub(super) async fn run(args: RepairArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    match &args.version {
        None => unlock(&migrator, args.answer).await?,
        Some(version) if version.starts_with(MODEL) => {
            migrator.repair(version, of_model(args.outcome)?).await?;
            tell(args.answer, version)?;
        }
        Some(text) => {
            let files = MigrationFiles::from_folder(&args.dir)?;
            migrator.repair_file(&files, &version(text)?, of_file(args.outcome)).await?;
            tell(args.answer, text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the versions of models begin with.
const MODEL: &str = "m:";

fn of_model(outcome: Outcome) -> Result<RepairAction, Failure> {
    match outcome {
        Outcome::Applied => Ok(RepairAction::MarkApplied),
        Outcome::Retry => Ok(RepairAction::Retry),
        Outcome::RolledBack => Ok(RepairAction::RolledBack),
        Outcome::AcceptEdit | Outcome::SkipStatement => {
            Err(Failure::Usage("that is an outcome of files, and this is a model's".to_owned()))
        }
    }
}

const fn of_file(outcome: Outcome) -> FileRepair {
    match outcome {
        Outcome::AcceptEdit => FileRepair::AcceptEdit,
        Outcome::Applied => FileRepair::MarkApplied,
        Outcome::Retry => FileRepair::Retry,
        Outcome::RolledBack => FileRepair::RolledBack,
        Outcome::SkipStatement => FileRepair::SkipStatement,
    }
}

async fn unlock(migrator: &Migrator, answer: AnswerArgs) -> Result<(), Failure> {
    let removed = migrator.unlock_stale().await?.map(|holder| holder.to_string());
    answer.print(&json!({ "unlocked": removed }), |out, _color| match &removed {
        Some(holder) => writeln!(out, "removed the lock of {}", escape::controls(holder)),
        None => writeln!(out, "there is no lock of a process that is gone"),
    })
}

fn tell(answer: AnswerArgs, version: &str) -> Result<(), Failure> {
    answer.print(&json!({ "repaired": version }), |out, _color| {
        writeln!(out, "repaired {}", escape::controls(version))
    })
}
