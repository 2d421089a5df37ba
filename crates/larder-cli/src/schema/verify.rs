//! `larder schema verify`: whether everything is as it should be.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use larder::{
    migrate::{LockFile, LockFileError, PlannedModel, Standing},
    model::Plan,
};
use serde::Serialize;

use super::{
    answer::AnswerArgs,
    command::PENDING,
    models::{ModelsArgs, refs},
    place::Place,
};
use crate::{
    failure::Failure,
    output::{Paint, escape},
};

/// Check that tables are as their models want them; nothing is written and no lock is taken
///
/// With --lock, no database is asked: the models are compared with the checksums in that file,
/// which --write-lock writes. So a pipeline without a database notices a model that was changed
/// without its migration.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// Compare with the checksums in this file, and with no database
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
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
    table: String,
    is_ensured: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Plan>,
}

pub(super) async fn run(args: VerifyArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    if let Some(path) = &args.lock {
        return offline(&args, path, &models);
    }
    let standings = args.place.migrator()?.verify(&refs(&models)).await?;
    let verdict = |(model, standing): (&PlannedModel, &Standing)| {
        let plan = standing.plan().map(|plan| &**plan);
        (model.name.clone(), model.table.name().as_str().to_owned(), plan.cloned())
    };
    let found: Vec<_> = models.iter().zip(&standings).map(verdict).collect();
    let verdicts: Vec<_> = found
        .iter()
        .map(|(model, table, plan)| Verdict {
            model,
            table: table.clone(),
            is_ensured: plan.is_none(),
            difference: plan.as_ref().map(ToString::to_string),
            plan: plan.as_ref(),
        })
        .collect();
    print(args.answer, &verdicts)
}

/// Compares with the file that keeps the checksums.
fn offline(args: &VerifyArgs, path: &Path, models: &[PlannedModel]) -> Result<ExitCode, Failure> {
    let file = |action| move |source| Failure::File { path: path.to_owned(), action, source };
    if args.write_lock {
        fs::write(path, LockFile::of(&refs(models)).to_json()).map_err(file("written"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = fs::read_to_string(path).map_err(file("read"))?;
    let kept: LockFile = text.parse().map_err(|source: LockFileError| Failure::Models {
        path: path.to_owned(),
        source: source.into(),
    })?;
    let differing = kept.compare(&refs(models));
    let lines: Vec<_> = differing.iter().map(ToString::to_string).collect();
    args.answer.print(&lines, |out, color| {
        for line in &lines {
            let sign = Paint::Bad.show("differs", color);
            writeln!(out, "{sign}  {}", escape::controls(line))?;
        }
        if lines.is_empty() {
            writeln!(
                out,
                "{}",
                Paint::Good.show("every model has the checksum of the file", color)
            )?;
        }
        Ok(())
    })?;
    Ok(if lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}

fn print(answer: AnswerArgs, verdicts: &[Verdict<'_>]) -> Result<ExitCode, Failure> {
    answer.print(&verdicts, |out, color| {
        for verdict in verdicts {
            let (sign, paint) =
                if verdict.is_ensured { ("ok", Paint::Good) } else { ("differs", Paint::Bad) };
            let text = match &verdict.difference {
                Some(difference) => format!("{}: {difference}", verdict.model),
                None => format!("{} ({})", verdict.model, verdict.table),
            };
            writeln!(out, "{:<8} {}", paint.show(sign, color), escape::controls(&text))?;
        }
        Ok(())
    })?;
    let is_fine = verdicts.iter().all(|verdict| verdict.is_ensured);
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}
