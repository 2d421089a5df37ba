//! What makes columns, keys, constraints and indexes one table.
//!
//! Invariant: what passes here is refused by a database only for what it can not have at all, for
//! a name that it keeps to itself, or for SQL that it does not understand.

use crate::{
    ColumnKind, ColumnModel, DataType, DefaultModel, ForeignKeyModel, Identifier, IndexModel,
    IndexTermModel, ModelError, ReferentialAction, TableModel, UniqueModel, constant,
};

/// InnoDB's.
const COLUMNS_MAX: usize = 1_017;
/// MySQL's and MariaDB's.
const PARTS_MAX: usize = 16;
/// MySQL's and MariaDB's, in characters.
const COMMENT_MAX: usize = 1_024;

/// Carries over what columns say of themselves, and back.
pub(crate) fn complete(table: &mut TableModel) {
    let keys = || table.columns.iter().filter(|column| column.key);
    if table.key.is_empty() {
        table.key = keys().map(|column| column.name.clone()).collect();
    }
    for column in &mut table.columns {
        column.key |= table.key.contains(&column.name);
        let single = UniqueModel { columns: vec![column.name.clone()] };
        let is_known = table.uniques.contains(&single);
        if column.unique && !is_known {
            table.uniques.push(single);
        }
        column.unique |= is_known;
    }
}

/// Checks every rule.
pub(crate) fn check(table: &TableModel) -> Result<(), ModelError> {
    check_table(table)?;
    check_columns(table)?;
    check_key(table)?;
    check_uniques(table)?;
    check_indexes(table)?;
    check_references(table)?;
    check_checks(table)?;
    check_type_names(table)
}

fn check_table(table: &TableModel) -> Result<(), ModelError> {
    let name = table.name.as_str().as_bytes();
    if name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"sqlite_")) {
        return Err(ModelError::ReservedName { name: table.name.clone() });
    }
    if let Some(before) = table.renamed_from.as_ref().filter(|before| **before == table.name) {
        return Err(ModelError::RenamedFrom { name: before.clone() });
    }
    check_comment(table.comment.as_deref(), || "the table".to_owned())
}

fn check_columns(table: &TableModel) -> Result<(), ModelError> {
    if table.columns.iter().all(|column| column.generated.is_some()) {
        return Err(ModelError::NoColumns);
    }
    at_most(COLUMNS_MAX, table.columns.len(), "columns")?;
    for (at, column) in table.columns.iter().enumerate() {
        let is_alike = |other: &ColumnModel| column.name.is_alike(other.name.as_str());
        if table.columns[..at].iter().any(is_alike) {
            return Err(ModelError::DuplicateColumn { column: column.name.clone() });
        }
        check_column(column)?;
        check_rename(table, at)?;
    }
    Ok(())
}

fn check_column(column: &ColumnModel) -> Result<(), ModelError> {
    let name = || column.name.clone();
    let of = || format!("column {:?}", column.name);
    if !column.data_type.is_in_range() {
        return Err(ModelError::Modifier { column: name() });
    }
    if !has_fitting_default(column) {
        return Err(ModelError::DefaultMismatch { column: name() });
    }
    if !has_fitting_collation(column) {
        return Err(ModelError::Collation { column: name() });
    }
    if let Some(expression) = &column.generated {
        check_expression(expression, of)?;
        if column.key || column.auto_increment {
            return Err(ModelError::Computed { column: name() });
        }
    }
    check_comment(column.comment.as_deref(), of)
}

fn check_rename(table: &TableModel, at: usize) -> Result<(), ModelError> {
    let Some(before) = &table.columns[at].renamed_from else { return Ok(()) };
    let is_there = table.columns.iter().any(|column| column.name == *before);
    let others = &table.columns[..at];
    if is_there || others.iter().any(|column| column.renamed_from.as_ref() == Some(before)) {
        return Err(ModelError::RenamedFrom { name: before.clone() });
    }
    Ok(())
}

fn has_fitting_default(column: &ColumnModel) -> bool {
    use ColumnKind::{Date, Time, Timestamp, TimestampUtc};
    let Some(default) = &column.default else { return true };
    if column.generated.is_some() || column.auto_increment {
        return false;
    }
    let kind = column.data_type.kind();
    match default {
        DefaultModel::Now => matches!(kind, Date | Time | Timestamp | TimestampUtc),
        DefaultModel::Sql(sql) => is_expression(sql),
        DefaultModel::Value(value) => value.fits(kind) && column.data_type.can_hold(value),
    }
}

fn has_fitting_collation(column: &ColumnModel) -> bool {
    let is_text = column.data_type.kind() == ColumnKind::Text
        && !matches!(column.data_type, DataType::Enum { .. });
    match &column.collation {
        None => true,
        Some(collation) => is_text && is_expression(collation),
    }
}

