//! The step that makes a column say that it has no NULL.
//!
//! Invariant: rows are read for it while others write, by a check that is added for the purpose and
//! is gone afterwards; a run that was broken off leaves one behind that the next run goes on with
//! or removes.

use super::{
    super::{
        ddl::{full, quoted},
        identifier::printed,
        names::limited,
    },
    constraint::{drop_statement, drops},
    context::Context,
    of, probe,
};
use crate::{Change, Check, Class, Column, Step, Table, TableName, Undo};

/// Why a check goes that no model had.
pub(super) const LEFT_OVER: &str = "a plan that was broken off left it behind";

/// How many names are tried until one is free; nobody else has such names.
const NAMES_MAX: usize = 10;

/// The names of the check, the first of which is free in a table of ours.
fn names(table: &TableName, column: &str) -> impl Iterator<Item = String> {
    let table = table.name.clone();
    let column = column.to_owned();
    let end = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    (0..NAMES_MAX).map(move |number| limited(&format!("{table}_{column}_is_filled{}", end(number))))
}

fn expression(column: &str) -> String {
    format!("{} IS NOT NULL", printed(column))
}

/// The column for which a check was made.
fn column_of<'a>(check: &Check, table: &'a Table) -> Option<&'a Column> {
    let name = check.name.as_ref()?;
    table.columns.iter().find(|column| {
        check.expression == expression(&column.name)
            && names(&table.name, &column.name).any(|of| of == *name)
    })
}

/// Whether a check that nobody wants was made for a column which does not need it any more.
pub(crate) fn is_left_over(check: &Check, found: &Table, wanted: &Table) -> bool {
    column_of(check, found).is_some_and(|column| {
        let becomes_filled = wanted.column(&column.name).is_some_and(|of| !of.nullable);
        !column.nullable || !becomes_filled
    })
}

/// Whether a check was made for a column that says the same by now.
pub(super) fn is_of_no_use(context: &Context<'_>, table: &TableName, check: &Check) -> bool {
    let column = context.found(table).and_then(|found| column_of(check, found));
    column.is_some_and(|column| !column.nullable)
}

/// The check's name, and the one that an attempt of before left behind.
fn filled_check<'a>(
    context: &Context<'a>,
    table: &TableName,
    column: &str,
) -> (String, Option<&'a Check>) {
    let found = context.found(table).map_or(&[][..], |table| &table.checks);
    let mut last = String::new();
    for name in names(table, column) {
        match found.iter().find(|check| check.name.as_deref() == Some(name.as_str())) {
            Some(check) if check.expression != expression(column) => last = name,
            left_over => {
                let is_gone = drops(context, |change| {
                    matches!(change, Change::DropCheck(of, gone)
                        if of == table && gone.name.as_deref() == Some(name.as_str()))
                });
                return (name, left_over.filter(|_| !is_gone));
            }
        }
    }
    // All names are taken by somebody else's checks: the statement will say so.
    (last, None)
}

/// The step that makes a column say that it has no NULL.
pub(super) fn set_not_null(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    column: &str,
) -> Step {
    let (name, left_over) = filled_check(context, table, column);
    let expression = expression(column);
    let (constraint, name_sql) = (quoted(&name), quoted(column));
    let alter = |action: &str| format!("ALTER TABLE {} {action}", full(table));
    let mut statements = Vec::new();
    if left_over.is_none() {
        let check = format!("ADD CONSTRAINT {constraint} CHECK ({expression}) NOT VALID");
        statements.push(alter(&check));
    }
    if left_over.is_none_or(|check| !check.validated) {
        statements.push(alter(&format!("VALIDATE CONSTRAINT {constraint}")));
    }
    statements.push(alter(&format!("ALTER COLUMN {name_sql} SET NOT NULL")));
    statements.push(drop_statement(table, &name));
    let null = format!("{} IS NULL", probe::column(context, table, column));
    let what = format!("rows with NULL in {column:?}");
    Step {
        description: format!("change column {column:?}: from NULL to NOT NULL"),
        class: Class::DataDependent,
        statements,
        transactional: false,
        undo: Undo::Statements(vec![alter(&format!("ALTER COLUMN {name_sql} DROP NOT NULL"))]),
        probe: Some(probe::rows_where(context, table, &null, what)),
        ..of(change)
    }
}
