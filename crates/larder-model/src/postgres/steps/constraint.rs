//! Steps about checks, references, and about constraints that go.
//!
//! Invariant: a constraint is added for new rows first and for those that are there afterwards,
//! while others write, in a transaction of its own. If that is broken off, what is there already
//! is only completed.

use super::{
    super::{
        ddl::{self, full, quoted},
        names::limited,
    },
    context::Context,
    filling, of, probe,
};
use crate::{Change, Check, Class, ForeignKey, PrimaryKey, Step, TableName, Undo, Unique};

pub(super) fn add_check(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    check: &Check,
) -> Step {
    let name = check.name.clone().unwrap_or_else(|| limited(&format!("{}_check", table.name)));
    let is_begun = context.found(table).is_some_and(|found| {
        let begun = Check { validated: false, ..check.clone() };
        found.checks.contains(&begun) && !drops(context, |change| {
            matches!(change, Change::DropCheck(of, gone) if of == table && *gone == begun)
        })
    });
    let name = if is_begun { name } else { context.free_name(table, &name) };
    let check = Check { name: Some(name.clone()), ..check.clone() };
    let probe = probe::broken(context, table, &check.expression);
    let reason = probe.is_none().then(|| {
        "what rows will have in its columns is known only when the other steps are done".to_owned()
    });
    let step = Step { probe, reason: reason.filter(|_| check.validated), ..of(change) };
    add(table, &name, ddl::check(&check), is_begun, check.validated, step)
}

pub(super) fn add_foreign_key(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    key: &ForeignKey,
) -> Step {
    let name = key.name.clone();
    let name =
        name.unwrap_or_else(|| limited(&format!("{}_{}_fkey", table.name, key.columns.join("_"))));
    if context.is_created(table) && key.validated {
        let key = ForeignKey { name: Some(name.clone()), ..key.clone() };
        return Step {
            class: Class::Additive,
            statements: vec![format!("ALTER TABLE {} ADD {}", full(table), ddl::foreign_key(&key))],
            undo: Undo::Statements(vec![drop_statement(table, &name)]),
            ..of(change)
        };
    }
    let is_begun = context.found(table).is_some_and(|found| {
        let begun = ForeignKey { validated: false, ..key.clone() };
        found.foreign_keys.contains(&begun) && !drops(context, |change| {
            matches!(change, Change::DropForeignKey(of, gone) if of == table && *gone == begun)
        })
    });
    let name = if is_begun { name } else { context.free_name(table, &name) };
    let key = ForeignKey { name: Some(name.clone()), ..key.clone() };
    let (class, probe) = match probe::orphans(context, table, &key) {
        Ok(probe) => (Class::DataDependent, Some(probe)),
        Err(true) => (Class::DataDependent, None),
        Err(false) => (Class::Online, None),
    };
    let step = Step { probe, ..of(change) };
    let step = add(table, &name, ddl::foreign_key(&key), is_begun, key.validated, step);
    Step { class: step.class.min(class), ..step }
}

pub(super) fn drops(context: &Context<'_>, is_it: impl Fn(&Change) -> bool) -> bool {
    context.changes.iter().any(is_it)
}

fn add(
    table: &TableName,
    name: &str,
    definition: String,
    is_begun: bool,
    validated: bool,
    step: Step,
) -> Step {
    let mut statements = Vec::new();
    if !is_begun {
        statements.push(format!("ALTER TABLE {} ADD {definition} NOT VALID", full(table)));
    }
    if !validated {
        return Step {
            statements,
            undo: Undo::Statements(vec![drop_statement(table, name)]),
            probe: None,
            ..step
        };
    }
    statements.push(format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", full(table), quoted(name)));
    Step {
        class: Class::DataDependent,
        statements,
        transactional: false,
        undo: Undo::Statements(vec![drop_statement(table, name)]),
        ..step
    }
}

pub(super) fn drop_statement(table: &TableName, name: &str) -> String {
    format!("ALTER TABLE {} DROP CONSTRAINT {}", full(table), quoted(name))
}

/// A constraint that goes; `definition` brings it back.
fn drop(change: &Change, table: &TableName, name: Option<&str>, definition: String) -> Step {
    let Some(name) = name else {
        return super::unsupported(change, "the constraint has no name by which to drop it");
    };
    Step {
        statements: vec![drop_statement(table, name)],
        undo: Undo::Statements(vec![format!("ALTER TABLE {} ADD {definition}", full(table))]),
        ..of(change)
    }
}

pub(super) fn drop_check(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    check: &Check,
) -> Step {
    let valid = if check.validated { "" } else { " NOT VALID" };
    let definition = format!("{}{valid}", ddl::check(check));
    let step = drop(change, table, check.name.as_deref(), definition);
    match filling::is_of_no_use(context, table, check) {
        // No row is admitted that was not before.
        true => {
            Step { class: Class::Additive, reason: Some(filling::LEFT_OVER.to_owned()), ..step }
        }
        false => step,
    }
}

pub(super) fn drop_foreign_key(change: &Change, table: &TableName, key: &ForeignKey) -> Step {
    let valid = if key.validated { "" } else { " NOT VALID" };
    let definition = format!("{}{valid}", ddl::foreign_key(key));
    drop(change, table, key.name.as_deref(), definition)
}

pub(super) fn drop_unique(change: &Change, table: &TableName, unique: &Unique) -> Step {
    drop(change, table, unique.name.as_deref(), ddl::unique(unique))
}

pub(super) fn drop_primary_key(change: &Change, table: &TableName, key: &PrimaryKey) -> Step {
    drop(change, table, key.name.as_deref(), ddl::primary_key(key))
}
