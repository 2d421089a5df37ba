//! `larder schema adopt`: a database that somebody else made.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use larder::migrate::{FileVersion, HistorySource, Import, MigrateError};
use serde_json::json;

use super::{
    answer::AnswerArgs,
    command::REFUSED,
    folder::FolderArgs,
    models::{ModelsArgs, refs},
    place::Place,
    report,
};
use crate::{
    failure::Failure,
    output::{Paint, escape},
};

/// Record a database as it is, without changing any table of it
///
/// Tables of models are recorded if they are as the models want them; otherwise nothing is
/// recorded.
///
/// With --from, the history of another tool is taken over instead: SQL files that it has applied
/// count as applied. Its own table is read and not written. A file that is not the one that the
/// tool has applied is told, and nothing is recorded then.
///
/// The exit code is 0 if everything was recorded, and 4 if nothing was because something differs.
#[derive(Debug, Args)]
pub(super) struct AdoptArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// The tool whose history is taken over
    #[arg(long, value_enum, conflicts_with = "models")]
    from: Option<Tool>,

    #[command(flatten)]
    folder: FolderArgs,

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
            let document = json!({ "adopted": names, "differing": [] });
            args.answer.print(&document, |out, color| {
                for name in &names {
                    let sign = Paint::Good.show("adopted", color);
                    writeln!(out, "{sign}  {}", escape::controls(name))?;
                }
                if names.is_empty() { report::settled(out, 0, color) } else { Ok(()) }
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(MigrateError::Incompatible { differing }) => {
            let document: Vec<_> = differing
                .iter()
                .map(|(model, plan)| json!({ "model": model, "plan": **plan }))
                .collect();
            let document = json!({ "adopted": [], "differing": document });
            args.answer.print(&document, |out, color| {
                for (model, plan) in &differing {
                    let sign = Paint::Bad.show("differs", color);
                    writeln!(out, "{sign}  {}", escape::controls(model))?;
                    report::difference(out, plan, color)?;
                }
                writeln!(out, "nothing was recorded")
            })?;
            Ok(ExitCode::from(REFUSED))
        }
        Err(error) => Err(error.into()),
    }
}

async fn import(args: &AdoptArgs, tool: HistorySource) -> Result<ExitCode, Failure> {
    let files = args.folder.read()?;
    let migrator = args.place.migrator()?;
    // What a plan finds is told whole; the import itself stops at the first file that differs.
    let import: Import = migrator.plan_import(&files, tool, None).await?;
    let is_fine = import.changed.is_empty();
    let is_done = is_fine && !args.dry_run;
    if is_done {
        migrator.import(&files, tool, None).await?;
    }
    let document = json!({
        "is_recorded": is_done,
        "adopted": import.baseline.iter().map(|one| one.version.to_string()).collect::<Vec<_>>(),
        "changed": texts(&import.changed),
        "known": texts(&import.known),
        "pending": texts(&import.pending),
        "without_file":
            import.without_file.iter().map(|one| one.version.to_string()).collect::<Vec<_>>(),
    });
    let adopted = if is_done { "adopted" } else { "would be adopted" };
    let verified = |verified| match verified {
        Some(true) => adopted.to_owned(),
        _ => format!("{adopted}; {tool} does not say whether it is the same file"),
    };
    let mut lines: Vec<(&FileVersion, Paint, String)> = Vec::new();
    for one in &import.baseline {
        lines.push((&one.version, Paint::Good, verified(one.verified)));
    }
    for version in &import.known {
        lines.push((version, Paint::Good, "in the registry already".to_owned()));
    }
    for version in &import.changed {
        lines.push((version, Paint::Bad, format!("not the file that {tool} has applied")));
    }
    for one in &import.without_file {
        lines.push((&one.version, Paint::Slow, format!("applied by {tool}, and not a file here")));
    }
    for version in &import.pending {
        lines.push((version, Paint::Plain, "not applied yet".to_owned()));
    }
    lines.sort_by_key(|(version, _, _)| *version);
    args.answer.print(&document, |out, color| {
        for (version, paint, text) in &lines {
            writeln!(out, "{version}  {}", paint.show(text, color))?;
        }
        if is_done { Ok(()) } else { writeln!(out, "nothing was recorded") }
    })?;
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

fn texts(versions: &[FileVersion]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
