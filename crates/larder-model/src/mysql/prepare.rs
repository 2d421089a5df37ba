//! What changes need beside themselves.
//!
//! Guards that no single statement asks for what the server refuses: a reference whose columns
//! change has to go for a while, and a key and a number that the server counts come together only.

use std::collections::BTreeSet;

use super::{
    alter::Altered, convert::can_refer, order::Work, rename::with_mentions, steps::Planner,
};
use crate::{
    Change, Column, Dialect, ForeignKey, Table, TableName, Unique,
    short_name::{NameUnit, short_name},
};

pub(super) fn prepare(planner: &Planner<'_>, planned: &[Change]) -> Vec<Work> {
    let mut changes = planned.to_vec();
    changes.retain(|change| {
        !matches!(change, Change::DropForeignKey(table, key) if planner.is_off(table, key))
    });
    absorb_text_columns(planner, &mut changes);
    let mut work = with_mentions(planner, &mut changes);
    let (merged, changes) = merge_keys(changes);
    work.extend(merged);
    work.extend(changes.into_iter().map(Work::Change));
    rename_indexes(planner, &mut work);
    for (table, key) in suspended(planner, planned, &work) {
        let interlude = interlude(planner, &work, table, key);
        work.extend(interlude);
    }
    drop_before_renames(planner, &mut work);
    work
}

/// A reference that goes, unless it is off already, and comes back.
fn interlude(planner: &Planner<'_>, work: &[Work], table: TableName, key: ForeignKey) -> Vec<Work> {
    if !planner.fits_afterwards(work, &table, &key) {
        let reason = format!(
            "foreign key ({}) to {} would be between columns of types that do not go together: \
             change both, or drop it first",
            key.columns.join(", "),
            key.target
        );
        return vec![Work::Change(Change::Unsupported { table, reason })];
    }
    let mut interlude = Vec::new();
    if !planner.is_off(&table, &key) {
        interlude.push(match is_renamed(work, &table, &key) {
            true => Work::SuspendBefore(table.clone(), planner.former_key(&table, &key)),
            false => Work::Suspend(table.clone(), key.clone()),
        });
    }
    interlude.push(Work::Resume(table, key));
    interlude
}

/// Whether columns that a reference is between get other names by a statement that copies their
/// table, which the server refuses while the reference is there.
fn is_renamed(work: &[Work], table: &TableName, key: &ForeignKey) -> bool {
    work.iter().any(|one| match one {
        Work::Rename(rename) => {
            rename.touches(table, &key.columns) || rename.touches(&key.target, &key.target_columns)
        }
        _ => false,
    })
}

/// References that go anyway go before such a statement.
fn drop_before_renames(planner: &Planner<'_>, work: &mut [Work]) {
    let is_in_the_way = |one: &Work| match one {
        Work::Change(Change::DropForeignKey(table, key)) if is_renamed(work, table, key) => {
            let former = planner.former_key(table, key);
            Some(Work::Before(Change::DropForeignKey(table.clone(), former)))
        }
        _ => None,
    };
    let moved: Vec<_> = work.iter().map(is_in_the_way).collect();
    for (one, moved) in work.iter_mut().zip(moved) {
        if let Some(moved) = moved {
            *one = moved;
        }
    }
}

/// Where the collation of a table changes, that statement changes its texts as well.
fn absorb_text_columns(planner: &Planner<'_>, changes: &mut Vec<Change>) {
    let recollated: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::AlterOptions { from, to } if from.collation != to.collation => {
                Some(planner.texts(from, to))
            }
            _ => None,
        })
        .flatten()
        .map(|altered| (altered.table.clone(), altered.to.name.clone()))
        .collect();
    changes.retain(|change| match change {
        Change::AlterColumn { table, to, .. } => {
            !recollated.contains(&(table.clone(), to.name.clone()))
        }
        _ => true,
    });
}

