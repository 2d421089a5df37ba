//! `larder schema dump`: a database's schema, as statements or as JSON.

use std::process::ExitCode;

use clap::Args;

use super::{answer::AnswerArgs, place::Place};
use crate::failure::Failure;

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
        for statement in &dump.statements {
            writeln!(out, "{statement};")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
