//! `larder clusters dbinfo` and `optimize`: the file itself.

use clap::Args;
use larder::clusters::FileInfo;
use serde_json::json;

use super::{
    documents,
    place::Place,
    report::{fields, heading, size, yes_no},
};
use crate::{answer::AnswerArgs, failure::Failure};

/// Show path and sizes of the file and of its write-ahead log
///
/// The file is not opened, and need not be there.
#[derive(Debug, Args)]
pub(super) struct DbinfoArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Give room back, renew the planner's figures, and empty the write-ahead log
///
/// Other processes wait as long as it takes.
#[derive(Debug, Args)]
pub(super) struct OptimizeArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn dbinfo(args: &DbinfoArgs) -> Result<(), Failure> {
    let path = args.place.path()?;
    let info = FileInfo::of(&path).map_err(|source| Failure::File {
        path,
        action: "looked at",
        source,
    })?;
    args.answer.print(&documents::file(&info), |out, color| {
        heading(out, "Database Information", color)?;
        fields(
            out,
            &[
                ("Database Path", info.path.display().to_string()),
                ("Database Exists", yes_no(info.database_bytes.is_some())),
                ("Database Size", size(info.database_bytes)),
                ("WAL File Exists", yes_no(info.wal_bytes.is_some())),
                ("WAL File Size", size(info.wal_bytes)),
                ("SHM File Exists", yes_no(info.shm_bytes.is_some())),
                ("SHM File Size", size(info.shm_bytes)),
            ],
        )
    })
}

pub(super) fn optimize(args: &OptimizeArgs) -> Result<(), Failure> {
    let optimized = args.place.open()?.optimize()?;
    let document = json!({
        "before": documents::file(&optimized.before),
        "after": documents::file(&optimized.after),
        "log_is_empty": optimized.log_is_empty,
    });
    args.answer.print(&document, |out, _| {
        let before = optimized.before.total_bytes();
        let after = optimized.after.total_bytes();
        writeln!(out, "Database optimized: {before} bytes before, {after} bytes now")?;
        if optimized.log_is_empty {
            Ok(())
        } else {
            writeln!(out, "The write-ahead log is in use; the next writer empties it")
        }
    })
}
