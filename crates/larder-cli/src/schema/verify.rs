//! `larder schema verify`: whether everything is as it should be.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use larder::{
    migrate::{LockFile, LockFileDifference, LockFileError, PlannedModel},
    model::Plan,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    answer::AnswerArgs,
    command::PENDING,
    models::{ModelsArgs, read_file, refs},
    place::Place,
    plain::path,
    report,
};
use crate::{
    failure::Failure,
    output::{Paint, counted, escape},
};

/// Check that tables are as their models want them
///
/// Nothing is written and no lock is taken, so that a role without the right to change the schema
/// will do.
///
/// With --lock, no database is asked and none has to be named: the models are compared with the
/// checksums in that file, which --write-lock writes. So a pipeline without a database notices a
/// model that was changed without anybody saying so.
///
/// The exit code is 0 if everything is as it should be, and 3 if something differs.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// Compare with the checksums in this file, and with no database
    #[arg(long, value_name = "FILE", conflicts_with = "database", value_parser = path)]
    lock: Option<PathBuf>,

    /// Write the checksums of the models into the file that --lock names
    #[arg(long, requires = "lock")]
    write_lock: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// What is said of one model.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    model: &'a str,
    table: &'a str,
    is_ensured: bool,
    plan: Option<&'a Plan>,
}

pub(super) async fn run(args: VerifyArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    match &args.lock {
        Some(path) if args.write_lock => write_lock(&args, path, &models),
        Some(path) => offline(&args, path, &models),
        None => online(&args, &models).await,
    }
}

async fn online(args: &VerifyArgs, models: &[PlannedModel]) -> Result<ExitCode, Failure> {
    let standings = args.place.migrator()?.verify(&refs(models)).await?;
    let verdicts: Vec<_> = models
        .iter()
        .zip(&standings)
        .map(|(model, standing)| Verdict {
            model: &model.name,
            table: model.table.name().as_str(),
            is_ensured: standing.is_ensured(),
            plan: standing.plan().map(|plan| &**plan),
        })
        .collect();
    let is_fine = verdicts.iter().all(|verdict| verdict.is_ensured);
    let document = json!({ "is_ensured": is_fine, "models": verdicts });
    args.answer.print(&document, |out, color| {
        for verdict in &verdicts {
            let Verdict { model, table, plan, .. } = verdict;
            let name = escape::controls(model);
            match plan {
                Some(plan) => {
                    writeln!(out, "{}  {name}", Paint::Bad.show("differs", color))?;
                    report::difference(out, plan, color)?;
                }
                None => {
                    let table = escape::controls(table);
                    writeln!(out, "{}  {name}, {table}", Paint::Good.show("ok     ", color))?;
                }
            }
        }
        match (is_fine, models.is_empty()) {
            (true, true) => report::settled(out, 0, color),
            (true, false) => Ok(()),
            (false, _) => {
                let differing = verdicts.iter().filter(|verdict| !verdict.is_ensured).count();
                let all = counted(models.len(), "model");
                writeln!(out, "\nnot as it should be: {differing} of {all}")
            }
        }
    })?;
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

fn write_lock(
    args: &VerifyArgs,
    path: &Path,
    models: &[PlannedModel],
) -> Result<ExitCode, Failure> {
    fs::write(path, LockFile::of(&refs(models)).to_json()).map_err(|source| Failure::File {
        path: path.to_owned(),
        action: "written",
        source,
    })?;
    let document = json!({ "written": path, "models": models.len() });
    args.answer.print(&document, |out, _color| {
        let shown = path.display().to_string();
        let models = counted(models.len(), "model");
        writeln!(out, "{} has the checksums of {models}", escape::controls(&shown))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Compares with the file that keeps the checksums.
fn offline(args: &VerifyArgs, path: &Path, models: &[PlannedModel]) -> Result<ExitCode, Failure> {
    let text = read_file(path, "--write-lock writes it")?;
    let kept: LockFile = text.parse().map_err(|source: LockFileError| Failure::Models {
        path: path.to_owned(),
        source: source.into(),
    })?;
    let differing = kept.compare(&refs(models));
    let is_same = differing.is_empty();
    let document: Vec<_> = differing.iter().map(described).collect();
    args.answer.print(&json!({ "is_same": is_same, "models": document }), |out, color| {
        for one in &differing {
            let sign = Paint::Bad.show("differs", color);
            writeln!(out, "{sign}  {}", escape::controls(&one.to_string()))?;
        }
        if is_same {
            let text = format!("{} as in the file", counted(models.len(), "model"));
            return writeln!(out, "{}", Paint::Good.show(&text, color));
        }
        writeln!(out, "if that is meant, --write-lock writes the file anew")
    })?;
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

fn described(one: &LockFileDifference) -> Value {
    match one {
        LockFileDifference::Added { model } => json!({ "model": model, "difference": "added" }),
        LockFileDifference::Changed { model, from, to } => {
            json!({ "model": model, "difference": "changed", "from": from, "to": to })
        }
        LockFileDifference::Removed { model } => {
            json!({ "model": model, "difference": "removed" })
        }
        other => json!({ "model": other.to_string(), "difference": "other" }),
    }
}
