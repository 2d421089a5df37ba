//! `larder schema plan`: what would have to be done.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use larder::model::Policy;

use super::{
    answer::AnswerArgs,
    command::{PENDING, REFUSED},
    models::{ModelsArgs, refs},
    place::Place,
    report::{self, View},
};
use crate::failure::Failure;

/// Show what would have to be done to the tables of models, without doing it
///
/// Nothing is changed and no lock is taken. Each step says what it costs, whom it makes wait, and
/// which rows stand in its way; a + is admitted by the policy, a ! is not.
///
/// With --json, the plan is a document that can be kept, looked at by somebody else, and given to
/// `larder schema apply --plan`.
///
/// The exit code is 0 if there is nothing to do, 3 if the policy admits every step, and 4 if it
/// does not.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    models: ModelsArgs,

    /// The policy to judge the steps by
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyArg,

    /// Show the statements too
    #[arg(long)]
    sql: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

/// A policy, as the command line has it; the mildest first.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum PolicyArg {
    /// Tables are created, and columns added that the rows can do without
    #[default]
    Additive,
    /// All that changes no stored value and lets others go on
    Safe,
    /// Everything that a statement can do, also what rewrites tables or loses rows
    Full,
}

impl From<PolicyArg> for Policy {
    fn from(policy: PolicyArg) -> Self {
        match policy {
            PolicyArg::Additive => Self::Additive,
            PolicyArg::Safe => Self::Safe,
            PolicyArg::Full => Self::Full,
        }
    }
}

pub(super) async fn run(args: PlanArgs) -> Result<ExitCode, Failure> {
    let models = args.models.read()?;
    let planned = args.place.migrator()?.plan(&refs(&models)).await?;
    let policy = args.policy.into();
    args.answer.print(&planned, |out, color| {
        let view = View { policy, sql: args.sql, color };
        report::plan(out, &planned, view)?;
        report::verdict(out, &planned, view)
    })?;
    Ok(if planned.plan.is_empty() {
        ExitCode::SUCCESS
    } else if planned.plan.refused(policy, &planned.rows).is_empty() {
        ExitCode::from(PENDING)
    } else {
        ExitCode::from(REFUSED)
    })
}
