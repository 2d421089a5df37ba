//! `larder clusters backup` and `restore`: copies of the file.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{confirm::ConfirmArgs, place::Place};
use crate::{
    answer::AnswerArgs,
    failure::Failure,
    output::{counted, escape},
    plain::path,
};

/// Copy the file, as it is at one moment, while others go on
///
/// The copy replaces nothing.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    place: Place,

    /// The copy
    #[arg(value_name = "COPY", value_parser = path)]
    copy: PathBuf,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Put what a copy says in the place of what the file says
///
/// Other processes see either all of the old or all of the new. While one of them uses or makes
/// something that is shared, nothing is restored. The copy is only read; it may also be a file that
/// the Python tool made.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    place: Place,

    /// The copy
    #[arg(value_name = "COPY", value_parser = path)]
    copy: PathBuf,

    #[command(flatten)]
    confirm: ConfirmArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let bytes = args.place.open()?.backup(&args.copy)?;
    args.answer.print(&json!({ "copy": args.copy, "bytes": bytes }), |out, _| {
        let copy = args.copy.display().to_string();
        writeln!(out, "Copied {bytes} bytes to {}", escape::controls(&copy))
    })
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let path = args.place.path()?;
    let (path, copy) = (path.display(), args.copy.display());
    args.confirm.ask(&format!("this replaces what {path} says by what {copy} says"))?;
    let clusters = args.place.open_or_create(|options| options)?.restore(&args.copy)?;
    args.answer.print(&json!({ "clusters": clusters }), |out, _| {
        let clusters = counted(usize::try_from(clusters).unwrap_or(usize::MAX), "cluster");
        writeln!(out, "Restored {clusters}")
    })
}
