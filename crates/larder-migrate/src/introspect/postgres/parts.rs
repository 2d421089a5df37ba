//! From rows of the catalog to keys, references, checks and indexes.

use larder_model::{
    Check, Dependent, ForeignKey, Index, IndexPart, NullsOrder, PrimaryKey, ReferentialAction,
    Table, TableName, Unique,
};
use serde::Deserialize;

use super::{frame::unexpected, text::bare};
use crate::{Cell, SessionError};

/// One part of an index, as the statement writes it.
#[derive(Deserialize)]
struct Part {
    column: Option<String>,
    expression: Option<String>,
    /// 1: descending; 2: NULLs first.
    option: u8,
    collation: Option<String>,
    opclass: Option<String>,
}

/// Something that belongs to a table, as the statement writes it.
#[derive(Deserialize)]
struct Own {
    name: String,
    sql: String,
}

/// What belongs to a table and is no part of its description; NULL for nothing.
pub(super) fn dependents(cell: &Cell) -> Result<Vec<Dependent>, SessionError> {
    let own: Vec<Own> = cell.as_text().map_or_else(|| Ok(Vec::new()), parsed)?;
    let dependent = |Own { name, sql }| Dependent { name, sql, is_own: true };
    Ok(own.into_iter().map(dependent).collect())
}

/// A list of names as JSON; NULL for none.
pub(super) fn list(cell: &Cell) -> Result<Vec<String>, SessionError> {
    cell.as_text().map_or_else(|| Ok(Vec::new()), parsed)
}

fn parsed<T: for<'a> Deserialize<'a>>(json: &str) -> Result<T, SessionError> {
    serde_json::from_str(json).map_err(|_| unexpected())
}

pub(super) fn text(cell: &Cell) -> Option<String> {
    cell.as_text().map(str::to_owned)
}

/// Adds a constraint to its table. The row is one of the statement for constraints, without the
/// table's number.
pub(super) fn add_constraint(table: &mut Table, row: &[Cell]) -> Result<(), SessionError> {
    let [
        name,
        kind,
        columns,
        deferrable,
        deferred,
        validated,
        target_schema,
        target,
        target_columns,
        on_delete,
        on_update,
        expression,
        included,
        not_distinct,
        is_special,
    ] = row
    else {
        return Err(unexpected());
    };
    let name = text(name);
    let columns = list(columns)?;
    let deferrable = deferrable.is_true().then(|| deferred.is_true());
    let include = list(included)?;
    if is_special.is_true() {
        table.opaque = Some("one of its keys has more to it than columns".to_owned());
    }
    match kind.as_text() {
        Some("p") => {
            if deferrable.is_some() || !include.is_empty() {
                let reason = "its primary key is deferrable or carries other columns along";
                table.opaque = Some(reason.to_owned());
            }
            table.primary_key = Some(PrimaryKey { name, columns });
        }
        Some("u") => {
            let nulls_not_distinct = not_distinct.is_true();
            table.uniques.push(Unique { name, columns, nulls_not_distinct, deferrable, include });
        }
        Some("c") => table.checks.push(Check {
            name,
            expression: bare(expression.as_text().unwrap_or_default()).to_owned(),
            validated: validated.is_true(),
        }),
        _ => table.foreign_keys.push(ForeignKey {
            name,
            columns,
            target: TableName {
                schema: text(target_schema),
                name: text(target).unwrap_or_default(),
            },
            target_columns: list(target_columns)?,
            on_delete: action(on_delete)?,
            on_update: action(on_update)?,
            deferrable,
            validated: validated.is_true(),
        }),
    }
    Ok(())
}

fn action(letter: &Cell) -> Result<ReferentialAction, SessionError> {
    Ok(match letter.as_text() {
        Some("a") => ReferentialAction::NoAction,
        Some("r") => ReferentialAction::Restrict,
        Some("c") => ReferentialAction::Cascade,
        Some("n") => ReferentialAction::SetNull,
        Some("d") => ReferentialAction::SetDefault,
        _ => return Err(unexpected()),
    })
}

/// An index. The row is one of the statement for indexes, without the table's number.
pub(super) fn index(row: &[Cell]) -> Result<Index, SessionError> {
    let [name, unique, method, valid, not_distinct, predicate, parts, included] = row else {
        return Err(unexpected());
    };
    let parts: Vec<Part> = parsed(parts.as_text().unwrap_or("[]"))?;
    Ok(Index {
        name: text(name).ok_or_else(unexpected)?,
        unique: unique.is_true(),
        method: text(method).filter(|method| method != "btree"),
        parts: parts.into_iter().map(part).collect::<Result<_, _>>()?,
        include: list(included)?,
        predicate: predicate.as_text().map(|text| bare(text).to_owned()),
        nulls_not_distinct: not_distinct.is_true(),
        valid: valid.is_true(),
    })
}

fn part(part: Part) -> Result<IndexPart, SessionError> {
    let descending = part.option & 1 != 0;
    let nulls_first = part.option & 2 != 0;
    let nulls = match (descending, nulls_first) {
        (false, true) => Some(NullsOrder::First),
        (true, false) => Some(NullsOrder::Last),
        // NULLs count as larger than everything else.
        (false, false) | (true, true) => None,
    };
    let of = match (part.column, part.expression) {
        (Some(column), _) => IndexPart::column(column),
        (None, Some(expression)) => IndexPart::expression(bare(&expression)),
        (None, None) => return Err(unexpected()),
    };
    let (collation, opclass) = (part.collation, part.opclass);
    Ok(IndexPart { descending, nulls, collation, opclass, ..of })
}
