//! Questions to the rows.
//!
//! Guards that they are asked of the schema as it is before the plan runs.

use super::{
    super::{
        ddl::{full, quoted},
        expression::mentions,
    },
    context::Context,
    rows,
};
use crate::{ForeignKey, Index, Probe, TableName};

/// How many rows of a table there are.
pub(super) fn rows(context: &Context<'_>, table: &TableName, what: &str) -> Probe {
    let sql = format!("SELECT count(*) FROM {}", full(context.former(table)));
    Probe { sql, what: what.to_owned() }
}

/// How many rows of a table fulfil a condition.
pub(super) fn rows_where(
    context: &Context<'_>,
    table: &TableName,
    condition: &str,
    what: String,
) -> Probe {
    let sql = format!("SELECT count(*) FROM {} WHERE {condition}", full(context.former(table)));
    Probe { sql, what }
}

/// A column's name before the plan runs.
pub(super) fn column(context: &Context<'_>, table: &TableName, name: &str) -> String {
    quoted(context.former_column(table, name))
}

/// How many rows have a value in a column.
pub(super) fn filled(context: &Context<'_>, table: &TableName, name: &str) -> Probe {
    let condition = format!("{} IS NOT NULL", column(context, table, name));
    rows_where(context, table, &condition, format!("rows with a value in {name:?}"))
}

/// How many rows a check would not admit; `None` if that can not be asked.
pub(super) fn broken(context: &Context<'_>, table: &TableName, check: &str) -> Option<Probe> {
    if !rows::has_known_types(context, check) {
        return None;
    }
    let rows = rows::with_columns(context, table, "r", |column| mentions(check, column))?;
    let sql = format!("SELECT count(*) FROM {rows} WHERE NOT ({check})");
    Some(Probe { sql, what: "rows that break the check".to_owned() })
}

/// How many groups of rows a unique index would not admit; `Err` with whether there can be any, if
/// that can not be asked.
pub(super) fn duplicates(
    context: &Context<'_>,
    table: &TableName,
    of: &Index,
) -> Result<Probe, bool> {
    let part = |part: &crate::IndexPart| match part.is_expression {
        true => format!("({})", part.text),
        false => quoted(&part.text),
    };
    let parts: Vec<_> = of.parts.iter().map(part).collect();
    let is_empty = |part: &crate::IndexPart| {
        !part.is_expression
            && context.found_column(table, &part.text).is_none()
            && !has_value(context, table, &part.text)
    };
    if !of.nulls_not_distinct && of.parts.iter().any(is_empty) {
        return Err(false);
    }
    let predicate = of.predicate.iter().map(|predicate| format!("({predicate})"));
    let mut conditions: Vec<_> = predicate.collect();
    let sql = [parts.as_slice(), conditions.as_slice()].concat().join(" ");
    if !rows::has_known_types(context, &sql) {
        return Err(true);
    }
    let rows = rows::with_columns(context, table, "r", |column| mentions(&sql, column));
    let rows = rows.ok_or(true)?;
    if !of.nulls_not_distinct {
        conditions.extend(parts.iter().map(|part| format!("{part} IS NOT NULL")));
    }
    let condition = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {rows}{condition} GROUP BY {} HAVING count(*) > 1) \
         AS doubled",
        parts.join(", "),
    );
    let names: Vec<_> = of.parts.iter().map(|part| part.text.as_str()).collect();
    Ok(Probe { sql, what: format!("values of ({}) that several rows have", names.join(", ")) })
}

/// Whether rows that are there get a value in a column that the plan adds.
fn has_value(context: &Context<'_>, table: &TableName, name: &str) -> bool {
    let column = context.desired.table(table).and_then(|table| table.column(name));
    column.is_none_or(|column| {
        column.default.is_some() || column.identity.is_some() || column.generated.is_some()
    })
}

/// How many rows refer to nothing; `Err` with whether there can be any, if that can not be asked.
pub(super) fn orphans(
    context: &Context<'_>,
    table: &TableName,
    of: &ForeignKey,
) -> Result<Probe, bool> {
    let is_empty = |name: &String| {
        context.found_column(table, name).is_none() && !has_value(context, table, name)
    };
    if of.columns.iter().any(is_empty) {
        return Err(false);
    }
    let rows = |table: &TableName, alias: &str, columns: &[String]| {
        rows::with_columns(context, table, alias, |name| columns.iter().any(|of| of == name))
    };
    let from = rows(table, "f", &of.columns).ok_or(true)?;
    let filled = of.columns.iter().map(|name| format!("f.{} IS NOT NULL", quoted(name)));
    let mut conditions: Vec<_> = filled.collect();
    if !context.is_created(&of.target) {
        // A table that no model is about is as it is.
        let target = match context.desired.table(&of.target) {
            Some(_) => rows(&of.target, "t", &of.target_columns).ok_or(true)?,
            None => format!("{} AS t", full(context.former(&of.target))),
        };
        let pairs = of.target_columns.iter().zip(&of.columns);
        let pairs = pairs.map(|(to, from)| format!("t.{} = f.{}", quoted(to), quoted(from)));
        conditions.push(format!(
            "NOT EXISTS (SELECT FROM {target} WHERE {})",
            pairs.collect::<Vec<_>>().join(" AND "),
        ));
    }
    let sql = format!("SELECT count(*) FROM {from} WHERE {}", conditions.join(" AND "));
    Ok(Probe { sql, what: format!("rows that refer to nothing in {}", of.target) })
}
