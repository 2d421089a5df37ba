//! The command line: which subcommands there are, and how one is run.
//!
//! Guards that every outcome becomes an exit code: 0, 1 for what went wrong, 2 for a command line
//! that makes no sense.

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    demo::{self, DemoArgs},
    failure::Failure,
    query::{self, QueryArgs},
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
    Demo(DemoArgs),
    Query(QueryArgs),
}

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
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::Runtime { source })?;
    runtime.block_on(async {
        match command {
            Command::Demo(args) => Box::pin(demo::run(args)).await,
            Command::Query(args) => Box::pin(query::run(args)).await,
        }
    })
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
