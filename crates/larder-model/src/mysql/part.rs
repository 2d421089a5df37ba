//! What goes for a while so that a column can be renamed.
//!
//! MySQL renames no column that a check, a computed column or an index over an expression
//! mentions. MariaDB does, and writes them anew.
//!
//! Guards that nothing is lost on the way: a computed column holds nothing of its own.

use super::{order::Work, steps::Planner};
use crate::{Change, Column, Dialect, Generated, Index, Table, TableName};

/// Takes out of the changes what is made in another way, and returns that.
pub(super) fn part_dependents(planner: &Planner<'_>, changes: &mut Vec<Change>) -> Vec<Work> {
    if planner.dialect != Dialect::MySql {
        return Vec::new();
    }
    let mut tables: Vec<(TableName, Vec<String>)> = Vec::new();
    for change in changes.iter() {
        let Change::RenameColumn { table, from, .. } = change else { continue };
        let quoted = planner.ddl.name(from);
        match tables.iter_mut().find(|(name, _)| name == table) {
            Some((_, names)) => names.push(quoted),
            None => tables.push((table.clone(), vec![quoted])),
        }
    }
    let mut parting = Parting { changes, before: Vec::new() };
    for (name, quoted) in &tables {
        let former = planner.raw.table(planner.before.table(name));
        if let (Some(former), Some(found)) = (former, planner.found(name)) {
            let wanted = planner.wanted(name).unwrap_or(found);
            parting.part(former, found, wanted, quoted);
        }
    }
    parting.before
}

struct Parting<'a> {
    changes: &'a mut Vec<Change>,
    /// What is to be done before the columns get their names.
    before: Vec<Work>,
}

impl Parting<'_> {
    /// `former` is the table under its former names, `found` under the new ones.
    fn part(&mut self, former: &Table, found: &Table, wanted: &Table, quoted: &[String]) {
        let table = &found.name;
        let mentions = |sql: &str| quoted.iter().any(|name| sql.contains(name));
        for (check, renamed) in former.checks.iter().zip(&found.checks) {
            if mentions(&check.expression) {
                let drop = Change::DropCheck(table.clone(), renamed.clone());
                let add = Change::AddCheck(table.clone(), renamed.clone());
                self.swap(drop, Change::DropCheck(table.clone(), check.clone()), add);
            }
        }
        for (index, renamed) in former.indexes.iter().zip(&found.indexes) {
            if index.parts.iter().any(|part| part.is_expression && mentions(&part.text)) {
                let drop = Change::DropIndex(table.clone(), renamed.clone());
                let add = Change::AddIndex(table.clone(), renamed.clone());
                self.swap(drop, Change::DropIndex(table.clone(), index.clone()), add);
            }
        }
        for (column, renamed) in former.columns.iter().zip(&found.columns) {
            let depends = |of: &Generated| mentions(&of.expression);
            if column.generated.as_ref().is_some_and(depends) {
                self.part_column(table, column, renamed, wanted);
            }
        }
    }

    /// What is dropped anyway is dropped earlier; everything else comes back.
    fn swap(&mut self, planned: Change, drop: Change, add: Change) {
        match self.changes.iter().position(|change| *change == planned) {
            Some(at) => {
                self.changes.remove(at);
            }
            None => self.changes.push(add),
        }
        self.before.push(Work::Before(drop));
    }

    fn part_column(
        &mut self,
        table: &TableName,
        former: &Column,
        renamed: &Column,
        wanted: &Table,
    ) {
        let is_it = |change: &Change| match change {
            Change::AlterColumn { table: of, from, .. } => of == table && from.name == renamed.name,
            Change::RenameColumn { table: of, to, .. } => of == table && *to == renamed.name,
            Change::DropColumn(of, column) => of == table && column.name == renamed.name,
            _ => false,
        };
        let is_dropped = self
            .changes
            .iter()
            .any(|change| matches!(change, Change::DropColumn(..)) && is_it(change));
        self.changes.retain(|change| !is_it(change));
        self.before.push(Work::Before(Change::DropColumn(table.clone(), former.clone())));
        if is_dropped {
            return;
        }
        let back = wanted.column(&renamed.name).unwrap_or(renamed);
        self.changes.push(Change::AddColumn(table.clone(), back.clone()));
        // Its indexes go with it.
        for change in indexes_of(table, back, wanted) {
            if !self.changes.contains(&change) {
                self.changes.push(change);
            }
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
