//! `larder schema apply`: what has to be done is done.
//!
//! Guards that what can not be taken back is done only if somebody said so twice: by the policy,
//! and by `--yes`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use larder::{
    migrate::{Applied, MigrateError, Migrator, Planned},
    model::Policy,
};
use serde_json::json;

use super::{
    answer::AnswerArgs,
    command::REFUSED,
    models::{ModelsArgs, read_file, refs},
    place::Place,
    plain::path,
    plan::PolicyArg,
    report::{self, View},
};
use crate::{
    failure::Failure,
    output::{Paint, counted, escape},
};

/// Bring the tables of models into shape
///
/// If the policy does not admit one of the steps, nothing is done. What can not be taken back is
/// done only with --policy full and --yes. A run that failed halfway is gone on with by the next.
/// Several at once are in order: those that come later find the work done.
///
/// With --plan, exactly what that plan says is done: if the schema is no longer the one that it
/// was made for, nothing is done.
///
/// The exit code is 0 if the tables are as they should be, and 4 if something is not admitted.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// A plan that `larder schema plan --json` printed, in place of the models
    #[arg(long, value_name = "FILE", conflicts_with = "models", value_parser = path)]
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

/// How often the models are planned at most. Whoever was overtaken mostly finds nothing left to do
/// the second time.
const PLANS_MAX: usize = 5;

pub(super) async fn run(args: ApplyArgs) -> Result<ExitCode, Failure> {
    let migrator = args.place.migrator()?;
    if let Some(path) = &args.plan {
        let text = read_file(path, "larder schema plan --json prints one")?;
        let planned = serde_json::from_str(&text)
            .map_err(|source| Failure::Models { path: path.clone(), source: source.into() })?;
        return apply(&args, &migrator, planned).await;
    }
    let models = args.models.read()?;
    let models = refs(&models);
    for _ in 1..PLANS_MAX {
        match apply(&args, &migrator, migrator.plan(&models).await?).await {
            // Somebody else changed the schema after it was looked at. Nobody has seen this plan,
            // so that another one is as good.
            Err(Failure::PlanOutdated) => {}
            ended => return ended,
        }
    }
    apply(&args, &migrator, migrator.plan(&models).await?).await
}

/// Does what was planned, and nothing else.
async fn apply(
    args: &ApplyArgs,
    migrator: &Migrator,
    mut planned: Planned,
) -> Result<ExitCode, Failure> {
    let policy: Policy = args.policy.into();
    let is_lossy = !report::lossy(&planned.plan).is_empty();
    // The rows in a file are those of another time, so that the migrator judges by its own.
    let is_refused = !planned.plan.refused(policy, &planned.rows).is_empty();
    if (is_refused && args.plan.is_none()) || (is_lossy && !args.yes) {
        return refuse(args, &planned);
    }
    match migrator.apply(&planned, policy).await {
        Ok(applied) => tell(args, &planned, &applied),
        Err(MigrateError::Refused { plan, refused }) => {
            planned.rows = vec![None; plan.steps.len()];
            for refusal in refused {
                if let Some(rows) = planned.rows.get_mut(refusal.step) {
                    *rows = refusal.rows;
                }
            }
            planned.plan = (*plan).clone();
            refuse(args, &planned)
        }
        Err(MigrateError::PlanOutdated { .. }) => Err(Failure::PlanOutdated),
        Err(error) => Err(error.into()),
    }
}

/// Tells why nothing was done.
fn refuse(args: &ApplyArgs, planned: &Planned) -> Result<ExitCode, Failure> {
    let policy: Policy = args.policy.into();
    let refused = planned.plan.refused(policy, &planned.rows);
    let document = json!({
        "applied": false,
        "versions": [],
        "refused": refused,
        "needs_yes": refused.is_empty(),
        "planned": planned,
    });
    args.answer.print(&document, |out, color| {
        let view = View { policy, sql: false, color };
        report::plan(out, planned, view)?;
        report::verdict(out, planned, view)?;
        if refused.is_empty() {
            let lossy: Vec<_> = report::lossy(&planned.plan).iter().map(|at| at + 1).collect();
            let lossy = report::named(&lossy);
            writeln!(out, "{lossy} can not be taken back: --yes has it done nevertheless")?;
        }
        writeln!(out, "{}", Paint::Bad.show("nothing was done", color))
    })?;
    Ok(ExitCode::from(REFUSED))
}

/// Tells what was done.
fn tell(args: &ApplyArgs, planned: &Planned, applied: &Applied) -> Result<ExitCode, Failure> {
    let document = json!({
        "applied": true,
        "versions": applied.versions,
        "refused": [],
        "needs_yes": false,
        "planned": planned,
    });
    args.answer.print(&document, |out, color| {
        report::plan(out, planned, View { policy: args.policy.into(), sql: false, color })?;
        if !planned.plan.is_empty() {
            let text = format!("done in {}", counted(planned.plan.steps.len(), "step"));
            writeln!(out, "{}", Paint::Good.show(&text, color))?;
        }
        if !applied.versions.is_empty() {
            let versions = applied.versions.join(", ");
            writeln!(out, "in the history as {}", escape::controls(&versions))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
