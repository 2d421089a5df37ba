//! Questions to the rows.
//!
//! Guards that they are asked of the schema as it is before the plan runs.

use super::{
    super::ddl::{full, quoted},
    context::Context,
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

/// How many groups of rows a unique index would not admit; `Err` with whether there can be any, if
/// that can not be asked.
pub(super) fn duplicates(
    context: &Context<'_>,
    table: &TableName,
    of: &Index,
) -> Result<Probe, bool> {
    let mut parts = Vec::new();
    let mut conditions = Vec::new();
    for part in &of.parts {
        if part.is_expression {
            if !context.is_askable(table, &part.text) {
                return Err(true);
            }
            parts.push(format!("({})", part.text));
        } else {
            if context.found_column(table, &part.text).is_none() {
                return Err(has_value(context, table, &part.text) || of.nulls_not_distinct);
            }
            parts.push(column(context, table, &part.text));
        }
    }
    if let Some(predicate) = &of.predicate {
        if !context.is_askable(table, predicate) {
            return Err(true);
        }
        conditions.push(format!("({predicate})"));
    }
    if !of.nulls_not_distinct {
        conditions.extend(parts.iter().map(|part| format!("{part} IS NOT NULL")));
    }
    let condition = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {}{condition} GROUP BY {} HAVING count(*) > 1) \
         AS doubled",
        full(context.former(table)),
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
    for name in &of.columns {
        if context.found_column(table, name).is_none() {
            return Err(has_value(context, table, name));
        }
    }
    let columns: Vec<_> = of.columns.iter().map(|name| column(context, table, name)).collect();
    let filled = columns.iter().map(|column| format!("f.{column} IS NOT NULL"));
    let mut conditions: Vec<_> = filled.collect();
    if !context.is_created(&of.target) {
        let found = |name: &String| context.found_column(&of.target, name).is_some();
        if context.found(&of.target).is_some() && !of.target_columns.iter().all(found) {
            return Err(true);
        }
        let pairs = of.target_columns.iter().zip(&columns);
        let pairs =
            pairs.map(|(to, from)| format!("t.{} = f.{from}", column(context, &of.target, to)));
        conditions.push(format!(
            "NOT EXISTS (SELECT FROM {} AS t WHERE {})",
            full(context.former(&of.target)),
            pairs.collect::<Vec<_>>().join(" AND "),
        ));
    }
    let sql = format!(
        "SELECT count(*) FROM {} AS f WHERE {}",
        full(context.former(table)),
        conditions.join(" AND "),
    );
    Ok(Probe { sql, what: format!("rows that refer to nothing in {}", of.target) })
}