fn check_key(table: &TableModel) -> Result<(), ModelError> {
    check_parts(&table.key)?;
    for name in &table.key {
        if known(table, name)?.nullable {
            return Err(ModelError::NullableKey { column: name.clone() });
        }
    }
    for column in &table.columns {
        let name = || column.name.clone();
        if column.key && !table.key.contains(&column.name) {
            return Err(ModelError::KeyMismatch { column: name() });
        }
        use ColumnKind::{Int16, Int32, Int64};
        let is_integer = matches!(column.data_type, DataType::Kind(Int16 | Int32 | Int64));
        let is_key = table.key == [name()];
        if column.auto_increment && !(is_integer && is_key) {
            return Err(ModelError::AutoIncrement { column: name() });
        }
    }
    Ok(())
}

fn check_uniques(table: &TableModel) -> Result<(), ModelError> {
    for (at, unique) in table.uniques.iter().enumerate() {
        all_known(table, &unique.columns)?;
        if unique.columns == table.key || table.uniques[..at].contains(unique) {
            let of = format!("the unique constraint over {:?}", unique.columns);
            return Err(ModelError::DuplicateConstraint { of });
        }
    }
    Ok(())
}

fn check_indexes(table: &TableModel) -> Result<(), ModelError> {
    for (at, index) in table.indexes.iter().enumerate() {
        let others = &table.indexes[..at];
        check_index(table, index)?;
        match &index.name {
            Some(name) => {
                let is_alike = |other: &Identifier| other.is_alike(name.as_str());
                let mut others = others.iter().filter_map(|other| other.name.as_ref());
                if others.any(is_alike) || is_alike(&table.name) {
                    return Err(ModelError::DuplicateName { name: name.clone() });
                }
            }
            // The name comes from the columns, so there can be one such index.
            None if others.iter().any(|other| other.name.is_none() && is_over(other, index)) => {
                let of = "an index without a name over the same columns".to_owned();
                return Err(ModelError::DuplicateConstraint { of });
            }
            None => {}
        }
    }
    Ok(())
}

fn check_index(table: &TableModel, index: &IndexModel) -> Result<(), ModelError> {
    if index.parts.is_empty() {
        return Err(ModelError::NoColumnsNamed);
    }
    let of = || "an index".to_owned();
    let mut columns = Vec::new();
    for part in &index.parts {
        match &part.of {
            IndexTermModel::Column(name) => {
                known(table, name)?;
                columns.push(name.clone());
            }
            IndexTermModel::Expression(sql) => check_expression(sql, of)?,
        }
    }
    check_parts(&columns)?;
    at_most(PARTS_MAX, index.parts.len(), "parts of one index")?;
    if let Some(predicate) = &index.predicate {
        check_expression(predicate, of)?;
    }
    match &index.method {
        // The one text that stands in a statement without quotes.
        Some(method) if !is_word(method) => Err(ModelError::Method { method: method.clone() }),
        _ => Ok(()),
    }
}

/// Whether both are over the same columns and expressions, in whatever direction.
fn is_over(one: &IndexModel, other: &IndexModel) -> bool {
    let mut pairs = one.parts.iter().zip(&other.parts);
    one.parts.len() == other.parts.len() && pairs.all(|(one, other)| one.of == other.of)
}

fn check_references(table: &TableModel) -> Result<(), ModelError> {
    for (at, key) in table.foreign_keys.iter().enumerate() {
        all_known(table, &key.columns)?;
        check_parts(&key.target_columns)?;
        if key.columns.len() != key.target_columns.len() {
            return Err(ModelError::NoColumnsNamed);
        }
        let is_same = |other: &ForeignKeyModel| {
            let target = |of: &ForeignKeyModel| (of.target_schema.clone(), of.target.clone());
            target(other) == target(key)
                && other.columns == key.columns
                && other.target_columns == key.target_columns
        };
        if table.foreign_keys[..at].iter().any(is_same) {
            let of = format!("the reference of {:?} to {:?}", key.columns, key.target);
            return Err(ModelError::DuplicateConstraint { of });
        }
        for name in &key.columns {
            check_actions(known(table, name)?, key)?;
        }
        check_self_reference(table, key)?;
    }
    Ok(())
}

fn check_actions(column: &ColumnModel, key: &ForeignKeyModel) -> Result<(), ModelError> {
    use ReferentialAction::{Cascade, SetDefault, SetNull};
    let nulls = [key.on_delete, key.on_update].contains(&SetNull);
    let changes = nulls
        || matches!(key.on_delete, SetDefault)
        || matches!(key.on_update, Cascade | SetDefault);
    if (nulls && !column.nullable) || (changes && column.generated.is_some()) {
        return Err(ModelError::Action { column: column.name.clone() });
    }
    Ok(())
}

