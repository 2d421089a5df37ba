//! What a step has to know beside its own change.
//!
//! Guards that questions to the rows are asked by the names that things have before the plan runs,
//! and statements made by those that they have when the statement runs.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::limited;
use crate::{Catalog, Change, Column, Index, Table, TableName};

/// Both schemas, and what the plan does between them.
pub(super) struct Context<'a> {
    pub(super) changes: &'a [Change],
    pub(super) current: &'a Catalog,
    pub(super) desired: &'a Catalog,
    created: BTreeSet<&'a TableName>,
    dropped: BTreeSet<&'a TableName>,
    /// Former names by new ones.
    tables: BTreeMap<&'a TableName, &'a TableName>,
    /// Former names by tables' and columns' new ones.
    columns: BTreeMap<(&'a TableName, &'a str), &'a str>,
}

impl<'a> Context<'a> {
    pub(super) fn new(changes: &'a [Change], current: &'a Catalog, desired: &'a Catalog) -> Self {
        let mut context = Self {
            changes,
            current,
            desired,
            created: BTreeSet::new(),
            dropped: BTreeSet::new(),
            tables: BTreeMap::new(),
            columns: BTreeMap::new(),
        };
        for change in changes {
            match change {
                Change::CreateTable(table) => {
                    context.created.insert(&table.name);
                }
                Change::DropTable(table) => {
                    context.dropped.insert(&table.name);
                }
                Change::RenameTable { from, to } => {
                    context.tables.insert(to, from);
                }
                Change::RenameColumn { table, from, to } => {
                    context.columns.insert((table, to), from);
                }
                _ => {}
            }
        }
        context
    }

    /// Whether the plan creates the table.
    pub(super) fn is_created(&self, table: &TableName) -> bool {
        self.created.contains(table)
    }

    /// Whether the plan drops the table.
    pub(super) fn is_dropped(&self, table: &TableName) -> bool {
        self.dropped.contains(table)
    }

    /// The name that a table has before the plan runs.
    pub(super) fn former<'b>(&'b self, table: &'b TableName) -> &'b TableName {
        self.tables.get(table).copied().unwrap_or(table)
    }

    /// The name that a table has once the plan has renamed it.
    pub(super) fn renamed<'b>(&'b self, table: &'b TableName) -> &'b TableName {
        let renamed = self.tables.iter().find(|(_, former)| **former == table);
        renamed.map_or(table, |(new, _)| new)
    }

    /// The name that a column has before the plan runs.
    pub(super) fn former_column<'b>(&'b self, table: &'b TableName, column: &'b str) -> &'b str {
        self.columns.get(&(table, column)).copied().unwrap_or(column)
    }

    /// The table before the plan runs.
    pub(super) fn found(&self, table: &TableName) -> Option<&'a Table> {
        self.current.table(self.former(table))
    }

    /// The column before the plan runs.
    pub(super) fn found_column(&self, table: &TableName, column: &str) -> Option<&'a Column> {
        self.found(table)?.column(self.former_column(table, column))
    }

    /// Whether the plan renames columns of the table, so that expressions of before and after
    /// name different ones.
    pub(super) fn has_renamed_columns(&self, table: &TableName) -> bool {
        self.columns.keys().any(|(of, _)| *of == table)
    }

    /// What else has this name among tables and indexes when the plan wants to give it away.
    pub(super) fn taken_by(&self, table: &TableName, name: &str) -> Option<TableName> {
        let former = self.former(table);
        let before = self
            .current
            .tables
            .iter()
            .filter(|other| other.name != *former && !self.is_dropped(&other.name));
        let before = before.filter(|other| {
            has_relation(other, name) && !self.drops(self.renamed(&other.name), name)
        });
        let after = self.desired.tables.iter().filter(|other| other.name != *table);
        let mut others = before.chain(after.filter(|other| has_relation(other, name)));
        let other = others.find(|other| other.name.schema == table.schema)?;
        Some(other.name.clone())
    }

    /// The name, or with a number behind it if a constraint or an index of the table has it and
    /// stays. A model counts its constraints, so that another one may have had its number.
    pub(super) fn free_name(&self, table: &TableName, name: &str) -> String {
        let stays = |name: &str| {
            let is_left_over = |index: &Index| index.name == name && !index.valid;
            let has =
                |found: &Table| has_part(found, name) && !found.indexes.iter().any(is_left_over);
            self.found(table).is_some_and(has) && !self.drops(table, name)
        };
        let mut free = name.to_owned();
        for number in 1_usize.. {
            if !stays(&free) {
                break;
            }
            free = limited(&format!("{name}_{number}"));
        }
        free
    }

    /// Whether the plan drops an index or a constraint of this name.
    fn drops(&self, table: &TableName, name: &str) -> bool {
        self.changes.iter().any(|change| match change {
            Change::DropIndex(of, index) => of == table && index.name == name,
            Change::DropUnique(of, unique) => of == table && unique.name.as_deref() == Some(name),
            Change::DropPrimaryKey(of, key) => of == table && key.name.as_deref() == Some(name),
            Change::DropCheck(of, check) => of == table && check.name.as_deref() == Some(name),
            Change::DropForeignKey(of, key) => of == table && key.name.as_deref() == Some(name),
            _ => false,
        })
    }
}

/// Whether a constraint or an index of a table has this name.
fn has_part(table: &Table, name: &str) -> bool {
    has_relation(table, name)
        || table.checks.iter().any(|check| check.name.as_deref() == Some(name))
        || table.foreign_keys.iter().any(|key| key.name.as_deref() == Some(name))
}

/// Whether a table or something of it has this name among tables and indexes.
fn has_relation(table: &Table, name: &str) -> bool {
    let is_named = |of: &Option<String>| of.as_deref() == Some(name);
    table.name.name == name
        || table.indexes.iter().any(|index| index.name == name)
        || table.uniques.iter().any(|unique| is_named(&unique.name))
        || table.primary_key.as_ref().is_some_and(|key| is_named(&key.name))
}
