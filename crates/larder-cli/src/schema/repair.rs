//! `larder schema repair`: what is to become of a migration that failed.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use larder::migrate::{FileRepair, MigrateError, Migrator, RepairAction};
use serde_json::json;

use super::{
    answer::AnswerArgs, command::REFUSED, files::version, folder::FolderArgs, place::Place,
    plain::name, report,
};
use crate::{failure::Failure, output::escape};

/// Say what became of a migration that failed, or remove the lock of a process that is gone
///
/// Nothing is run: the next `larder schema apply`, `up` or `down` goes by what was said. A model's
/// migration counts as applied only if the table is as the model wants it.
///
/// The exit code is 0 if it was recorded, and 4 if the table of a model says otherwise.
#[derive(Debug, Args)]
pub(super) struct RepairArgs {
    #[command(flatten)]
    place: Place,

    /// The version of the migration, as `larder schema status` shows it
    #[arg(value_name = "VERSION", required_unless_present = "unlock", value_parser = name)]
    version: Option<String>,

    /// What became of it
    #[arg(long = "as", value_enum, value_name = "OUTCOME", default_value_t)]
    outcome: Outcome,

    #[command(flatten)]
    folder: FolderArgs,

    /// Remove the lock of a process that was not heard of in time. Whoever migrates next does so
    /// too
    #[arg(long, conflicts_with_all = ["version", "outcome"])]
    unlock: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// Of a file that was edited after it was applied: it does the same as before
    AcceptEdit,
    /// It was finished by hand: it counts as applied
    Applied,
    /// The next run goes on with it
    #[default]
    Retry,
    /// It was undone by hand: it counts as not applied
    RolledBack,
    /// Of a file: the statement that failed was done by hand; the next run goes on behind it
    SkipStatement,
}

pub(super) async fn run(args: RepairArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    match &args.version {
        None => unlock(&migrator, args.answer).await,
        Some(version) if version.starts_with(MODEL) => {
            let action = of_model(args.outcome)?;
            match migrator.repair(version, action).await {
                Ok(()) => tell(args.answer, version, args.outcome),
                Err(MigrateError::Incompatible { differing }) => {
                    let document: Vec<_> = differing
                        .iter()
                        .map(|(model, plan)| json!({ "model": model, "plan": **plan }))
                        .collect();
                    let document = json!({ "repaired": null, "differing": document });
                    args.answer.print(&document, |out, color| {
                        let shown = escape::controls(version);
                        writeln!(out, "{shown} is not applied, as its table differs:")?;
                        for (_model, plan) in &differing {
                            report::difference(out, plan, color)?;
                        }
                        writeln!(out, "nothing was recorded")
                    })?;
                    Ok(ExitCode::from(REFUSED))
                }
                Err(error) => Err(error.into()),
            }
        }
        Some(text) => {
            let (files, parsed) = (args.folder.read_if_there()?, version(text)?);
            migrator.repair_file(&files, &parsed, of_file(args.outcome)).await?;
            tell(args.answer, text, args.outcome)
        }
    }
}

/// What the versions of models begin with.
const MODEL: &str = "m:";

fn of_model(outcome: Outcome) -> Result<RepairAction, Failure> {
    match outcome {
        Outcome::Applied => Ok(RepairAction::MarkApplied),
        Outcome::Retry => Ok(RepairAction::Retry),
        Outcome::RolledBack => Ok(RepairAction::RolledBack),
        Outcome::AcceptEdit | Outcome::SkipStatement => {
            let text = "accept-edit and skip-statement are for files, and this is a model's";
            Err(Failure::Usage(text.to_owned()))
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

async fn unlock(migrator: &Migrator, answer: AnswerArgs) -> Result<ExitCode, Failure> {
    let removed = migrator.unlock_stale().await?.map(|holder| holder.to_string());
    answer.print(&json!({ "unlocked": removed }), |out, _color| match &removed {
        Some(holder) => writeln!(out, "removed the lock of {}", escape::controls(holder)),
        None => writeln!(out, "there is no lock of a process that is gone"),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn tell(answer: AnswerArgs, version: &str, outcome: Outcome) -> Result<ExitCode, Failure> {
    let what = match outcome {
        Outcome::AcceptEdit => "counts as applied with the text that it has now",
        Outcome::Applied => "counts as applied",
        Outcome::Retry => "is gone on with by the next run",
        Outcome::RolledBack => "counts as not applied",
        Outcome::SkipStatement => "is gone on with by the next run, behind the statement",
    };
    answer.print(&json!({ "repaired": version, "differing": [] }), |out, _color| {
        writeln!(out, "{} {what}", escape::controls(version))
    })?;
    Ok(ExitCode::SUCCESS)
}
