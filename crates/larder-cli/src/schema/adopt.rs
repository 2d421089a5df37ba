//! `larder schema adopt`: a database that somebody else made.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use larder::migrate::{HistorySource, Import, MigrateError, MigrationFiles};
use serde_json::json;

use super::{
    answer::AnswerArgs,
    command::REFUSED,
    models::{ModelsArgs, refs},
    place::Place,
};
use crate::{failure::Failure, output::escape};

/// Record a database as it is, without changing any table of it
///
/// Tables of models are recorded if they are as the models want them, and otherwise refused. With
/// --from, the history of another tool is taken over instead: SQL files that it has applied count
/// as applied.
#[derive(Debug, Args)]
pub(super) struct AdoptArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// The tool whose history is taken over
    #[arg(long, value_enum)]
    from: Option<Tool>,

    /// The folder with SQL files
    #[arg(long, value_name = "FOLDER", default_value = "migrations", requires = "from")]
    dir: PathBuf,

    /// Only tell what would be taken over
    #[arg(long, requires = "from")]
    dry_run: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tool {
    Diesel,
    Flyway,
    GolangMigrate,
    Refinery,
    Sqlx,
}

impl From<Tool> for HistorySource {
    fn from(tool: Tool) -> Self {
        match tool {
            Tool::Diesel => Self::Diesel,
            Tool::Flyway => Self::Flyway,
            Tool::GolangMigrate => Self::GolangMigrate,
            Tool::Refinery => Self::Refinery,
            Tool::Sqlx => Self::Sqlx,
        }
    }
}

pub(super) async fn run(args: AdoptArgs) -> Result<ExitCode, Failure> {
    match args.from {
        Some(tool) => import(&args, tool.into()).await,
        None => adopt(&args).await,
    }
}

async fn adopt(args: &AdoptArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    match args.place.migrator()?.adopt(&refs(&models)).await {
        Ok(_standings) => {
            let names: Vec<_> = models.iter().map(|model| &*model.name).collect();
            args.answer.print(&json!({ "adopted": names }), |out, _color| {
                for name in &names {
                    writeln!(out, "adopted {}", escape::controls(name))?;
                }
                Ok(())
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(MigrateError::Incompatible { differing }) => {
            let document: Vec<_> = differing
                .iter()
                .map(|(model, plan)| json!({ "model": model, "plan": **plan }))
                .collect();
            args.answer.print(
                &json!({ "adopted": [], "differing": document }),
                |out, _color| {
                    for (model, plan) in &differing {
                        let line = format!("{model} differs from its table: {plan}");
                        writeln!(out, "{}", escape::controls(&line))?;
                    }
                    writeln!(out, "nothing was recorded")
                },
            )?;
            Ok(ExitCode::from(REFUSED))
        }
        Err(error) => Err(error.into()),
    }
}

async fn import(args: &AdoptArgs, tool: HistorySource) -> Result<ExitCode, Failure> {
    let files = MigrationFiles::from_folder(&args.dir)?;
    let migrator = args.place.migrator()?;
    // What a plan finds is told whole; the import itself stops at the first file that differs.
    let import: Import = migrator.plan_import(&files, tool, None).await?;
    if !args.dry_run && import.changed.is_empty() {
        migrator.import(&files, tool, None).await?;
    }
    let versions = |of: &[larder::migrate::FileVersion]| {
        of.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let baseline: Vec<_> = import.baseline.iter().map(|one| one.version.to_string()).collect();
    let without_file: Vec<_> =
        import.without_file.iter().map(|entry| entry.version.to_string()).collect();
    let document = json!({
        "dry_run": args.dry_run,
        "adopted": baseline,
        "changed": versions(&import.changed),
        "known": versions(&import.known),
        "pending": versions(&import.pending),
        "without_file": without_file,
    });
    args.answer.print(&document, |out, _color| {
        let is_done = !args.dry_run && import.changed.is_empty();
        let verb = if is_done { "adopted" } else { "would adopt" };
        for version in &baseline {
            writeln!(out, "{verb} {version}")?;
        }
        for version in &import.changed {
            writeln!(out, "{version} is not the file that {} applied", tool.as_str())?;
        }
        for version in &without_file {
            writeln!(out, "{version} was applied, and there is no file of it")?;
        }
        for version in &import.pending {
            writeln!(out, "{version} was not applied")?;
        }
        Ok(())
    })?;
    Ok(if import.changed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}
