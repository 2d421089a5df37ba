//! `larder schema apply`: what has to be done is done.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Args;
use larder::{
    migrate::{MigrateError, Planned},
    model::{Class, Policy},
};
use serde_json::json;

use super::{
    answer::AnswerArgs,
    command::REFUSED,
    models::{ModelsArgs, refs},
    place::Place,
    plan::PolicyArg,
    report,
};
use crate::failure::Failure;

/// Bring the tables of models into shape
///
/// A plan that loses something is applied only with --policy full and --yes, and only as it was
/// shown: if the schema has changed since, nothing is done.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// A plan that `larder schema plan --json` printed, in place of the models
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// What may be done
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyArg,

    /// Do also what can not be taken back
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) async fn run(args: ApplyArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    let planned = match &args.plan {
        Some(path) => read(path)?,
        None => migrator.plan(&refs(&args.models.read()?)).await?,
    };
    let policy: Policy = args.policy.into();
    let refused = planned.plan.refused(policy, &planned.rows);
    let is_lossy = planned.plan.steps.iter().any(|step| step.class == Class::Destructive);
    if !refused.is_empty() || (is_lossy && !args.yes) {
        let document = json!({ "applied": false, "refused": refused, "planned": planned });
        args.answer.print(&document, |out, color| {
            report::plan(out, &planned, policy, false, color)?;
            if refused.is_empty() {
                writeln!(out, "some of them can not be taken back: say --yes to have them done")?;
            }
            writeln!(out, "nothing was done")
        })?;
        return Ok(ExitCode::from(REFUSED));
    }
    let applied = match migrator.apply(&planned, policy).await {
        Ok(applied) => applied,
        Err(MigrateError::Refused { plan, refused }) => {
            let document = json!({ "applied": false, "refused": refused, "plan": *plan });
            args.answer.print(&document, |out, _color| {
                writeln!(out, "{} steps are not admitted any more", refused.len())?;
                writeln!(out, "nothing was done")
            })?;
            return Ok(ExitCode::from(REFUSED));
        }
        Err(error) => return Err(error.into()),
    };
    let document = json!({ "applied": true, "versions": applied.versions, "planned": planned });
    args.answer.print(&document, |out, color| {
        report::plan(out, &planned, policy, false, color)?;
        for version in &applied.versions {
            writeln!(out, "applied {version}")?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &PathBuf) -> Result<Planned, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::File {
        path: path.clone(),
        action: "read",
        source,
    })?;
    serde_json::from_str(&text)
        .map_err(|source| Failure::Models { path: path.clone(), source: source.into() })
}
