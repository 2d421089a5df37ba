//! `larder schema new`, `up` and `down`: SQL files.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Args;
use larder::{
    core::SystemClock,
    migrate::{
        DownTarget, FileReport, FileRunError, FileVersion, MigrationFiles, NewFiles, OutOfOrder,
        UpOptions, new_files,
    },
};
use serde_json::json;

use super::{answer::AnswerArgs, place::Place};
use crate::{failure::Failure, output::escape};

/// Create the files of a new migration
///
/// Their version is the time. Nothing is overwritten.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// What the migration is for, such as "add seats"
    name: String,

    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    /// Create no file that takes it back
    #[arg(long)]
    irreversible: bool,
}

/// Run SQL files that were not run yet
#[derive(Debug, Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    place: Place,

    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    /// The last version to run [default: all of them]
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// Run also files that come before one that was applied
    #[arg(long)]
    out_of_order: bool,

    /// Go on although files that were applied are not there any more
    #[arg(long)]
    ignore_missing: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Take SQL files back, the last one first
#[derive(Debug, Args)]
pub(super) struct DownArgs {
    #[command(flatten)]
    place: Place,

    /// How many versions to take back
    #[arg(value_name = "COUNT", default_value_t = 1, conflicts_with = "to")]
    count: usize,

    /// Take back all versions after this one
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations")]
    dir: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn new(args: &NewArgs) -> Result<ExitCode, Failure> {
    let kind = if args.irreversible { NewFiles::Irreversible } else { NewFiles::Reversible };
    let paths = new_files(&args.dir, &args.name, kind, &SystemClock::new())?;
    let mut out = std::io::stdout().lock();
    for path in paths {
        writeln!(out, "{}", escape::controls(&path.display().to_string()))
            .map_err(Failure::output)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn up(args: UpArgs) -> Result<ExitCode, Failure> {
    let files = MigrationFiles::from_folder(&args.dir)?;
    let mut options = UpOptions::new().with_ignore_missing(args.ignore_missing);
    if args.out_of_order {
        options = options.with_out_of_order(OutOfOrder::Allow);
    }
    if let Some(to) = &args.to {
        options = options.with_to(version(to)?);
    }
    let ran = args.place.migrator()?.up(&files, &options).await;
    finish(args.answer, "applied", ran)
}

pub(super) async fn down(args: DownArgs) -> Result<ExitCode, Failure> {
    let files = MigrationFiles::from_folder(&args.dir)?;
    let target = match &args.to {
        Some(to) => DownTarget::To(version(to)?),
        None => DownTarget::Steps(args.count),
    };
    let ran = args.place.migrator()?.down(&files, &target).await;
    finish(args.answer, "taken back", ran)
}

pub(super) fn version(text: &str) -> Result<FileVersion, Failure> {
    let usage = || Failure::Usage("a version is a number, such as that of a file".to_owned());
    FileVersion::parse(text).ok_or_else(usage)
}

/// Tells what ran, also if something failed after it.
fn finish(
    answer: AnswerArgs,
    done: &str,
    ran: Result<FileReport, FileRunError>,
) -> Result<ExitCode, Failure> {
    let (report, error) = match ran {
        Ok(report) => (report, None),
        Err(error) => (error.report().clone(), Some(error)),
    };
    let document: Vec<_> = report
        .files
        .iter()
        .map(|file| {
            json!({
                "version": file.version.to_string(),
                "path": file.path,
                "statements": file.statements,
                "out_of_order": file.out_of_order,
                "elapsed_us": u64::try_from(file.elapsed.as_micros()).unwrap_or(u64::MAX),
            })
        })
        .collect();
    answer.print(&document, |out, _color| {
        for file in &report.files {
            let path = escape::controls(&file.path);
            writeln!(out, "{done} {path}: {} statements", file.statements)?;
        }
        if report.files.is_empty() && error.is_none() {
            writeln!(out, "nothing to do")?;
        }
        Ok(())
    })?;
    match error {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}
