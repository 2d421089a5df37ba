//! `larder schema repair`: what is to become of a migration that failed.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use larder::migrate::RepairAction;
use serde_json::json;

use super::{answer::AnswerArgs, place::Place};
use crate::{failure::Failure, output::escape};

/// Say what became of a migration that failed, or remove the lock of a process that is gone
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

    /// Remove the lock of a process that was not heard of in time
    #[arg(long, conflicts_with = "version")]
    unlock: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// It was finished by hand
    Applied,
    /// The next run goes on with it
    #[default]
    Retry,
    /// It was undone by hand
    RolledBack,
}

pub(super) async fn run(args: RepairArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    let Some(version) = &args.version else {
        let removed = migrator.unlock_stale().await?.map(|holder| holder.to_string());
        args.answer.print(&json!({ "unlocked": removed }), |out, _color| match &removed {
            Some(holder) => writeln!(out, "removed the lock of {}", escape::controls(holder)),
            None => writeln!(out, "there is no lock of a process that is gone"),
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let action = match args.outcome {
        Outcome::Applied => RepairAction::MarkApplied,
        Outcome::Retry => RepairAction::Retry,
        Outcome::RolledBack => RepairAction::RolledBack,
    };
    migrator.repair(version, action).await?;
    args.answer.print(&json!({ "repaired": version }), |out, _color| {
        writeln!(out, "repaired {}", escape::controls(version))
    })?;
    Ok(ExitCode::SUCCESS)
}
