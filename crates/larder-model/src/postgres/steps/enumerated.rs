//! Steps about enumerated types.
//!
//! Invariant: a label that rows have never disappears: labels are added in place, and where one
//! goes or moves, a new type takes over only if all rows fit it.

use super::{
    super::{
        ddl::{self, Creation, escaped, full, quoted},
        identifier::printed_full,
        names::limited,
    },
    context::Context,
    of, probe, unsupported,
};
use crate::{
    Change, Class, Column, EnumType, Index, LockLevel, Probe, Step, Table, TableName, Undo,
};

pub(super) fn create(change: &Change, of_type: &EnumType) -> Step {
    Step {
        class: Class::Additive,
        statements: vec![ddl::create_enum(of_type)],
        undo: Undo::Statements(vec![drop_statement(of_type)]),
        ..of(change)
    }
}

fn drop_statement(of_type: &EnumType) -> String {
    format!("DROP TYPE {}", full(&of_type.name))
}

pub(super) fn drop(change: &Change, of_type: &EnumType) -> Step {
    Step {
        statements: vec![drop_statement(of_type)],
        undo: Undo::Statements(vec![ddl::create_enum(of_type)]),
        ..of(change)
    }
}

pub(super) fn alter(
    context: &Context<'_>,
    change: &Change,
    from: &EnumType,
    to: &EnumType,
) -> Step {
    let mut wanted = to.labels.iter();
    // All labels in their order, with others between them.
    if from.labels.iter().all(|label| wanted.any(|other| other == label)) {
        return add_labels(change, from, to);
    }
    replace(context, change, from, to)
}

fn add_labels(change: &Change, from: &EnumType, to: &EnumType) -> Step {
    let mut statements = Vec::new();
    for (at, label) in to.labels.iter().enumerate() {
        if from.labels.contains(label) {
            continue;
        }
        let place = match (at.checked_sub(1).and_then(|at| to.labels.get(at)), from.labels.first())
        {
            (Some(before), _) => format!(" AFTER {}", escaped(before)),
            (None, Some(first)) => format!(" BEFORE {}", escaped(first)),
            (None, None) => String::new(),
        };
        let (name, label) = (full(&to.name), escaped(label));
        statements.push(format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place}"));
    }
    Step {
        statements,
        // A transaction can not use a label that it adds, and a later step may want to.
        transactional: false,
        reason: Some("a label that was added can not be taken away again".to_owned()),
        ..of(change)
    }
}

/// The columns of a table that have the type, with whether they are arrays of it.
fn columns_of<'a>(table: &'a Table, ty: &'a str) -> impl Iterator<Item = (&'a Column, bool)> {
    table.columns.iter().filter_map(move |column| {
        let rest = column.ty.strip_prefix(ty)?;
        matches!(rest, "" | "[]").then_some((column, rest == "[]"))
    })
}

fn replace(context: &Context<'_>, change: &Change, from: &EnumType, to: &EnumType) -> Step {
    let ty = printed_full(&from.name);
    let users = context.current.tables.iter().filter(|table| columns_of(table, &ty).count() > 0);
    let users: Vec<_> = users.collect();
    for table in &users {
        let renamed = context.renamed(&table.name);
        let is_computed = |column: &Column| {
            column.generated.as_ref().is_some_and(|generated| generated.expression.contains(&ty))
        };
        if context.has_renamed_columns(renamed) || table.columns.iter().any(is_computed) {
            let reason = "columns that have the type are renamed at the same time, or others are \
                computed from them; do that in a migration of its own";
            return unsupported(change, reason);
        }
    }
    let removed: Vec<_> = from.labels.iter().filter(|label| !to.labels.contains(label)).collect();
    let step = Step {
        lock: LockLevel::Everybody,
        statements: swap(context, &users, from, to, &ty),
        undo: Undo::Statements(swap(context, &users, to, from, &ty)),
        reason: Some(
            "a label that goes or moves takes a new type, so all rows are written again".to_owned(),
        ),
        ..of(change)
    };
    if removed.is_empty() || users.is_empty() {
        return Step { class: Class::Rewrite, ..step };
    }
    let probe = Some(rows_with(context, &users, &ty, &removed));
    Step { class: Class::DataDependent, probe, ..step }
}

