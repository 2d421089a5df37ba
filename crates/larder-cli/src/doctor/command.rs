//! The subcommand: its options, and both parts looked at side by side.
//!
//! Guards that it ends in time whatever the servers do, and that one part that can not be reached
//! does not hide the other.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use tokio::time::timeout;

use super::{
    cache, database,
    finding::{Finding, Findings, Trouble},
    report,
};
use crate::{failure::Failure, output::wants_color, target::Target};

/// Look at the database and the cache that are configured, and say what to mend
///
/// Connects to both as a service would, and tells server, version, encryption, eviction,
/// persistence, replication, latency and clock, what will not work, and how to mend it. The cache
/// is written to: one entry under a random name, which is removed again.
///
/// The exit code is 0 if everything works, also with advice, and 1 if something does not.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    target: Target,

    /// How long to wait for each of the two, in whole seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    time_limit: u64,

    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,

    /// Use colour also where output does not go to a terminal
    #[arg(long, conflicts_with = "no_color")]
    color: bool,

    /// Use no colour [env: NO_COLOR]
    #[arg(long)]
    no_color: bool,
}

pub(crate) async fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let settings = args.target.settings()?;
    let limit = Duration::from_secs(args.time_limit);
    // A cache that is not configured is a choice; a database that is not is a mistake.
    let (database, cache) = tokio::join!(
        in_time(limit, settings.database_url.is_some(), database::examine(settings.database_url)),
        in_time(limit, settings.cache_url.is_some(), cache::examine(settings.cache_url)),
    );
    let findings = Findings::new(database, cache);

    let asked = if args.color || args.no_color { Some(args.color) } else { None };
    let stdout = io::stdout();
    let color = wants_color(asked, &stdout);
    let mut out = BufWriter::new(stdout.lock());
    if args.json {
        serde_json::to_writer_pretty(&mut out, &findings).map_err(Failure::json)?;
        writeln!(out).map_err(Failure::output)?;
    } else {
        report::write(&mut out, &findings, color).map_err(Failure::output)?;
    }
    out.flush().map_err(Failure::output)?;
    Ok(if findings.works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The finding, or that there was none in time.
async fn in_time(
    limit: Duration,
    is_configured: bool,
    examination: impl Future<Output = Finding>,
) -> Finding {
    match timeout(limit, examination).await {
        Ok(finding) => finding,
        Err(_elapsed) if is_configured => Finding::failed(None, Trouble::silent(limit)),
        Err(_elapsed) => Finding::not_configured(),
    }
}
