//! What changes need beside themselves.
//!
//! Guards that no single statement asks for what the server refuses: a reference whose columns
//! change has to go for a while, a key and a number that the server counts come together only, and
//! MySQL renames no column that another one is computed from.

use std::collections::BTreeSet;

use super::{alter::Altered, order::Work, steps::Planner};
use crate::{Change, Column, Dialect, ForeignKey, Index, Table, TableName};

pub(super) fn prepare(planner: &Planner<'_>, changes: &[Change]) -> Vec<Work> {
    let mut changes = changes.to_vec();
    absorb_text_columns(planner, &mut changes);
    part_computed_columns(planner, &mut changes);
    let (mut work, changes) = merge_keys(changes);
    work.extend(changes.into_iter().map(Work::Change));
    let suspended = suspended(planner, &work);
    for (table, key) in suspended {
        work.push(Work::Suspend(table.clone(), key.clone()));
        work.push(Work::Resume(table, key));
    }
    work
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

/// MySQL renames no column that another one is computed from: that one goes and comes back. What
/// it holds is computed, so nothing is lost.
fn part_computed_columns(planner: &Planner<'_>, changes: &mut Vec<Change>) {
    if planner.dialect != Dialect::MySql {
        return;
    }
    let renames: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::RenameColumn { table, from, .. } => Some((table.clone(), from.clone())),
            _ => None,
        })
        .collect();
    let mut parted = BTreeSet::new();
    for (name, renamed) in renames {
        let (Some(found), Some(wanted)) = (planner.found(&name), planner.wanted(&name)) else {
            continue;
        };
        let quoted = planner.ddl.name(&renamed);
        for column in &found.columns {
            let depends = |of: &crate::Generated| of.expression.contains(&quoted);
            let is_computed = column.generated.as_ref().is_some_and(depends);
            let Some(to) = wanted.column(&column.name).filter(|_| is_computed) else { continue };
            if parted.insert((name.clone(), column.name.clone())) {
                part(changes, &name, column, to, wanted);
            }
        }
    }
}

fn part(changes: &mut Vec<Change>, table: &TableName, from: &Column, to: &Column, wanted: &Table) {
    changes.retain(|change| {
        !matches!(change, Change::AlterColumn { table: of, to, .. }
            if of == table && to.name == from.name)
    });
    changes.push(Change::DropColumn(table.clone(), from.clone()));
    changes.push(Change::AddColumn(table.clone(), to.clone()));
    // Its indexes go with it.
    for change in indexes_of(table, to, wanted) {
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
}

/// What adds the indexes of a column that comes back.
fn indexes_of(table: &TableName, column: &Column, wanted: &Table) -> Vec<Change> {
    let has = |index: &&Index| index.parts.iter().any(|part| part.text == column.name);
    let indexes = wanted.indexes.iter().filter(has);
    let indexes = indexes.map(|index| Change::AddIndex(table.clone(), index.clone()));
    let uniques = wanted.uniques.iter().filter(|unique| unique.columns.contains(&column.name));
    let uniques = uniques.map(|unique| Change::AddUnique(table.clone(), unique.clone()));
    indexes.chain(uniques).collect()
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
                        from.identity != to.identity || (to.nullable && former.contains(&from.name))
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

/// The references that stay, and whose columns or keys change.
fn suspended(planner: &Planner<'_>, work: &[Work]) -> Vec<(TableName, ForeignKey)> {
    let touched = Touched::by(planner, work);
    let is_dropped = |table: &TableName, key: &ForeignKey| {
        work.iter().flat_map(Work::changes).any(|change| match change {
            Change::DropForeignKey(of, dropped) => of == table && dropped.name == key.name,
            Change::DropTable(of) => of.name == *table,
            _ => false,
        })
    };
    let mut suspended = Vec::new();
    for table in &planner.current.tables {
        let name = planner.after(&table.name);
        for key in &table.foreign_keys {
            if touched.has(&table.name, &key.columns)
                || touched.has_key(&key.target, &key.target_columns)
            {
                if !is_dropped(&name, key) {
                    suspended.push((name.clone(), planner.renamed(&name, key)));
                }
            }
        }
    }
    suspended
}

/// Columns, and keys that are referred to, under the names that they have before the plan.
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
                    if let Some(altered) = planner.altered(table, from, to)
                        && altered.changes_storage()
                    {
                        touched.column(planner, &altered);
                    }
                }
                Change::AlterOptions { from, to } if from.collation != to.collation => {
                    for altered in planner.texts(from, to) {
                        touched.column(planner, &altered);
                    }
                }
                Change::DropPrimaryKey(table, key) => {
                    let table = planner.before.table(table).clone();
                    touched.keys.insert((table, key.columns.clone()));
                }
                Change::DropUnique(table, unique) => {
                    let table = planner.before.table(table).clone();
                    touched.keys.insert((table, unique.columns.clone()));
                }
                _ => {}
            }
        }
        touched
    }

    fn column(&mut self, planner: &Planner<'_>, altered: &Altered<'_>) {
        let table = planner.before.table(altered.table).clone();
        let column = planner.before.column(altered.table, &altered.to.name).to_owned();
        self.columns.insert((table, column));
    }

    fn has(&self, table: &TableName, columns: &[String]) -> bool {
        columns.iter().any(|name| self.columns.contains(&(table.clone(), name.clone())))
    }

    /// Whether a key that is referred to changes or goes.
    fn has_key(&self, table: &TableName, columns: &[String]) -> bool {
        self.has(table, columns)
            || self.keys.iter().any(|(of, key)| of == table && key.starts_with(columns))
    }
}

impl Planner<'_> {
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
        let table = &to.name;
        let pairs = to.columns.iter().filter_map(|wanted| {
            let former = self.before.column(table, &wanted.name);
            let found = from.column(former)?;
            let altered = Altered { table, from: found, to: wanted, found: from, wanted: to };
            altered.is_text().then_some(altered)
        });
        pairs.collect()
    }

    /// The name that a table has after the plan.
    fn after(&self, name: &TableName) -> TableName {
        let renamed = self.desired.tables.iter().map(|table| &table.name);
        let mut renamed = renamed.filter(|after| self.before.table(after) == name);
        renamed.next().unwrap_or(name).clone()
    }

    /// A reference under the names that its table and columns have after the plan.
    fn renamed(&self, table: &TableName, key: &ForeignKey) -> ForeignKey {
        let names = |of: &TableName, columns: &[String]| -> Vec<String> {
            let wanted = self.wanted(of);
            let after = |name: &String| {
                let columns = wanted.iter().flat_map(|table| &table.columns);
                let mut columns = columns.map(|column| &column.name);
                columns.find(|after| self.before.column(of, after) == name).unwrap_or(name).clone()
            };
            columns.iter().map(after).collect()
        };
        let target = self.after(&key.target);
        ForeignKey {
            columns: names(table, &key.columns),
            target_columns: names(&target, &key.target_columns),
            target,
            ..key.clone()
        }
    }
}
