//! A table and what becomes of it, under the names that it has before any rename.
//!
//! Invariant: what nobody asked to change is the same on both sides.

use super::ddl;
use crate::{Catalog, Change, Column, Dialect, Table, TableName, renames::Renames};

/// A table before and after its changes.
#[derive(Debug)]
pub(super) struct Altered<'a> {
    /// As it is.
    pub(super) before: &'a Table,
    /// As it will be, under the names that it has now.
    pub(super) after: Table,
    /// The same changes under the names that it has now, without renames and without indexes.
    pub(super) changes: Vec<Change>,
    /// How the changes read for people: under the names that they will have.
    pub(super) descriptions: Vec<String>,
}

/// The changes of each table that is there, in the order in which tables are first mentioned.
pub(super) fn altered<'a>(
    changes: &[Change],
    current: &'a Catalog,
    renames: &Renames,
) -> Vec<Altered<'a>> {
    let back = renames.reversed();
    let mut all: Vec<Altered<'a>> = Vec::new();
    for change in changes {
        let is_of_table = matches!(
            change,
            Change::AddCheck(..)
                | Change::AddColumn(..)
                | Change::AddForeignKey(..)
                | Change::AddPrimaryKey(..)
                | Change::AddUnique(..)
                | Change::AlterColumn { .. }
                | Change::AlterOptions { .. }
                | Change::DropCheck(..)
                | Change::DropColumn(..)
                | Change::DropForeignKey(..)
                | Change::DropPrimaryKey(..)
                | Change::DropUnique(..)
        );
        let Some(before) = find(current, renames.former(change.table())) else { continue };
        let goes =
            |other: &Change| matches!(other, Change::DropTable(of) if of.name == before.name);
        if !is_of_table || changes.iter().any(goes) {
            continue;
        }
        let at = all.iter().position(|of| of.before.name == before.name).unwrap_or_else(|| {
            all.push(Altered::unchanged(before));
            all.len() - 1
        });
        all[at].descriptions.push(change.to_string());
        all[at].changes.push(change.clone());
    }
    for of in &mut all {
        let mut after = renames.apply(Dialect::Sqlite, of.before);
        of.changes.iter().for_each(|change| apply(&mut after, change));
        of.after = back.apply(Dialect::Sqlite, &after);
        of.changes = of.changes.iter().map(|change| renamed(change, &after, &back)).collect();
        // Indexes come and go in steps of their own.
        let is_kept = |index: &crate::Index| {
            let mut drops = changes.iter();
            !drops.any(|change| matches!(change, Change::DropIndex(_, of) if of.name == index.name))
        };
        of.after.indexes.retain(is_kept);
    }
    all
}

/// The table of this name in whatever case.
pub(super) fn find<'a>(catalog: &'a Catalog, name: &TableName) -> Option<&'a Table> {
    catalog.tables.iter().find(|table| table.name.name.eq_ignore_ascii_case(&name.name))
}

impl<'a> Altered<'a> {
    pub(super) fn unchanged(before: &'a Table) -> Self {
        let (after, changes, descriptions) = (before.clone(), Vec::new(), Vec::new());
        Self { before, after, changes, descriptions }
    }

    /// The columns that it gets.
    pub(super) fn added(&self) -> impl Iterator<Item = &Column> {
        self.after.columns.iter().filter(|column| find_column(self.before, &column.name).is_none())
    }

    /// The columns that it loses.
    pub(super) fn dropped(&self) -> impl Iterator<Item = &Column> {
        self.before.columns.iter().filter(|column| find_column(&self.after, &column.name).is_none())
    }

    /// Whether it was told apart by a number of the row that no column shows.
    pub(super) fn has_own_row_number(table: &Table) -> bool {
        !table.without_rowid && ddl::row_number_alias(table).is_none()
    }
}

pub(super) fn find_column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

fn apply(table: &mut Table, change: &Change) {
    match change {
        Change::AddCheck(_, check) => table.checks.push(check.clone()),
        Change::AddColumn(_, column) => table.columns.push(column.clone()),
        Change::AddForeignKey(_, key) => table.foreign_keys.push(key.clone()),
        Change::AddPrimaryKey(_, key) => table.primary_key = Some(key.clone()),
        Change::AddUnique(_, unique) => table.uniques.push(unique.clone()),
        Change::AlterColumn { to, .. } => {
            let same = |column: &&mut Column| column.name.eq_ignore_ascii_case(&to.name);
            if let Some(column) = table.columns.iter_mut().find(same) {
                // In whatever case it is mentioned, it keeps its name.
                *column = Column { name: column.name.clone(), ..(**to).clone() };
            }
        }
        Change::AlterOptions { to, .. } => {
            (table.strict, table.without_rowid) = (to.strict, to.without_rowid);
        }
        Change::DropCheck(_, check) => remove(&mut table.checks, check),
        Change::DropColumn(_, column) => {
            table.columns.retain(|of| !of.name.eq_ignore_ascii_case(&column.name));
        }
        Change::DropForeignKey(_, key) => remove(&mut table.foreign_keys, key),
        Change::DropPrimaryKey(..) => table.primary_key = None,
        Change::DropUnique(_, unique) => remove(&mut table.uniques, unique),
        _ => {}
    }
}

fn remove<T: PartialEq>(all: &mut Vec<T>, one: &T) {
    if let Some(at) = all.iter().position(|of| of == one) {
        all.remove(at);
    }
}

/// A change under other names. `after` is its table with everything that it adds.
fn renamed(change: &Change, after: &Table, back: &Renames) -> Change {
    let mut carrier = Table::new(after.name.clone());
    apply(&mut carrier, change);
    if let Change::AlterColumn { from, to, .. } = change {
        carrier.columns = vec![(**from).clone(), (**to).clone()];
    }
    if let Change::DropColumn(_, column) = change {
        carrier.columns = vec![column.clone()];
    }
    let mut carrier = back.apply(Dialect::Sqlite, &carrier);
    let name = carrier.name.clone();
    match change {
        Change::AddCheck(..) => carrier.checks.pop().map(|of| Change::AddCheck(name, of)),
        Change::AddColumn(..) => carrier.columns.pop().map(|of| Change::AddColumn(name, of)),
        Change::AddForeignKey(..) => {
            carrier.foreign_keys.pop().map(|of| Change::AddForeignKey(name, of))
        }
        Change::AddPrimaryKey(..) => carrier.primary_key.map(|of| Change::AddPrimaryKey(name, of)),
        Change::AddUnique(..) => carrier.uniques.pop().map(|of| Change::AddUnique(name, of)),
        Change::AlterColumn { .. } => {
            let (to, from) = (carrier.columns.pop(), carrier.columns.pop());
            from.zip(to).map(|(from, to)| {
                let (from, to) = (Box::new(from), Box::new(to));
                Change::AlterColumn { table: name, from, to }
            })
        }
        Change::DropColumn(..) => carrier.columns.pop().map(|of| Change::DropColumn(name, of)),
        _ => None,
    }
    .unwrap_or_else(|| change.clone())
}
