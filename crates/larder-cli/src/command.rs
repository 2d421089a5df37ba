//! The command line: which subcommands there are, and how one is run.
//!
//! Guards that every outcome becomes an exit code: 0, 1 for what went wrong, 2 for a command line
//! that makes no sense.

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use crate::{
    clusters::{self, ClustersArgs},
    demo::{self, DemoArgs},
    doctor::{self, DoctorArgs},
    failure::Failure,
    query::{self, QueryArgs},
    schema::{self, SchemaArgs},
    usage,
};

/// A correct, fast cache in front of SQL.
#[derive(Debug, Parser)]
#[command(name = "larder", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Clusters(ClustersArgs),
    Demo(DemoArgs),
    Doctor(DoctorArgs),
    Query(QueryArgs),
    Schema(SchemaArgs),
}

/// How long the end of the process waits for what still runs, such as the resolution of a name
/// that nobody waits for any more.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_millis(100);

/// Runs the command that the process was started with.
///
/// Prints to standard output and standard error, and returns the exit code: 0; 1 if something
/// went wrong, which one line on standard error then tells; 2 if the command line makes no sense.
#[must_use]
pub fn run() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, &args),
    };
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::Runtime { source })?;
    let outcome = runtime.block_on(async {
        let done = |()| ExitCode::SUCCESS;
        match command {
            Command::Clusters(args) => Box::pin(clusters::run(args)).await,
            Command::Demo(args) => Box::pin(demo::run(args)).await.map(done),
            Command::Doctor(args) => Box::pin(doctor::run(args)).await,
            Command::Query(args) => Box::pin(query::run(args)).await.map(done),
            Command::Schema(args) => Box::pin(schema::run(args)).await,
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_TIME_MAX);
    outcome
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
