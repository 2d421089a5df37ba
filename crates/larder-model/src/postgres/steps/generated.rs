//! Steps about columns that are computed from others.
//!
//! Guards that what goes together with such a column comes back with it.

use super::{
    super::{
        ddl::{self, Creation, full, quoted},
        expression::mentions,
    },
    context::Context,
    of, probe, unsupported,
};
use crate::{Change, Class, Column, Index, LockLevel, Step, Table, TableName, Undo};

/// A column whose expression goes; its values stay.
pub(super) fn forget(change: &Change, table: &TableName, from: &Column, to: &Column) -> Step {
    let statement =
        format!("ALTER TABLE {} ALTER COLUMN {} DROP EXPRESSION", full(table), quoted(&to.name));
    let is_stored = from.generated.as_ref().is_some_and(|generated| generated.stored);
    let step = Step { description: description(to), ..of(change) };
    if !is_stored {
        return Step {
            class: Class::Unsupported,
            reason: Some("the values of a virtual column are nowhere".to_owned()),
            ..step
        };
    }
    Step { statements: vec![statement], ..step }
}

fn description(to: &Column) -> String {
    match &to.generated {
        Some(of) => format!("change column {:?}: it is computed as {}", to.name, of.expression),
        None => format!("change column {:?}: it is not computed any more", to.name),
    }
}

/// A column that is computed otherwise than before: it is dropped and added again, and everything
/// that goes with it.
pub(super) fn recreate(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    from: &Column,
    to: &Column,
) -> Vec<Step> {
    let refused =
        |reason: &str| vec![Step { description: description(to), ..unsupported(change, reason) }];
    let Some(found) = context.found(table) else { return Vec::new() };
    if context.has_renamed_columns(table) {
        return refused("columns of the table are renamed at the same time; rename them first");
    }
    if is_in_key(found, &to.name) {
        return refused("the column is part of a key; drop it and add it again");
    }
    if let Some(user) = user_of(Some(found), &to.name) {
        return refused(&user);
    }
    let name = full(table);
    let dependents = dependents(context, table, found, &to.name);
    let statements = |column: &Column| {
        let mut statements = vec![
            format!("ALTER TABLE {name} DROP COLUMN {}", quoted(&column.name)),
            format!("ALTER TABLE {name} ADD COLUMN {}", ddl::column(table, column)),
        ];
        statements.extend(dependents.iter().cloned());
        if column.comment.is_some() {
            statements.push(ddl::column_comment(table, column));
        }
        statements
    };
    let step = Step {
        description: description(to),
        class: Class::Rewrite,
        lock: LockLevel::Everybody,
        statements: statements(to),
        undo: Undo::Statements(statements(from)),
        reason: Some("the column is dropped and computed again for every row".to_owned()),
        ..of(change)
    };
    if from.generated.is_some() {
        return vec![step];
    }
    vec![Step {
        class: Class::Destructive,
        undo: Undo::Irreversible,
        probe: Some(probe::filled(context, table, &to.name)),
        reason: Some("the values that are there are replaced by computed ones".to_owned()),
        ..step
    }]
}

/// Why a column is not dropped that a trigger, a policy or an exclusion constraint may use: the
/// server would refuse it, or drop that as well without a word.
pub(super) fn user_of(table: Option<&Table>, column: &str) -> Option<String> {
    let user = table?.dependents.iter().find(|of| mentions(&of.sql, column))?;
    let what = user.what();
    Some(format!(
        "{what} {:?} may use the column: drop it first, and make it anew afterwards",
        user.name
    ))
}

fn is_in_key(table: &Table, column: &str) -> bool {
    let names = |columns: &[String]| columns.iter().any(|name| name == column);
    table.primary_key.as_ref().is_some_and(|key| names(&key.columns))
        || table.foreign_keys.iter().any(|key| names(&key.columns))
}

/// Statements that bring back what the server drops together with a column.
fn dependents(
    context: &Context<'_>,
    table: &TableName,
    found: &Table,
    column: &str,
) -> Vec<String> {
    let goes = |is_it: &dyn Fn(&Change) -> bool| context.changes.iter().any(is_it);
    let add = |definition: String| format!("ALTER TABLE {} ADD {definition}", full(table));
    let mut statements = Vec::new();
    for check in found.checks.iter().filter(|check| mentions(&check.expression, column)) {
        if !goes(
            &|change| matches!(change, Change::DropCheck(of, gone) if of == table && gone == check),
        ) {
            let valid = if check.validated { "" } else { " NOT VALID" };
            statements.push(add(format!("{}{valid}", ddl::check(check))));
        }
    }
    for unique in &found.uniques {
        let has = unique.columns.iter().chain(&unique.include).any(|name| name == column);
        if has
            && !goes(
                &|change| matches!(change, Change::DropUnique(of, gone) if of == table && gone == unique),
            )
        {
            statements.push(add(ddl::unique(unique)));
        }
    }
    for index in found.indexes.iter().filter(|index| is_over(index, column)) {
        if !goes(
            &|change| matches!(change, Change::DropIndex(of, gone) if of == table && gone == index),
        ) {
            statements.push(ddl::index(table, index, Creation::Plain));
        }
    }
    statements
}

fn is_over(index: &Index, column: &str) -> bool {
    let part = |part: &crate::IndexPart| match part.is_expression {
        true => mentions(&part.text, column),
        false => part.text == column,
    };
    index.parts.iter().any(part)
        || index.include.iter().any(|name| name == column)
        || index.predicate.as_ref().is_some_and(|sql| mentions(sql, column))
}
