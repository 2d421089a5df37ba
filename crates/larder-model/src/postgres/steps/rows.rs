//! The rows of a table as a plan will leave them, told before it runs.
//!
//! Guards that a question about a column that is added, renamed or converted is asked of the values
//! that rows will have in it. Where that can not be said there is no question.

use std::collections::BTreeSet;

use super::{
    super::{
        ddl::{full, quoted},
        expression::{may_be_volatile, mentions},
        identifier::printed_full,
    },
    context::Context,
    conversion::{self, Conversion},
};
use crate::{Change, Column, Table, TableName};

/// What stands after `FROM` to ask about these columns under the names that they will have; `None`
/// if it can not be asked.
pub(super) fn with_columns(
    context: &Context<'_>,
    table: &TableName,
    alias: &str,
    is_asked: impl Fn(&str) -> bool,
) -> Option<String> {
    let wanted = context.desired.table(table)?;
    let asked = wanted.columns.iter().filter(|column| is_asked(&column.name));
    let mut plain = BTreeSet::new();
    let mut computed = Vec::new();
    for column in asked {
        match sources(context, table, wanted, column)? {
            None => plain.extend(wanted.columns.iter().position(|of| of.name == column.name)),
            Some(sources) => {
                plain.extend(sources);
                computed.push(column);
            }
        }
    }
    let plain: Vec<_> = plain.into_iter().map(|at| &wanted.columns[at]).collect();
    let source = full(context.former(table));
    let is_as_it_is = |column: &&Column| is_same(context, table, column);
    if computed.is_empty() && plain.iter().all(is_as_it_is) {
        return Some(format!("{source} AS {alias}"));
    }
    let values = plain.iter().map(|column| {
        Some(format!("{} AS {}", value(context, table, column)?, quoted(&column.name)))
    });
    let values = values.collect::<Option<Vec<_>>>()?.join(", ");
    let rows = format!("(SELECT {values} FROM {source}) AS {alias}");
    if computed.is_empty() {
        return Some(rows);
    }
    let computed = computed.iter().filter_map(|column| {
        let expression = &column.generated.as_ref()?.expression;
        Some(format!("({expression}) AS {}", quoted(&column.name)))
    });
    let computed: Vec<_> = computed.collect();
    Some(format!("(SELECT *, {} FROM {rows}) AS {alias}", computed.join(", ")))
}

/// Whether expressions can be asked before the plan runs, as far as the types that they name go.
pub(super) fn has_known_types(context: &Context<'_>, sql: &str) -> bool {
    let mut unknown = context.changes.iter().filter_map(|change| match change {
        Change::AlterEnum { to: of, .. } | Change::CreateEnum(of) => Some(printed_full(&of.name)),
        _ => None,
    });
    !unknown.any(|name| sql.contains(&name))
}

/// The places of the columns that a column is computed from, if the plan has it computed;
/// `Some(None)` if it does not, and `None` if these are computed themselves.
#[expect(clippy::option_option, reason = "not computed is not the same as not to be told")]
fn sources(
    context: &Context<'_>,
    table: &TableName,
    wanted: &Table,
    column: &Column,
) -> Option<Option<Vec<usize>>> {
    let Some(generated) = &column.generated else { return Some(None) };
    if is_same(context, table, column) {
        return Some(None);
    }
    let places = wanted.columns.iter().enumerate();
    let places = places.filter(|(_, of)| mentions(&generated.expression, &of.name));
    let places: Vec<_> = places.map(|(at, _)| at).collect();
    let mut others = places.iter().map(|at| &wanted.columns[*at]);
    let is_told =
        has_known_types(context, &generated.expression) && others.all(|of| of.generated.is_none());
    is_told.then_some(Some(places))
}

/// Whether the column has the same name, type and values before the plan.
fn is_same(context: &Context<'_>, table: &TableName, column: &Column) -> bool {
    context.found_column(table, &column.name).is_some_and(|found| {
        found.name == column.name
            && found.ty == column.ty
            && found.collation == column.collation
            && (column.generated.is_none() || found.generated == column.generated)
    })
}

/// What rows will have in a column that is not computed.
fn value(context: &Context<'_>, table: &TableName, column: &Column) -> Option<String> {
    let Some(found) = context.found_column(table, &column.name) else {
        return added(context, column);
    };
    let name = quoted(&found.name);
    if found.ty == column.ty && found.collation == column.collation {
        return Some(name);
    }
    let converted = match conversion::between(&found.ty, &column.ty) {
        _ if found.ty == column.ty => name,
        Conversion::Metadata | Conversion::Rewrite => cast(&name, column),
        // Rows that do not fit are counted by the step that converts them.
        Conversion::Conditional { condition, .. } => format!(
            "CASE WHEN {} THEN NULL ELSE {} END",
            condition.replace("{}", &name),
            cast(&name, column)
        ),
        Conversion::Lossy(_) | Conversion::Unsupported(_) => return None,
    };
    Some(collated(&converted, found.collation.is_some(), column))
}

fn added(context: &Context<'_>, column: &Column) -> Option<String> {
    let default = column.default.as_deref().unwrap_or("NULL");
    let is_told = column.identity.is_none()
        && !may_be_volatile(default)
        && has_known_types(context, &column.ty);
    is_told.then(|| collated(&cast(default, column), false, column))
}

fn cast(value: &str, column: &Column) -> String {
    format!("CAST({value} AS {})", column.ty)
}

/// A value with the collation of its column; `had_own` if it comes with another one.
fn collated(value: &str, had_own: bool, column: &Column) -> String {
    match &column.collation {
        Some(collation) => format!("({value}) COLLATE {collation}"),
        None if had_own => format!("({value}) COLLATE \"default\""),
        None => value.to_owned(),
    }
}