fn check_self_reference(table: &TableModel, key: &ForeignKeyModel) -> Result<(), ModelError> {
    let is_own_schema = key.target_schema.is_none() || key.target_schema == table.schema;
    if key.target != table.name || !is_own_schema {
        return Ok(());
    }
    let is_kind = |(one, other): (&Identifier, &Identifier)| {
        let kind = |name| known(table, name).map(|column| column.data_type.kind());
        Ok(kind(one)? == kind(other)?)
    };
    let kinds: Result<Vec<bool>, _> =
        key.columns.iter().zip(&key.target_columns).map(is_kind).collect();
    let are_alike = kinds?.into_iter().all(|is_alike| is_alike);
    if are_alike && is_unique(table, &key.target_columns) {
        return Ok(());
    }
    // The list is not empty: it was checked before.
    Err(ModelError::SelfReference { column: key.columns[0].clone() })
}

/// Whether no two rows have the same values in these columns, in whatever order.
fn is_unique(table: &TableModel, columns: &[Identifier]) -> bool {
    let are = |others: &[Identifier]| {
        others.len() == columns.len() && others.iter().all(|other| columns.contains(other))
    };
    let of_index = |index: &IndexModel| {
        let columns = index.parts.iter().map(|part| match &part.of {
            IndexTermModel::Column(name) => Some(name.clone()),
            IndexTermModel::Expression(_) => None,
        });
        let columns: Option<Vec<_>> = columns.collect();
        index.unique && index.predicate.is_none() && columns.is_some_and(|columns| are(&columns))
    };
    are(&table.key)
        || table.uniques.iter().any(|unique| are(&unique.columns))
        || table.indexes.iter().any(of_index)
}

fn check_checks(table: &TableModel) -> Result<(), ModelError> {
    for (at, check) in table.checks.iter().enumerate() {
        check_expression(&check.expression, || "a check".to_owned())?;
        let others = &table.checks[..at];
        if others.iter().any(|other| other.expression == check.expression) {
            let of = format!("the check {:?}", check.expression);
            return Err(ModelError::DuplicateConstraint { of });
        }
        let Some(name) = &check.name else { continue };
        let mut others = others.iter().filter_map(|other| other.name.as_ref());
        if others.any(|other| other.is_alike(name.as_str())) {
            return Err(ModelError::DuplicateName { name: name.clone() });
        }
    }
    Ok(())
}

/// In PostgreSQL a table is a type too, so that no other type has its name.
fn check_type_names(table: &TableModel) -> Result<(), ModelError> {
    let types: Vec<_> = table
        .columns
        .iter()
        .filter_map(|column| match &column.data_type {
            DataType::Enum { name, labels } => Some((name, labels)),
            _ => None,
        })
        .collect();
    for (at, (name, labels)) in types.iter().enumerate() {
        let is_other = |(other, list): &(&Identifier, &Vec<String>)| {
            other.is_alike(name.as_str()) && (other != name || list != labels)
        };
        if table.name.is_alike(name.as_str()) || types[..at].iter().any(is_other) {
            return Err(ModelError::DuplicateName { name: (*name).clone() });
        }
    }
    Ok(())
}

/// Only the same bytes are the same name: in a statement it stands in quotes.
fn known<'a>(table: &'a TableModel, name: &Identifier) -> Result<&'a ColumnModel, ModelError> {
    let unknown = || ModelError::UnknownColumn { column: name.clone() };
    table.columns.iter().find(|column| column.name == *name).ok_or_else(unknown)
}

fn all_known(table: &TableModel, names: &[Identifier]) -> Result<(), ModelError> {
    if names.is_empty() {
        return Err(ModelError::NoColumnsNamed);
    }
    names.iter().try_for_each(|name| known(table, name).map(|_| ()))?;
    check_parts(names)
}

/// Each once, and not too many.
fn check_parts(names: &[Identifier]) -> Result<(), ModelError> {
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(ModelError::RepeatedColumn { column: name.clone() });
        }
    }
    at_most(PARTS_MAX, names.len(), "columns of one key, constraint or index")
}

const fn at_most(max: usize, count: usize, what: &'static str) -> Result<(), ModelError> {
    if count > max { Err(ModelError::TooMany { what, count, max }) } else { Ok(()) }
}

fn check_expression(sql: &str, of: impl FnOnce() -> String) -> Result<(), ModelError> {
    if is_expression(sql) { Ok(()) } else { Err(ModelError::Expression { of: of() }) }
}

fn check_comment(comment: Option<&str>, of: impl FnOnce() -> String) -> Result<(), ModelError> {
    let is_fine = |text: &str| !constant::has_nul(text) && text.chars().count() <= COMMENT_MAX;
    if comment.is_none_or(is_fine) { Ok(()) } else { Err(ModelError::Comment { of: of() }) }
}

fn is_expression(sql: &str) -> bool {
    !sql.trim().is_empty() && !constant::has_nul(sql)
}

fn is_word(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
