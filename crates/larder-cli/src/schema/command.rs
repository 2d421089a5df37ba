//! The subcommands of `larder schema`.
//!
//! Guards that a pipeline can tell apart what it has to: 0 for a schema that is as it should be,
//! 3 for one that has to be changed, 4 for one that may not be changed, 1 for trouble, 2 for a
//! command line that makes no sense.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{adopt, apply, cache, dump, fanout, files, lint, plan, repair, status, verify};
use crate::failure::Failure;

/// Something has to be done that nobody was asked to do.
pub(super) const PENDING: u8 = 3;
/// Something would have to be done that is not admitted.
pub(super) const REFUSED: u8 = 4;

/// Compare tables with their models and change them; run SQL files; look at the history
///
/// Models come from a file that a service writes with `larder::migrate::models_to_json`, by default
/// larder-schema.json. SQL files come from a folder, by default migrations. Both share one history,
/// which the database keeps in tables whose names begin with dataflow_.
///
/// The exit code is 0 if everything is as it should be, 3 if something has to be done, 4 if
/// something has to be done that is not admitted, 1 if something went wrong, and 2 if the command
/// line makes no sense.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Adopt(adopt::AdoptArgs),
    Apply(apply::ApplyArgs),
    Cache(cache::CacheArgs),
    Down(files::DownArgs),
    Dump(dump::DumpArgs),
    Fanout(fanout::FanoutArgs),
    Lint(lint::LintArgs),
    New(files::NewArgs),
    Plan(plan::PlanArgs),
    Repair(repair::RepairArgs),
    Status(status::StatusArgs),
    Up(files::UpArgs),
    Verify(verify::VerifyArgs),
}

pub(crate) async fn run(args: SchemaArgs) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Adopt(args) => adopt::run(args).await,
        Command::Apply(args) => apply::run(args).await,
        Command::Cache(args) => cache::run(args).await,
        Command::Down(args) => files::down(args).await,
        Command::Dump(args) => dump::run(args).await,
        Command::Fanout(args) => fanout::run(args).await,
        Command::Lint(args) => lint::run(&args),
        Command::New(args) => files::new(&args),
        Command::Plan(args) => plan::run(args).await,
        Command::Repair(args) => repair::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Up(args) => files::up(args).await,
        Command::Verify(args) => verify::run(args).await,
    }
}
