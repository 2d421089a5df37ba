//! References that go for a while and come back.
//!
//! Guards that such a step says so, by which a run that was broken off in between is known to have
//! left something off; and that what it left off is not taken off again.

use super::{context::Context, steps_of};
use crate::{
    Change, Class, ForeignKey, Interlude, Step, TableName,
    missing::{BROKEN_OFF, Restoring},
};

/// The steps of a change.
pub(super) fn steps(context: &Context<'_>, change: &Change, restoring: &Restoring) -> Vec<Step> {
    let (Change::AddForeignKey(table, key) | Change::DropForeignKey(table, key)) = change else {
        return steps_of(context, change);
    };
    let former = context.former(table);
    let (is_off, is_unchecked) =
        (restoring.is_off(former, key), restoring.is_unchecked(former, key));
    match change {
        Change::DropForeignKey(..) if is_off => Vec::new(),
        Change::DropForeignKey(..) if comes_back(context, table, key) => {
            with(steps_of(context, change), |step| Step {
                interlude: Some(Interlude::TakesOff(key.clone())),
                ..step
            })
        }
        Change::AddForeignKey(..) if was_there(context, table, key) || is_unchecked => {
            let steps = with(steps_of(context, change), |step| Step {
                interlude: Some(Interlude::PutsBack(key.clone())),
                ..step
            });
            match is_off || is_unchecked {
                true => with(steps, |step| restoring_step(key, step)),
                false => steps,
            }
        }
        _ => steps_of(context, change),
    }
}

fn with(steps: Vec<Step>, change: impl Fn(Step) -> Step) -> Vec<Step> {
    steps.into_iter().map(change).collect()
}

/// Nothing that was not there before a run that was broken off.
fn restoring_step(key: &ForeignKey, step: Step) -> Step {
    Step {
        description: format!(
            "bring back foreign key ({}) to {}",
            key.columns.join(", "),
            key.target
        ),
        class: Class::Additive,
        reason: Some(BROKEN_OFF.to_owned()),
        ..step
    }
}

fn is_it(change: &Change, table: &TableName, key: &ForeignKey) -> bool {
    match change {
        Change::AddForeignKey(of, other) | Change::DropForeignKey(of, other) => {
            of == table && *other == ForeignKey { validated: other.validated, ..key.clone() }
        }
        _ => false,
    }
}

fn comes_back(context: &Context<'_>, table: &TableName, key: &ForeignKey) -> bool {
    let mut changes = context.changes.iter();
    changes.any(|change| matches!(change, Change::AddForeignKey(..)) && is_it(change, table, key))
}

fn was_there(context: &Context<'_>, table: &TableName, key: &ForeignKey) -> bool {
    let mut changes = context.changes.iter();
    changes.any(|change| matches!(change, Change::DropForeignKey(..)) && is_it(change, table, key))
}
