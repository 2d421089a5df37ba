//! `larder clusters list`: all clusters, or those that are meant.

use clap::{Args, builder::PossibleValuesParser};
use larder::clusters::{ClusterFilter, ClusterStatus};
use serde_json::json;

use super::{documents, place::Place, report};
use crate::{answer::AnswerArgs, failure::Failure};

/// Show all cached clusters, the newest first, or those that fit all conditions
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    place: Place,

    /// Only the active one
    #[arg(long)]
    active: bool,

    /// Only those that have expired
    #[arg(long)]
    expired: bool,

    /// Only those that have not expired
    #[arg(long, conflicts_with = "expired")]
    valid: bool,

    /// Only those that several processes use
    #[arg(long)]
    shared: bool,

    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Only those of this workspace
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Only those of which the provider said this
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    #[arg(value_parser = PossibleValuesParser::new(ClusterStatus::ALL.map(ClusterStatus::as_str)))]
    status: Option<String>,

    #[command(flatten)]
    answer: AnswerArgs,
}

impl ListArgs {
    fn filter(&self) -> ClusterFilter {
        let mut filter = ClusterFilter::new();
        filter.active = self.active.then_some(true);
        filter.shared = self.shared.then_some(true);
        filter.expired = (self.expired || self.valid).then_some(self.expired);
        filter.name.clone_from(&self.name);
        filter.host.clone_from(&self.host);
        filter.status = self.status.as_deref().map(ClusterStatus::from_word);
        filter
    }
}

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let cache = args.place.open()?;
    let clusters = cache.clusters(&args.filter())?;
    let now_ms = cache.now_ms();
    let documents: Vec<_> =
        clusters.iter().map(|cluster| documents::cluster(cluster, now_ms)).collect();
    args.answer.print(&json!({ "clusters": documents }), |out, color| {
        if clusters.is_empty() {
            return writeln!(out, "No cached clusters");
        }
        report::heading(out, "Cached Clusters", color)?;
        for (index, cluster) in clusters.iter().enumerate() {
            report::cluster(out, index + 1, cluster, now_ms, color)?;
        }
        Ok(())
    })
}
