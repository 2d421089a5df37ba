//! The order in which changes can be made on PostgreSQL.
//!
//! Invariant: what others depend on is made before them and goes after them; where both sides stay
//! and what is between them must go for a while, it comes back at the end.

use std::collections::BTreeSet;

use crate::{
    Catalog, Change, Check, Dialect, ForeignKey, Index, Table, TableName, missing::Restoring,
    renames::Renames,
};

/// The changes in their order, with those that PostgreSQL needs beside.
pub(super) fn ordered(changes: &[Change], current: &Catalog, restoring: &Restoring) -> Vec<Change> {
    let mut changes = changes.to_vec();
    complete_constraints(&mut changes);
    detach_references(&mut changes);
    unhook_references(&mut changes, current, restoring);
    free_names(&mut changes);
    changes.sort_by_key(rank);
    changes
}

const fn rank(change: &Change) -> u8 {
    match change {
        Change::SuspectedRename { .. } | Change::Unsupported { .. } => 0,
        Change::RenameColumn { .. } => 2,
        Change::RenameTable { .. } => 1,
        Change::DropForeignKey(..) => 3,
        Change::DropCheck(..)
        | Change::DropIndex(..)
        | Change::DropPrimaryKey(..)
        | Change::DropUnique(..) => 4,
        // What is in the way of another type is gone by now.
        Change::AlterEnum { .. } | Change::CreateEnum(_) => 5,
        Change::CreateTable(_) => 6,
        // A computed column goes before those that it is computed from, and comes after them.
        Change::DropColumn(_, column) if column.generated.is_some() => 7,
        Change::AddColumn(_, column) if column.generated.is_none() => 8,
        Change::AlterColumn { to, .. } if to.generated.is_none() => 9,
        Change::AddColumn(..) | Change::AlterColumn { .. } => 10,
        Change::DropColumn(..) => 11,
        Change::AlterOptions { .. } => 12,
        Change::AddPrimaryKey(..) | Change::AddUnique(..) => 13,
        Change::AddCheck(..) | Change::AddIndex(..) => 14,
        Change::AddForeignKey(..) => 15,
        Change::DropTable(_) => 16,
        Change::DropEnum(_) => 17,
    }
}

/// A constraint that is there and only was not checked for all rows is neither dropped nor added.
fn complete_constraints(changes: &mut Vec<Change>) {
    let mut completed = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let found = changes.iter().position(|other| match (change, other) {
            (Change::DropCheck(table, gone), Change::AddCheck(of, check)) => {
                let whole = Check { name: check.name.clone(), validated: true, ..gone.clone() };
                of == table && !gone.validated && *check == whole
            }
            (Change::DropForeignKey(table, gone), Change::AddForeignKey(of, key)) => {
                let whole = ForeignKey { name: key.name.clone(), validated: true, ..gone.clone() };
                of == table && !gone.validated && *key == whole
            }
            _ => false,
        });
        completed.extend(found.map(|found| (at, found)));
    }
    for (drop, add) in &completed {
        let name = match &changes[*drop] {
            Change::DropCheck(_, gone) => gone.name.clone(),
            Change::DropForeignKey(_, gone) => gone.name.clone(),
            _ => None,
        };
        match &mut changes[*add] {
            Change::AddCheck(_, check) => check.name = name,
            Change::AddForeignKey(_, key) => key.name = name,
            _ => {}
        }
    }
    let mut at = 0;
    changes.retain(|_| {
        at += 1;
        !completed.iter().any(|(drop, _)| drop + 1 == at)
    });
}

/// References of new tables to tables that the plan changes come when these are changed.
fn detach_references(changes: &mut Vec<Change>) {
    let touched: BTreeSet<_> = changes.iter().filter_map(touched).collect();
    let mut later = Vec::new();
    for change in changes.iter_mut() {
        let Change::CreateTable(table) = change else { continue };
        let (gone, kept): (Vec<_>, Vec<_>) =
            table.foreign_keys.drain(..).partition(|key| touched.contains(&key.target));
        table.foreign_keys = kept;
        let name = &table.name;
        later.extend(gone.into_iter().map(|key| Change::AddForeignKey(name.clone(), key)));
    }
    changes.extend(later);
}

/// The table to which a change adds something that a reference may need.
fn touched(change: &Change) -> Option<TableName> {
    match change {
        Change::AddColumn(table, _)
        | Change::AddIndex(table, _)
        | Change::AddPrimaryKey(table, _)
        | Change::AddUnique(table, _)
        | Change::AlterColumn { table, .. } => Some(table.clone()),
        _ => None,
    }
}

