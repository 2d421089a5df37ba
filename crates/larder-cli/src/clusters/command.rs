//! The subcommands of `larder clusters`.
//!
//! Guards that a script can tell apart what it has to: 0 for what was done, 4 for what was not
//! done because nobody said yes, 1 for trouble, 2 for a command line that makes no sense.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{add, copies, file, history, import, list, remove, shared, status, watch};
use crate::failure::Failure;

/// Look at cached clusters and at what processes share, add to them and clean them up
///
/// Both lie in one SQLite file, which --file or LARDER_CLUSTERS_FILE names, by default
/// larder/clusters.db in $XDG_STATE_HOME, %LOCALAPPDATA% or ~/.local/state. A file of the Python
/// tool is taken over: what is missing is added, and the tool goes on with it.
///
/// DATABRICKS_HOST is the workspace of clusters that are added, and DATABRICKS_CLUSTER_ID the
/// cluster that is meant where none is named. The value of DATABRICKS_TOKEN is stored nowhere and
/// shown nowhere.
///
/// The exit code is 0 if it was done, 4 if it needs a yes that nobody gave, 1 if something went
/// wrong, and 2 if the command line makes no sense.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct ClustersArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(add::AddArgs),
    Backup(copies::BackupArgs),
    Cleanup(remove::CleanupArgs),
    CleanupShared(shared::CleanupSharedArgs),
    Clear(remove::ClearArgs),
    Dbinfo(file::DbinfoArgs),
    History(history::HistoryArgs),
    Import(import::ImportArgs),
    List(list::ListArgs),
    Optimize(file::OptimizeArgs),
    Restore(copies::RestoreArgs),
    Shared(shared::SharedArgs),
    Status(status::StatusArgs),
    Watch(watch::WatchArgs),
}

pub(crate) async fn run(args: ClustersArgs) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Add(args) => add::run(&args),
        Command::Backup(args) => copies::backup(&args),
        Command::Cleanup(args) => remove::cleanup(&args),
        Command::CleanupShared(args) => shared::cleanup(&args),
        Command::Clear(args) => remove::clear(&args),
        Command::Dbinfo(args) => file::dbinfo(&args),
        Command::History(args) => history::run(&args),
        Command::Import(args) => import::run(&args),
        Command::List(args) => list::run(&args),
        Command::Optimize(args) => file::optimize(&args),
        Command::Restore(args) => copies::restore(&args),
        Command::Shared(args) => shared::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Watch(args) => watch::run(&args).await,
    }
    .map(|()| ExitCode::SUCCESS)
}