/// Puts the changes together that can be made by one statement only, and returns the others.
fn merge_keys(changes: Vec<Change>) -> (Vec<Work>, Vec<Change>) {
    let mut work = Vec::new();
    let mut rest = changes;
    let tables: BTreeSet<_> = rest
        .iter()
        .filter(|change| {
            matches!(change, Change::AddPrimaryKey(..) | Change::DropPrimaryKey(..))
                || matches!(change, Change::AddColumn(_, column) if column.identity.is_some())
        })
        .map(|change| change.table().clone())
        .collect();
    for table in tables {
        let former: Vec<String> = rest
            .iter()
            .find_map(|change| match change {
                Change::DropPrimaryKey(of, key) if *of == table => Some(key.columns.clone()),
                _ => None,
            })
            .unwrap_or_default();
        let numbered: Vec<String> = rest
            .iter()
            .filter_map(|change| match change {
                Change::AddColumn(of, column) if *of == table && column.identity.is_some() => {
                    Some(column.name.clone())
                }
                _ => None,
            })
            .collect();
        let belongs = |change: &Change| {
            *change.table() == table
                && match change {
                    Change::AddPrimaryKey(..) | Change::DropPrimaryKey(..) => true,
                    Change::AddColumn(_, column) => column.identity.is_some(),
                    Change::AddUnique(_, unique) => {
                        unique.columns.first().is_some_and(|first| numbered.contains(first))
                    }
                    Change::AlterColumn { from, to, .. } => {
                        from.identity != to.identity || former.contains(&from.name)
                    }
                    Change::DropColumn(_, column) => former.contains(&column.name),
                    _ => false,
                }
        };
        let (merged, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(belongs);
        work.push(Work::Rekey(table, merged));
        rest = others;
    }
    (work, rest)
}

/// An index that stays makes room for a new one of its name: which name a unique constraint has is
/// no difference, so that it may have one that is wanted elsewhere.
fn rename_indexes(planner: &Planner<'_>, work: &mut Vec<Work>) {
    let mut renames = Vec::new();
    for change in work.iter().flat_map(Work::changes) {
        let (table, name) = match change {
            Change::AddIndex(table, index) => (table, index.name.as_str()),
            Change::AddUnique(table, Unique { name: Some(name), .. }) => (table, name.as_str()),
            _ => continue,
        };
        let Some(found) = planner.found(table) else { continue };
        let is_it = |unique: &&Unique| {
            unique.name.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        let Some(unique) = found.uniques.iter().find(is_it) else { continue };
        let is_dropped = work.iter().flat_map(Work::changes).any(|change| {
            matches!(change, Change::DropUnique(of, dropped) if of == table && dropped == unique)
        });
        if !is_dropped {
            let from = unique.name.clone().unwrap_or_default();
            let to = free_name(found, planner.wanted(table), &from);
            renames.push(Work::RenameIndex(table.clone(), from, to));
        }
    }
    work.extend(renames);
}

/// A name that no index has on either side.
fn free_name(found: &Table, wanted: Option<&Table>, name: &str) -> String {
    let sides = [Some(found), wanted];
    let is_taken = |name: &str| {
        sides.into_iter().flatten().any(|table| {
            let uniques = table.uniques.iter().filter_map(|unique| unique.name.as_deref());
            let indexes = table.indexes.iter().map(|index| index.name.as_str());
            uniques.chain(indexes).any(|taken| taken.eq_ignore_ascii_case(name))
        })
    };
    let max = Dialect::MySql.name_length_max().unwrap_or(usize::MAX);
    let candidates =
        (2..).map(|count| short_name(&format!("{name}_{count}"), max, NameUnit::Chars));
    let mut candidates = candidates.filter(|candidate| !is_taken(candidate));
    // There are more numbers than indexes.
    candidates.next().unwrap_or_default()
}

/// The references that stay, and whose columns or keys change, or that are off already.
fn suspended(
    planner: &Planner<'_>,
    planned: &[Change],
    work: &[Work],
) -> Vec<(TableName, ForeignKey)> {
    let touched = Touched::by(planner, work);
    let is_dropped = |table: &TableName, key: &ForeignKey| {
        planned.iter().any(|change| match change {
            Change::DropForeignKey(of, dropped) => of == table && dropped.name == key.name,
            Change::DropTable(of) => of.name == *table,
            _ => false,
        })
    };
    let keys =
        planner.current.tables.iter().flat_map(|table| {
            table.foreign_keys.iter().map(|key| (table.name.clone(), key.clone()))
        });
    let goes_for_a_while = |table: &TableName, key: &ForeignKey| {
        touched.has(table, key) || is_renamed(work, table, key) || planner.is_off(table, key)
    };
    keys.filter(|(table, key)| goes_for_a_while(table, key) && !is_dropped(table, key)).collect()
}

/// Columns, and keys that are referred to, which do not stay what they are.
#[derive(Default)]
struct Touched {
    columns: BTreeSet<(TableName, String)>,
    keys: BTreeSet<(TableName, Vec<String>)>,
}

impl Touched {
    fn by(planner: &Planner<'_>, work: &[Work]) -> Self {
        let mut touched = Self::default();
        for change in work.iter().flat_map(Work::changes) {
            match change {
                Change::AlterColumn { table, from, to } => {
                    let altered = planner.altered(table, from, to);
                    touched.add(altered.filter(Altered::changes_storage));
                }
                Change::AlterOptions { from, to } if from.collation != to.collation => {
                    touched.add(planner.texts(from, to));
                }
                Change::DropPrimaryKey(table, key) => {
                    touched.keys.insert((table.clone(), key.columns.clone()));
                }
                Change::DropUnique(table, unique) => {
                    touched.keys.insert((table.clone(), unique.columns.clone()));
                }
                _ => {}
            }
        }
        touched
    }

    fn add<'a>(&mut self, altered: impl IntoIterator<Item = Altered<'a>>) {
        for one in altered {
            self.columns.insert((one.table.clone(), one.to.name.clone()));
        }
    }

    fn has(&self, table: &TableName, key: &ForeignKey) -> bool {
        let is_touched = |table: &TableName, columns: &[String]| {
            columns.iter().any(|name| self.columns.contains(&(table.clone(), name.clone())))
        };
        let loses_key = || {
            let mut keys = self.keys.iter();
            keys.any(|(of, columns)| *of == key.target && columns.starts_with(&key.target_columns))
        };
        is_touched(table, &key.columns)
            || is_touched(&key.target, &key.target_columns)
            || loses_key()
    }
}

impl Planner<'_> {
    /// A reference between columns with their former names; tables have their new ones by then.
    fn former_key(&self, table: &TableName, key: &ForeignKey) -> ForeignKey {
        let former = |table: &TableName, columns: &[String]| {
            columns.iter().map(|name| self.before.column(table, name).to_owned()).collect()
        };
        ForeignKey {
            columns: former(table, &key.columns),
            target_columns: former(&key.target, &key.target_columns),
            ..key.clone()
        }
    }

    /// Whether the columns of a reference will be of types between which there can be one.
    fn fits_afterwards(&self, work: &[Work], table: &TableName, key: &ForeignKey) -> bool {
        let ty = |of: &TableName, name: &str| {
            let altered = work.iter().flat_map(Work::changes).find_map(|change| match change {
                Change::AlterColumn { table, to, .. } if table == of && to.name == name => {
                    Some(to.ty.as_str())
                }
                _ => None,
            });
            altered.or_else(|| Some(self.found(of)?.column(name)?.ty.as_str()))
        };
        key.columns.iter().zip(&key.target_columns).all(|(name, other)| {
            match (ty(table, name), ty(&key.target, other)) {
                (Some(one), Some(other)) => can_refer(one, other),
                // Of a table that nobody looked at nothing is known.
                _ => true,
            }
        })
    }

    /// A column on both sides; `None` if the table is on one side only.
    pub(super) fn altered<'a>(
        &'a self,
        table: &'a TableName,
        from: &'a Column,
        to: &'a Column,
    ) -> Option<Altered<'a>> {
        let (found, wanted) = (self.found(table)?, self.wanted(table)?);
        Some(Altered { table, from, to, found, wanted })
    }

    /// The texts of a table whose collation changes, as far as they are on both sides.
    pub(super) fn texts<'a>(&'a self, from: &'a Table, to: &'a Table) -> Vec<Altered<'a>> {
        let pairs = to.columns.iter().filter_map(|wanted| {
            let found = from.column(&wanted.name)?;
            let altered =
                Altered { table: &to.name, from: found, to: wanted, found: from, wanted: to };
            altered.is_text().then_some(altered)
        });
        pairs.collect()
    }
}
