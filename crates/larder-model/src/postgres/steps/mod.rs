//! How changes are made on PostgreSQL, and what each of them costs.
//!
//! Guards that nothing is scanned or rewritten while others wait if there is another way, and that
//! a step which was broken off can run again.

mod column;
mod column_type;
mod constraint;
mod context;
mod conversion;
mod enumerated;
mod filling;
mod generated;
mod identity;
mod index;
mod interlude;
mod order;
mod probe;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use filling::is_left_over;
pub(crate) use order::has_key;

use context::Context;

use crate::{Catalog, Change, Class, LockLevel, Step, Undo, missing::Restoring};

/// The steps of changes, in an order in which they can run.
pub(crate) fn steps(
    changes: &[Change],
    current: &Catalog,
    desired: &Catalog,
    restoring: &Restoring,
) -> Vec<Step> {
    let changes = order::ordered(changes, current, restoring);
    let context = Context::new(&changes, current, desired);
    let steps = changes.iter().flat_map(|change| interlude::steps(&context, change, restoring));
    steps.collect()
}

fn steps_of(context: &Context<'_>, change: &Change) -> Vec<Step> {
    let one = |step| vec![step];
    match change {
        Change::AddCheck(table, of) => one(constraint::add_check(context, change, table, of)),
        Change::AddColumn(table, of) => one(column::add(context, change, table, of)),
        Change::AddForeignKey(table, of) => {
            one(constraint::add_foreign_key(context, change, table, of))
        }
        Change::AddIndex(table, of) => one(index::add(context, change, table, of)),
        Change::AddPrimaryKey(table, of) => one(index::add_primary_key(context, change, table, of)),
        Change::AddUnique(table, of) => one(index::add_unique(context, change, table, of)),
        Change::AlterColumn { table, from, to } => column::alter(context, table, from, to),
        Change::AlterEnum { from, to } => one(enumerated::alter(context, change, from, to)),
        Change::AlterOptions { from, to } => table::comment(change, from, to).into_iter().collect(),
        Change::CreateEnum(of) => one(enumerated::create(change, of)),
        Change::CreateTable(of) => one(table::create(context, change, of)),
        Change::DropCheck(table, of) => one(constraint::drop_check(context, change, table, of)),
        Change::DropColumn(table, of) => one(column::drop(context, change, table, of)),
        Change::DropEnum(of) => one(enumerated::drop(change, of)),
        Change::DropForeignKey(table, of) => one(constraint::drop_foreign_key(change, table, of)),
        Change::DropIndex(table, of) => one(index::drop(change, table, of)),
        Change::DropPrimaryKey(table, of) => one(constraint::drop_primary_key(change, table, of)),
        Change::DropTable(of) => one(table::drop(context, change, of)),
        Change::DropUnique(table, of) => one(constraint::drop_unique(change, table, of)),
        Change::RenameColumn { table, from, to } => one(column::rename(change, table, from, to)),
        Change::RenameTable { from, to } => one(table::rename(change, from, to)),
        Change::SuspectedRename { from, to, .. } => one(Step {
            class: Class::Ambiguous,
            reason: Some(format!(
                "say in the model that {to:?} is renamed from {from:?}, or drop {from:?} first"
            )),
            ..of(change)
        }),
        Change::Unsupported { reason, .. } => one(unsupported(change, reason)),
    }
}

/// The step of a change, about which nothing is known yet but that it touches the catalog only.
fn of(change: &Change) -> Step {
    Step {
        table: change.table().clone(),
        description: change.to_string(),
        class: Class::Metadata,
        lock: LockLevel::None,
        statements: Vec::new(),
        transactional: true,
        undo: Undo::Irreversible,
        probe: None,
        reason: None,
        interlude: None,
    }
}

/// A step that no statement of ours takes.
fn unsupported(change: &Change, reason: &str) -> Step {
    Step { class: Class::Unsupported, reason: Some(reason.to_owned()), ..of(change) }
}

/// A block that the server runs as one statement.
fn block(body: &str) -> String {
    let mut tag = "$larder$".to_owned();
    // A name may have anything in it, also what would end the block.
    for number in 0_usize.. {
        if !body.contains(&tag) {
            break;
        }
        tag = format!("$larder{number}$");
    }
    format!("DO {tag} {body} {tag}")
}
