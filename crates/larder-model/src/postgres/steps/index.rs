//! Steps about indexes, and about the keys that are made of one.
//!
//! Invariant: on a table that is there an index is made while others write. If that is broken off
//! it leaves an index behind that nobody uses; only such a one is dropped, and only if it belongs
//! to this table.

use super::{
    super::{
        ddl::{self, Creation, beside, deferrable, full, quoted},
        names::limited,
    },
    block,
    context::Context,
    of, probe,
    table::taken,
    unsupported,
};
use crate::{Change, Class, Index, PrimaryKey, Probe, Step, TableName, Undo, Unique};

pub(super) fn add(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    index: &Index,
) -> Step {
    let drop = format!("DROP INDEX {}", beside(table, &index.name));
    concurrent(context, change, table, index, None, drop)
}

pub(super) fn add_unique(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    unique: &Unique,
) -> Step {
    let name = unique.name.clone();
    let name = name
        .unwrap_or_else(|| limited(&format!("{}_{}_key", table.name, unique.columns.join("_"))));
    let name = context.free_name(table, &name);
    let columns: Vec<_> = unique.columns.iter().map(String::as_str).collect();
    let index = Index {
        unique: true,
        include: unique.include.clone(),
        nulls_not_distinct: unique.nulls_not_distinct,
        ..Index::new(name, &columns)
    };
    key(context, change, table, &index, "UNIQUE", deferrable(unique.deferrable))
}

pub(super) fn add_primary_key(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    primary: &PrimaryKey,
) -> Step {
    let name = primary.name.clone();
    let name = name.unwrap_or_else(|| limited(&format!("{}_pkey", table.name)));
    let name = context.free_name(table, &name);
    let columns: Vec<_> = primary.columns.iter().map(String::as_str).collect();
    let index = Index { unique: true, ..Index::new(name, &columns) };
    key(context, change, table, &index, "PRIMARY KEY", "")
}

/// A constraint that takes over an index.
fn key(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    index: &Index,
    kind: &str,
    deferrable: &str,
) -> Step {
    let (table_sql, name) = (full(table), quoted(&index.name));
    let adopt = format!(
        "ALTER TABLE {table_sql} ADD CONSTRAINT {name} {kind} USING INDEX {name}{deferrable}"
    );
    let drop = format!("ALTER TABLE {table_sql} DROP CONSTRAINT {name}");
    concurrent(context, change, table, index, Some(adopt), drop)
}

fn concurrent(
    context: &Context<'_>,
    change: &Change,
    table: &TableName,
    index: &Index,
    adopt: Option<String>,
    undo: String,
) -> Step {
    if let Some(other) = context.taken_by(table, &index.name) {
        return unsupported(change, &taken(&index.name, &other));
    }
    let mut statements =
        vec![drop_left_over(table, &index.name), ddl::index(table, index, Creation::Concurrent)];
    statements.extend(adopt);
    let (class, probe) = judge(context, table, index);
    Step {
        class,
        statements,
        transactional: false,
        undo: Undo::Statements(vec![undo]),
        probe,
        ..of(change)
    }
}

fn judge(context: &Context<'_>, table: &TableName, index: &Index) -> (Class, Option<Probe>) {
    if !index.unique {
        return (Class::Online, None);
    }
    match probe::duplicates(context, table, index) {
        Ok(probe) => (Class::DataDependent, Some(probe)),
        Err(true) => (Class::DataDependent, None),
        Err(false) => (Class::Online, None),
    }
}

fn drop_left_over(table: &TableName, name: &str) -> String {
    let index = beside(table, name);
    let (index_text, table_text) = (ddl::escaped(&index), ddl::escaped(&full(table)));
    block(&format!(
        "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_index \
         WHERE indexrelid = pg_catalog.to_regclass({index_text}) \
         AND indrelid = pg_catalog.to_regclass({table_text}) AND NOT indisvalid) \
         THEN DROP INDEX {index}; END IF; END"
    ))
}

pub(super) fn drop(change: &Change, table: &TableName, index: &Index) -> Step {
    Step {
        statements: vec![format!("DROP INDEX {}", beside(table, &index.name))],
        undo: Undo::Statements(vec![ddl::index(table, index, Creation::Plain)]),
        ..of(change)
    }
}
