//! `larder schema dump`: a database's schema, as statements or as JSON.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::Args;

use super::{answer::AnswerArgs, place::Place};
use crate::{failure::Failure, output::escape};

/// Print the schema of a database: statements that make it, or with --json its description
///
/// The statements stand in an order in which they can run on an empty database. The registry's
/// tables are left out, and so is what no model can have, such as views and triggers.
#[derive(Debug, Args)]
pub(super) struct DumpArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: DumpArgs) -> Result<ExitCode, Failure> {
    let dump = args.place.migrator()?.dump().await?;
    args.answer.print(&dump, |out, _color| {
        let is_seen = io::stdout().is_terminal();
        for statement in &dump.statements {
            if is_seen {
                for line in format!("{statement};").lines() {
                    writeln!(out, "{}", escape::controls(line))?;
                }
            } else {
                // As it is, because somebody may run it.
                writeln!(out, "{statement};")?;
            }
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
