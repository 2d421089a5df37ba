//! `larder schema new`, `up` and `down`: SQL files.

use std::{io::Write, process::ExitCode};

use clap::Args;
use larder::{
    core::SystemClock,
    migrate::{
        DownTarget, FileReport, FileRunError, FileVersion, NewFiles, OutOfOrder, UpOptions,
        new_files,
    },
};
use serde_json::json;

use super::{answer::AnswerArgs, folder::FolderArgs, place::Place, plain::name};
use crate::{
    failure::{Failure, chain},
    output::{counted, escape, latency},
};

/// Create the files of a new migration
///
/// Their version is the time in UTC, such as 20240501120000_add_seats.up.sql. The folder is made if
/// it is not there, and nothing is overwritten. Their paths are printed.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// What the migration is for, such as "add seats"
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,

    #[command(flatten)]
    folder: FolderArgs,

    /// Create no file that takes the migration back
    #[arg(long)]
    irreversible: bool,
}

/// Run SQL files that were not run yet
///
/// They run in the order of their versions, each in a transaction with its line in the history
/// where the database can do that. The first one that fails ends the run; those before it stay.
///
/// Nothing runs if a file that was applied was edited or is missing, or if one comes before the
/// last that was applied.
#[derive(Debug, Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    folder: FolderArgs,

    /// The last version to run [default: the last file's]
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// Run also files that come before one that was applied
    #[arg(long)]
    out_of_order: bool,

    /// Run although files that were applied are missing
    #[arg(long)]
    ignore_missing: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Take SQL files back, the last one first
///
/// A version is taken back by its other file, such as 7_seats.down.sql. If one of them has none,
/// nothing is taken back.
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

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn new(args: &NewArgs) -> Result<ExitCode, Failure> {
    let kind = if args.irreversible { NewFiles::Irreversible } else { NewFiles::Reversible };
    let paths = new_files(&args.folder.dir, &args.name, kind, &SystemClock::new())?;
    let mut out = std::io::stdout().lock();
    for path in paths {
        writeln!(out, "{}", escape::controls(&path.display().to_string()))
            .map_err(Failure::output)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn up(args: UpArgs) -> Result<ExitCode, Failure> {
    let files = args.folder.read()?;
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
    let files = args.folder.read()?;
    let target = match &args.to {
        Some(to) => DownTarget::To(version(to)?),
        None => DownTarget::Steps(args.count),
    };
    let ran = args.place.migrator()?.down(&files, &target).await;
    finish(args.answer, "taken back", ran)
}

pub(super) fn version(text: &str) -> Result<FileVersion, Failure> {
    let usage =
        || Failure::Usage("a version is a number, as the name of a file begins with".to_owned());
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
    let failed = error.as_ref().map(|error| chain(error));
    answer.print(&json!({ "files": document, "error": failed }), |out, _color| {
        for file in &report.files {
            let path = escape::controls(&file.path);
            let statements = counted(file.statements, "statement");
            let took = latency(file.elapsed);
            writeln!(out, "{done} {path}: {statements} in {took}")?;
        }
        if report.files.is_empty() && error.is_none() {
            writeln!(out, "there is nothing to do")?;
        }
        Ok(())
    })?;
    match error {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}
