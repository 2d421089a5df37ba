//! `larder clusters status`: how much is cached, and which cluster is to be used.

use clap::Args;
use larder::clusters::{CachedCluster, ClusterCache, Statistics};
use serde_json::{Value, json};

use super::{documents, place::Place, report};
use crate::{answer::AnswerArgs, failure::Failure};

/// Show statistics and the active cluster
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    place: Place,

    /// Print the figures in Prometheus' text format, for its text file collector
    #[arg(long, conflicts_with_all = ["json", "color", "no_color"])]
    prometheus: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    if args.prometheus {
        let text = cache.prometheus()?;
        return args.answer.print(&Value::Null, |out, _| write!(out, "{text}"));
    }
    let seen = Seen::of(&cache)?;
    args.answer.print(&seen.document(), |out, color| {
        report::heading(out, "Cache Statistics", color)?;
        report::statistics(out, &seen.statistics)?;
        report::active(out, seen.active.as_ref(), seen.now_ms, color)
    })
}

/// What the cache says at one moment.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now_ms: i64,
    pub(super) statistics: Statistics,
    pub(super) active: Option<CachedCluster>,
}

impl Seen {
    pub(super) fn of(cache: &ClusterCache) -> Result<Self, Failure> {
        Ok(Self {
            now_ms: cache.now_ms(),
            statistics: cache.statistics()?,
            active: cache.load_cluster_cache()?,
        })
    }

    pub(super) fn document(&self) -> Value {
        let cluster = |cluster| documents::cluster(cluster, self.now_ms);
        json!({
            "statistics": documents::statistics(&self.statistics),
            "active": self.active.as_ref().map(cluster),
        })
    }
}