/// How many rows have one of the labels that go.
fn rows_with(context: &Context<'_>, users: &[&Table], ty: &str, removed: &[&String]) -> Probe {
    let labels: Vec<_> = removed.iter().map(|label| escaped(label)).collect();
    let labels = labels.join(", ");
    let mut counts = Vec::new();
    for table in users {
        for (column, is_array) in columns_of(table, ty) {
            let name = quoted(&column.name);
            let condition = match is_array {
                true => format!("{name}::text[] && ARRAY[{labels}]"),
                false => format!("{name}::text IN ({labels})"),
            };
            let renamed = context.renamed(&table.name);
            counts.push(probe::rows_where(context, renamed, &condition, String::new()).sql);
        }
    }
    Probe {
        sql: format!("SELECT ({})", counts.join(") + (")),
        what: format!("rows with labels that go: {labels}"),
    }
}

/// Statements that put a new type in the place of one.
fn swap(
    context: &Context<'_>,
    users: &[&Table],
    from: &EnumType,
    to: &EnumType,
    ty: &str,
) -> Vec<String> {
    let former = TableName {
        schema: from.name.schema.clone(),
        name: limited(&format!("{}_of_before", from.name.name)),
    };
    let mut statements = vec![
        format!("ALTER TYPE {} RENAME TO {}", full(&from.name), quoted(&former.name)),
        ddl::create_enum(to),
    ];
    let mut afterwards = Vec::new();
    for table in users {
        let name = context.renamed(&table.name);
        for index in table.indexes.iter().filter(|index| index_mentions(index, ty)) {
            // What the plan drops is gone by now.
            if !is_planned(
                context,
                |change| matches!(change, Change::DropIndex(of, gone) if of == name && gone == index),
            ) {
                statements.push(format!("DROP INDEX {}", ddl::beside(name, &index.name)));
                afterwards.push(ddl::index(name, index, Creation::Plain));
            }
        }
        for check in table.checks.iter().filter(|check| check.expression.contains(ty)) {
            let Some(constraint) = &check.name else { continue };
            if !is_planned(
                context,
                |change| matches!(change, Change::DropCheck(of, gone) if of == name && gone == check),
            ) {
                let (table, constraint) = (full(name), quoted(constraint));
                let valid = if check.validated { "" } else { " NOT VALID" };
                statements.push(format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}"));
                afterwards.push(format!("ALTER TABLE {table} ADD {}{valid}", ddl::check(check)));
            }
        }
        for (column, is_array) in columns_of(table, ty) {
            let array = if is_array { "[]" } else { "" };
            statements.push(retype(name, column, &full(&to.name), array));
            afterwards.extend(restore_default(context, name, column));
        }
    }
    statements.extend(afterwards);
    statements.push(format!("DROP TYPE {}", full(&former)));
    statements
}

fn is_planned(context: &Context<'_>, is_it: impl Fn(&Change) -> bool) -> bool {
    context.changes.iter().any(is_it)
}

fn index_mentions(index: &Index, ty: &str) -> bool {
    index.predicate.as_ref().is_some_and(|sql| sql.contains(ty))
        || index.parts.iter().any(|part| part.is_expression && part.text.contains(ty))
}

fn retype(table: &TableName, column: &Column, ty: &str, array: &str) -> String {
    let name = quoted(&column.name);
    let default = match column.default {
        Some(_) => format!("ALTER COLUMN {name} DROP DEFAULT, "),
        None => String::new(),
    };
    format!(
        "ALTER TABLE {} {default}ALTER COLUMN {name} TYPE {ty}{array} \
         USING {name}::text{array}::{ty}{array}",
        full(table),
    )
}

/// The default that a column had, unless a later step gives it another one.
fn restore_default(context: &Context<'_>, table: &TableName, column: &Column) -> Option<String> {
    let default = column.default.as_ref()?;
    let changes = is_planned(context, |change| match change {
        Change::AlterColumn { table: of, from, to } => {
            of == table && to.name == column.name && from.default != to.default
        }
        _ => false,
    });
    let name = quoted(&column.name);
    (!changes)
        .then(|| format!("ALTER TABLE {} ALTER COLUMN {name} SET DEFAULT {default}", full(table)))
}
