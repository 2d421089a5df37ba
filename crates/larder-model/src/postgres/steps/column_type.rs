//! The step that gives a column another type.

use super::{
    super::{
        ddl::{full, quoted},
        expression::mentions,
    },
    block,
    context::Context,
    conversion::{self, Conversion},
    of, probe, unsupported,
};
use crate::{Change, Class, Column, Identity, LockLevel, Step, TableName, Undo};

pub(super) fn change(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    from: &Column,
    to: &Column,
) -> Step {
    if let Some(other) = computed_from(context, table, &to.name) {
        let reason = format!(
            "column {other:?} is computed from it; drop that column, and add it again afterwards"
        );
        return Step { description: description(from, to), ..unsupported(change, &reason) };
    }
    let conversion = match from.ty == to.ty {
        // Only the order of the values differs, and with it all indexes.
        true => Conversion::Rewrite,
        false => conversion::between(&from.ty, &to.ty),
    };
    let step = Step {
        description: description(from, to),
        statements: statements(table, from, to, None),
        lock: LockLevel::Everybody,
        undo: Undo::Statements(statements(table, to, from, None)),
        ..of(change)
    };
    match conversion {
        Conversion::Conditional { condition, using, reason } => {
            let column = probe::column(context, table, &to.name);
            let condition = condition.replace("{}", &column);
            let what = format!("rows whose {:?} does not become {} as it is", to.name, to.ty);
            Step {
                class: Class::DataDependent,
                statements: statements(table, from, to, using),
                undo: Undo::Statements(statements(table, to, from, using)),
                probe: Some(probe::rows_where(context, table, &condition, what)),
                reason: reason.map(str::to_owned),
                ..step
            }
        }
        Conversion::Lossy(reason) => Step {
            class: Class::Destructive,
            undo: Undo::Irreversible,
            probe: Some(probe::filled(context, table, &to.name)),
            reason: Some(reason.to_owned()),
            ..step
        },
        Conversion::Metadata if from.collation == to.collation => {
            Step { lock: LockLevel::None, ..step }
        }
        Conversion::Metadata | Conversion::Rewrite => Step {
            class: Class::Rewrite,
            reason: Some(
                match from.ty == to.ty {
                    true => "all indexes of the column are built again",
                    false => "all rows and indexes are written again",
                }
                .to_owned(),
            ),
            ..step
        },
        Conversion::Unsupported(reason) => {
            Step { description: description(from, to), ..unsupported(change, reason) }
        }
    }
}

fn description(from: &Column, to: &Column) -> String {
    let collated = |column: &Column| match &column.collation {
        Some(collation) => format!("{} COLLATE {collation}", column.ty),
        None => column.ty.clone(),
    };
    format!("change column {:?}: type {} to {}", to.name, collated(from), collated(to))
}

/// A column that is computed from this one and stays.
fn computed_from<'a>(context: &Context<'a>, table: &TableName, column: &str) -> Option<&'a str> {
    let former = context.former_column(table, column);
    let mut others = context.found(table)?.columns.iter().filter(|other| {
        let generated = other.generated.as_ref();
        generated.is_some_and(|generated| mentions(&generated.expression, former))
    });
    let goes = |other: &Column| {
        context.changes.iter().any(|change| {
            matches!(change, Change::DropColumn(of, gone)
                if of == table && gone.name == other.name)
        })
    };
    others.find(|other| !goes(other)).map(|other| other.name.as_str())
}

/// One statement that takes the default along, because no cast converts every default.
fn statements(
    table: &TableName,
    from: &Column,
    to: &Column,
    using: Option<&'static str>,
) -> Vec<String> {
    let name = quoted(&to.name);
    let mut clauses = Vec::new();
    if from.default.is_some() {
        clauses.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
    }
    let collation = to.collation.as_ref().map(|name| format!(" COLLATE {name}"));
    let using = using.map(|using| format!(" USING {}", using.replace("{}", &name)));
    clauses.push(format!(
        "ALTER COLUMN {name} TYPE {}{}{}",
        to.ty,
        collation.unwrap_or_default(),
        using.unwrap_or_default(),
    ));
    if let Some(default) = &to.default
        && from.default.is_some()
    {
        clauses.push(format!("ALTER COLUMN {name} SET DEFAULT {default}"));
    }
    let mut statements = vec![format!("ALTER TABLE {} {}", full(table), clauses.join(", "))];
    let both = [from.identity, to.identity];
    if both == [Some(Identity::Serial); 2]
        && let "smallint" | "integer" | "bigint" = to.ty.as_str()
    {
        statements.push(sequence_type(table, to));
    }
    statements
}

/// The sequence of a `serial` column has a type of its own, whose numbers end where it ends.
fn sequence_type(table: &TableName, column: &Column) -> String {
    let sequence = super::identity::sequence_of(table, &column.name);
    block(&format!("BEGIN EXECUTE 'ALTER SEQUENCE ' || {sequence} || ' AS {}'; END", column.ty))
}
