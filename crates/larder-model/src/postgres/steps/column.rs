//! Steps about columns.
//!
//! Guards that what differs in one column is changed in steps of their own, each with its own
//! class, so that a harmless one does not wait for a person because of another one.

use super::{
    super::{
        ddl::{self, full, quoted},
        expression::may_be_volatile,
    },
    column_type,
    context::Context,
    filling::set_not_null,
    generated, identity, of, probe,
};
use crate::{Change, Class, Column, Identity, LockLevel, Step, TableName, Undo};

pub(super) fn add(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    column: &Column,
) -> Step {
    let name = full(table);
    let is_serial = column.identity == Some(Identity::Serial);
    let mut statements = Vec::new();
    if is_serial {
        statements.push(ddl::create_sequence(table, column));
    }
    let definition = ddl::column(table, column);
    statements.push(format!("ALTER TABLE {name} ADD COLUMN {definition}"));
    if is_serial {
        statements.push(ddl::own_sequence(table, column));
    }
    if column.comment.is_some() {
        statements.push(ddl::column_comment(table, column));
    }
    let drop = format!("ALTER TABLE {name} DROP COLUMN {}", quoted(&column.name));
    let step = Step { statements, undo: Undo::Statements(vec![drop]), ..of(change) };
    let is_stored = column.generated.as_ref().is_some_and(|generated| generated.stored);
    let rewrites = if is_stored {
        Some("the value of every row is computed and stored")
    } else if column.identity.is_some() {
        Some("every row gets a number")
    } else if column.default.as_deref().is_some_and(may_be_volatile) {
        Some("the default may have another value for each row, so every row is rewritten")
    } else {
        None
    };
    if let Some(reason) = rewrites {
        let reason = Some(reason.to_owned());
        return Step { class: Class::Rewrite, lock: LockLevel::Everybody, reason, ..step };
    }
    if !column.nullable && column.default.is_none() && column.generated.is_none() {
        let what = format!("rows that would have no value in {:?}", column.name);
        return Step {
            class: Class::DataDependent,
            probe: Some(probe::rows(context, table, &what)),
            reason: Some(
                "rows that are there have no value for it; give it a default, or let it be NULL"
                    .to_owned(),
            ),
            ..step
        };
    }
    // A constant or the moment of the statement is kept once for all rows that are there.
    Step { class: Class::Additive, ..step }
}

pub(super) fn drop(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    column: &Column,
) -> Step {
    if let Some(user) = generated::user_of(context.found(table), &column.name) {
        return super::unsupported(change, &user);
    }
    let statement = format!("ALTER TABLE {} DROP COLUMN {}", full(table), quoted(&column.name));
    let step = Step { statements: vec![statement], ..of(change) };
    if column.generated.is_some() {
        let definition = ddl::column(table, column);
        let undo = format!("ALTER TABLE {} ADD COLUMN {definition}", full(table));
        return Step { undo: Undo::Statements(vec![undo]), ..step };
    }
    let probe = Some(probe::filled(context, table, &column.name));
    Step { class: Class::Destructive, probe, ..step }
}

pub(super) fn rename(change: &Change, table: &TableName, from: &str, to: &str) -> Step {
    let statement = |from: &str, to: &str| {
        format!("ALTER TABLE {} RENAME COLUMN {} TO {}", full(table), quoted(from), quoted(to))
    };
    Step {
        statements: vec![statement(from, to)],
        undo: Undo::Statements(vec![statement(to, from)]),
        reason: Some("programs that use the former name fail from then on".to_owned()),
        ..of(change)
    }
}

/// What differs between two columns, one step for each.
pub(super) fn alter(
    context: &Context<'_>,
    table: &TableName,
    from: &Column,
    to: &Column,
) -> Vec<Step> {
    let change = Change::AlterColumn {
        table: table.clone(),
        from: Box::new(from.clone()),
        to: Box::new(to.clone()),
    };
    let has_other_type = from.ty != to.ty || from.collation != to.collation;
    let is_recomputed = to.generated.is_some()
        && (from.generated != to.generated || has_other_type || from.nullable != to.nullable);
    if is_recomputed {
        return generated::recreate(context, &change, table, from, to);
    }
    let alter = Alter { change: &change, table, from, to };
    let mut steps = Vec::new();
    if from.generated.is_some() && to.generated.is_none() {
        steps.push(generated::forget(&change, table, from, to));
    }
    let keeps_identity = from.identity.is_none() || to.identity.is_some();
    if !keeps_identity {
        steps.push(identity::remove(&change, table, from));
    }
    if has_other_type {
        let step = column_type::change(context, &change, table, from, to);
        let is_refused = step.statements.is_empty();
        steps.push(step);
        if is_refused {
            return steps;
        }
    }
    // A change of the type takes the default along.
    let default_is_set = has_other_type && from.default.is_some();
    if !default_is_set && from.default != to.default {
        steps.push(alter.default());
    }
    if from.nullable && !to.nullable {
        steps.push(set_not_null(context, &change, table, &to.name));
    }
    if to.identity.is_some() && from.identity != to.identity {
        steps.push(identity::set(&change, table, from, to));
    }
    if !from.nullable && to.nullable {
        steps.push(alter.drop_not_null());
    }
    if from.comment != to.comment {
        steps.push(alter.comment());
    }
    steps
}

struct Alter<'a> {
    change: &'a Change,
    table: &'a TableName,
    from: &'a Column,
    to: &'a Column,
}

impl Alter<'_> {
    fn statement(&self, action: &str) -> String {
        format!("ALTER TABLE {} ALTER COLUMN {} {action}", full(self.table), quoted(&self.to.name))
    }

    fn default(&self) -> Step {
        let statement = |default: &Option<String>| match default {
            Some(default) => self.statement(&format!("SET DEFAULT {default}")),
            None => self.statement("DROP DEFAULT"),
        };
        let or_none = |default: &Option<String>| default.clone().unwrap_or_else(|| "none".into());
        let (from, to) = (&self.from.default, &self.to.default);
        Step {
            description: format!(
                "change column {:?}: default {} to {}",
                self.to.name,
                or_none(from),
                or_none(to),
            ),
            statements: vec![statement(to)],
            undo: Undo::Statements(vec![statement(from)]),
            ..of(self.change)
        }
    }

    fn drop_not_null(&self) -> Step {
        Step {
            description: format!("change column {:?}: from NOT NULL to NULL", self.to.name),
            statements: vec![self.statement("DROP NOT NULL")],
            undo: Undo::Statements(vec![self.statement("SET NOT NULL")]),
            ..of(self.change)
        }
    }

    fn comment(&self) -> Step {
        Step {
            description: format!("change the comment of column {:?}", self.to.name),
            class: match self.from.comment {
                None => Class::Additive,
                Some(_) => Class::Metadata,
            },
            statements: vec![ddl::column_comment(self.table, self.to)],
            undo: Undo::Statements(vec![ddl::column_comment(self.table, self.from)]),
            ..of(self.change)
        }
    }
}
