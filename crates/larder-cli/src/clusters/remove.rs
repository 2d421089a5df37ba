//! `larder clusters cleanup` and `clear`: clusters that go.

use clap::Args;
use serde_json::json;

use super::{confirm::ConfirmArgs, place::Place};
use crate::{answer::AnswerArgs, failure::Failure, output::counted};

/// Remove the clusters that have expired
///
/// Nobody is asked, because nobody can use them any more.
#[derive(Debug, Args)]
pub(super) struct CleanupArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// Remove all cached clusters; shared things stay
#[derive(Debug, Args)]
pub(super) struct ClearArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    confirm: ConfirmArgs,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn cleanup(args: &CleanupArgs) -> Result<(), Failure> {
    let removed = args.place.open()?.cleanup_expired()?;
    args.answer.print(&json!({ "removed": removed }), |out, _| {
        writeln!(out, "Removed {}", expired(removed))
    })
}

pub(super) fn clear(args: &ClearArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    let clusters = clusters(cache.statistics()?.total_clusters);
    let path = cache.file().path().display();
    args.confirm.ask(&format!("this removes {clusters} from {path}"))?;
    let removed = cache.clear()?;
    args.answer.print(&json!({ "removed": removed }), |out, _| {
        writeln!(out, "Cleared {}", self::clusters(removed))
    })
}

fn clusters(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "cluster")
}

fn expired(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "expired cluster")
}