/// References that stay, to a key that goes and that something else replaces; and those that a run
/// which was broken off did not put back.
fn unhook_references(changes: &mut Vec<Change>, current: &Catalog, restoring: &Restoring) {
    let renames = Renames::of(changes);
    let renamed = |table: &Table| renames.apply(Dialect::Postgres, table);
    let tables: Vec<_> = current.tables.iter().map(renamed).collect();
    let gone: Vec<_> = changes.iter().filter_map(dropped_key).collect();
    let mut unhooked = Vec::new();
    for (owner, former) in tables.iter().zip(&current.tables) {
        for key in &owner.foreign_keys {
            let is_hooked = gone.iter().any(|(table, columns)| {
                key.target == *table && is_same_set(&key.target_columns, columns)
            });
            let goes = changes.iter().any(|change| match change {
                Change::DropForeignKey(table, gone) => {
                    *table == owner.name && gone.name == key.name
                }
                Change::DropTable(table) => table.name == owner.name,
                _ => false,
            });
            let is_off = restoring.is_off(&former.name, key);
            let is_unchecked = restoring.is_unchecked(&former.name, key);
            if (is_hooked || is_off || is_unchecked) && !goes {
                let has_key = keys_after(changes, &tables, &key.target)
                    .any(|columns| is_same_set(&key.target_columns, &columns));
                let (owner, takes_off) = (owner.name.clone(), is_hooked || is_off);
                unhooked.push((owner, key.clone(), has_key, takes_off, is_unchecked));
            }
        }
    }
    for (owner, key, has_key, takes_off, is_unchecked) in unhooked {
        if !has_key {
            let reason = format!("{owner} refers to columns of it that would be no key any more");
            changes.push(Change::Unsupported { table: key.target, reason });
            continue;
        }
        let whole = ForeignKey { validated: key.validated || is_unchecked, ..key.clone() };
        if takes_off {
            changes.push(Change::DropForeignKey(owner.clone(), key));
        }
        let add = Change::AddForeignKey(owner, whole);
        // A model may want to have it checked as well.
        if !changes.contains(&add) {
            changes.push(add);
        }
    }
}

/// Whether a table has a key of these columns, in whatever order.
pub(crate) fn has_key(table: &Table, columns: &[String]) -> bool {
    let key = table.primary_key.iter().map(|key| key.columns.clone());
    let uniques = table.uniques.iter().map(|unique| unique.columns.clone());
    let indexes = table.indexes.iter().filter_map(key_columns);
    key.chain(uniques).chain(indexes).any(|key| is_same_set(&key, columns))
}

/// The table and the columns of a key that a change drops.
fn dropped_key(change: &Change) -> Option<(TableName, Vec<String>)> {
    match change {
        Change::DropIndex(table, index) => Some((table.clone(), key_columns(index)?)),
        Change::DropPrimaryKey(table, key) => Some((table.clone(), key.columns.clone())),
        Change::DropUnique(table, unique) => Some((table.clone(), unique.columns.clone())),
        _ => None,
    }
}

/// The columns to which a reference can refer because of an index.
fn key_columns(index: &Index) -> Option<Vec<String>> {
    let is_key = index.unique
        && index.predicate.is_none()
        && index.parts.iter().all(|part| !part.is_expression);
    is_key.then(|| index.parts.iter().map(|part| part.text.clone()).collect())
}

/// The keys that a table has when the changes are made; `tables` are under the names that they get.
fn keys_after<'a>(
    changes: &'a [Change],
    tables: &'a [Table],
    table: &'a TableName,
) -> impl Iterator<Item = Vec<String>> + 'a {
    let dropped = move |is_it: &dyn Fn(&Change) -> bool| {
        changes.iter().any(|change| change.table() == table && is_it(change))
    };
    let kept = tables.iter().filter(move |found| found.name == *table).flat_map(move |found| {
        let mut keys = Vec::new();
        if let Some(key) = &found.primary_key
            && !dropped(&|change| matches!(change, Change::DropPrimaryKey(..)))
        {
            keys.push(key.columns.clone());
        }
        for of in &found.uniques {
            if !dropped(&|change| matches!(change, Change::DropUnique(_, gone) if gone == of)) {
                keys.push(of.columns.clone());
            }
        }
        for of in &found.indexes {
            if !dropped(&|change| matches!(change, Change::DropIndex(_, gone) if gone == of)) {
                keys.extend(key_columns(of));
            }
        }
        keys
    });
    let added = changes.iter().filter_map(move |change| match change {
        Change::AddIndex(of, index) if of == table => key_columns(index),
        Change::AddPrimaryKey(of, key) if of == table => Some(key.columns.clone()),
        Change::AddUnique(of, unique) if of == table => Some(unique.columns.clone()),
        _ => None,
    });
    kept.chain(added)
}

fn is_same_set(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

/// Indexes of tables that go at the end, whose names are wanted before.
fn free_names(changes: &mut Vec<Change>) {
    let wanted: BTreeSet<_> = changes.iter().flat_map(given_names).collect();
    let mut freed = Vec::new();
    for change in changes.iter() {
        let Change::DropTable(table) = change else { continue };
        let indexes = table.indexes.iter().filter(|index| wanted.contains(&index.name));
        freed.extend(indexes.map(|index| Change::DropIndex(table.name.clone(), index.clone())));
        let is_wanted = |name: &Option<String>| name.as_ref().is_some_and(|of| wanted.contains(of));
        let uniques = table.uniques.iter().filter(|unique| is_wanted(&unique.name));
        freed.extend(uniques.map(|unique| Change::DropUnique(table.name.clone(), unique.clone())));
        let key = table.primary_key.iter().filter(|key| is_wanted(&key.name));
        freed.extend(key.map(|key| Change::DropPrimaryKey(table.name.clone(), key.clone())));
    }
    changes.extend(freed);
}

/// The names that a change gives to indexes.
fn given_names(change: &Change) -> Vec<String> {
    let of_table = |table: &Table| {
        let indexes = table.indexes.iter().map(|index| index.name.clone());
        let uniques = table.uniques.iter().filter_map(|unique| unique.name.clone());
        let key = table.primary_key.iter().filter_map(|key| key.name.clone());
        indexes.chain(uniques).chain(key).collect()
    };
    match change {
        Change::AddIndex(_, index) => vec![index.name.clone()],
        Change::AddUnique(_, unique) => unique.name.iter().cloned().collect(),
        Change::AddPrimaryKey(_, key) => key.name.iter().cloned().collect(),
        Change::CreateTable(table) => of_table(table),
        _ => Vec::new(),
    }
}
