//! The description of tables and types.
//!
//! Guards that it is of one state: all statements see one snapshot. What PostgreSQL prints from
//! its caches beside the snapshot is as new as the statement, so that a change in between shows as
//! a difference or as an error, never as a table that nobody made.

use std::collections::BTreeMap;

use larder_model::{Catalog, Column, EnumType, Generated, Identity, Table, TableKind, TableName};
use serde_json::json;

use super::{
    catalog::Chosen,
    frame::{Access, Frame, unexpected},
    parts::{self, text},
    text::bare,
};
use crate::{Cell, Param, Session, SessionError, Target};

/// Describes tables and types.
pub(in crate::introspect) async fn introspect(
    session: &mut dyn Session,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let frame = Frame::open(session, Access::Read).await?;
    let described = describe(session, &frame, target).await;
    let closed = frame.close(session).await;
    let described = described?;
    closed.map(|()| described)
}

/// Describes tables and types within an open frame.
pub(super) async fn describe(
    session: &mut dyn Session,
    frame: &Frame,
    target: &Target,
) -> Result<Catalog, SessionError> {
    let (chosen, what) = match target {
        Target::Schema(schema) => {
            let schema = schema.as_ref().or(frame.schema.as_ref());
            // Without a schema of its own the session sees nothing.
            (Chosen::Schema, schema.cloned().unwrap_or_default())
        }
        Target::Tables(names) => (Chosen::Names, as_json(names, frame)),
    };
    let params = [Param::Text(&what)];
    let mut tables = Tables::default();
    for row in session.fetch(&chosen.relations(), &params).await? {
        tables.relation(&row)?;
    }
    for row in session.fetch(&chosen.columns(), &params).await? {
        let (table, row) = tables.of(&row)?;
        table.columns.push(column(row)?);
    }
    for row in session.fetch(&chosen.constraints(frame.version), &params).await? {
        let (table, row) = tables.of(&row)?;
        parts::add_constraint(table, row)?;
    }
    for row in session.fetch(&chosen.indexes(frame.version), &params).await? {
        let (table, row) = tables.of(&row)?;
        table.indexes.push(parts::index(row)?);
    }
    let enums = session.fetch(&chosen.enums(), &params).await?;
    let enums = enums.iter().map(|row| enum_type(row)).collect::<Result<_, _>>()?;
    Ok(Catalog { enums, tables: tables.0.into_values().collect() })
}

/// Names as a statement takes them; those without a schema are in the session's own.
fn as_json(names: &[TableName], frame: &Frame) -> String {
    let name = |of: &TableName| {
        let schema = of.schema.as_ref().or(frame.schema.as_ref());
        json!({ "schema": schema, "name": of.name })
    };
    serde_json::Value::from_iter(names.iter().map(name)).to_string()
}

/// Tables by their numbers.
#[derive(Default)]
struct Tables(BTreeMap<i64, Table>);

impl Tables {
    fn relation(&mut self, row: &[Cell]) -> Result<(), SessionError> {
        let [number, schema, name, kind, comment, rest @ ..] = row else {
            return Err(unexpected());
        };
        let [is_partition, follows_type, inherits, is_parent, is_of_extension, dependents] = rest
        else {
            return Err(unexpected());
        };
        let name = TableName { schema: text(schema), name: text(name).ok_or_else(unexpected)? };
        let mut table = Table::new(name);
        table.comment = text(comment);
        table.dependents = parts::dependents(dependents)?;
        let kind = kind.as_text().unwrap_or_default();
        table.kind = match kind {
            "r" | "p" if !is_of_extension.is_true() => TableKind::Table,
            "v" | "m" => TableKind::View,
            _ => TableKind::Other,
        };
        let reasons = [
            (kind == "p", "it is partitioned"),
            (is_partition.is_true(), "it is a partition"),
            (inherits.is_true(), "it inherits from another table"),
            (is_parent.is_true(), "other tables inherit from it"),
            (follows_type.is_true(), "its columns follow a type"),
        ];
        let reason = reasons.iter().find(|(applies, _)| *applies);
        table.opaque = reason.map(|(_, reason)| (*reason).to_owned());
        self.0.insert(number.as_integer().ok_or_else(unexpected)?, table);
        Ok(())
    }

    /// The table that a row is about, and the rest of the row.
    fn of<'a, 'row>(
        &'a mut self,
        row: &'row [Cell],
    ) -> Result<(&'a mut Table, &'row [Cell]), SessionError> {
        let (number, rest) = row.split_first().ok_or_else(unexpected)?;
        let table = number.as_integer().and_then(|number| self.0.get_mut(&number));
        Ok((table.ok_or_else(unexpected)?, rest))
    }
}

/// A column. The row is one of the statement for columns, without the table's number.
fn column(row: &[Cell]) -> Result<Column, SessionError> {
    let [name, ty, nullable, expression, identity, generated, is_serial, collation, comment] = row
    else {
        return Err(unexpected());
    };
    let mut column =
        Column::new(text(name).ok_or_else(unexpected)?, text(ty).ok_or_else(unexpected)?);
    column.nullable = nullable.is_true();
    column.collation = text(collation);
    column.comment = text(comment);
    let expression = text(expression);
    column.identity = match identity.as_text() {
        Some("a") => Some(Identity::Always),
        Some("d") => Some(Identity::ByDefault),
        _ => None,
    };
    if let Some(letter @ ("s" | "v")) = generated.as_text() {
        column.generated = expression.map(|expression| Generated {
            expression: bare(&expression).to_owned(),
            stored: letter == "s",
        });
    } else if is_serial.is_true() && is_next_value(expression.as_deref()) {
        column.identity = Some(Identity::Serial);
    } else {
        column.default = expression.filter(|default| !is_null(default));
    }
    Ok(column)
}

/// Whether a default is the next number of a sequence and nothing else.
fn is_next_value(default: Option<&str>) -> bool {
    default.is_some_and(|text| text.starts_with("nextval('") && text.ends_with("'::regclass)"))
}

/// Whether a default says what a column does anyway.
fn is_null(default: &str) -> bool {
    let rest = default.strip_prefix("NULL");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn enum_type(row: &[Cell]) -> Result<EnumType, SessionError> {
    let [schema, name, labels] = row else { return Err(unexpected()) };
    let name = TableName { schema: text(schema), name: text(name).ok_or_else(unexpected)? };
    Ok(EnumType { name, labels: parts::list(labels)? })
}
