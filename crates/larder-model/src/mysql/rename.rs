//! What mentions a column that gets another name.
//!
//! MySQL renames no column that a check, a computed column or an index over an expression
//! mentions, unless the same statement writes these anew; of computed columns and indexes also those
//! that mention one that mentions it. MariaDB writes them anew by itself.
//!
//! Guards that nothing is lost on the way: since it is one statement, there is no moment at which
//! something is gone that a run which ends there could leave so. A column that is written anew stays
//! in its indexes.

use super::{
    order::Work,
    probe::Question,
    statements::RENAMED,
    steps::{Draft, Planner, Way},
};
use crate::{Change, Check, Class, Column, Dialect, Index, LockLevel, Table, TableName};

/// Columns of a table that get other names, with all that mentions them.
#[derive(Clone, Debug)]
pub(super) struct Rename {
    table: TableName,
    columns: Vec<(String, String)>,
    /// What is done, as far as it is seen from outside.
    changes: Vec<Change>,
    checks: Vec<Mention<Check>>,
    computed: Vec<Mention<Column>>,
    indexes: Vec<Mention<Index>>,
}

/// Something under the former names of columns and under the new ones.
#[derive(Clone, Debug)]
struct Mention<T> {
    former: T,
    renamed: T,
    /// Whether the plan drops it.
    goes: bool,
}

impl Rename {
    pub(super) const fn table(&self) -> &TableName {
        &self.table
    }

    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether one of these columns, as they will be called, gets another name.
    pub(super) fn touches(&self, table: &TableName, columns: &[String]) -> bool {
        self.table == *table && self.columns.iter().any(|(_, to)| columns.contains(to))
    }

    fn mentions_nothing(&self) -> bool {
        self.checks.is_empty() && self.computed.is_empty() && self.indexes.is_empty()
    }
}

/// Takes the renames out of the changes that are made together with something else, and returns
/// these.
pub(super) fn with_mentions(planner: &Planner<'_>, changes: &mut Vec<Change>) -> Vec<Work> {
    if planner.dialect != Dialect::MySql {
        return Vec::new();
    }
    let mut tables: Vec<(TableName, Vec<(String, String)>)> = Vec::new();
    for change in changes.iter() {
        let Change::RenameColumn { table, from, to } = change else { continue };
        let column = (from.clone(), to.clone());
        match tables.iter_mut().find(|(name, _)| name == table) {
            Some((_, columns)) => columns.push(column),
            None => tables.push((table.clone(), vec![column])),
        }
    }
    let mut work = Vec::new();
    for (table, columns) in tables {
        let former = planner.raw.table(planner.before.table(&table));
        let (Some(former), Some(found)) = (former, planner.found(&table)) else { continue };
        let rename = find(planner, (former, found), columns, changes);
        if !rename.mentions_nothing() {
            changes.retain(|change| !rename.changes.contains(change));
            work.push(Work::Rename(Box::new(rename)));
        }
    }
    work
}

/// What of a table mentions columns that get other names; the table under its former names and
/// under the new ones.
fn find(
    planner: &Planner<'_>,
    (former, found): (&Table, &Table),
    columns: Vec<(String, String)>,
    changes: &[Change],
) -> Rename {
    let table = &found.name;
    let mut quoted: Vec<_> = columns.iter().map(|(from, _)| planner.ddl.name(from)).collect();
    let mentions = |quoted: &[String], sql: &str| quoted.iter().any(|name| sql.contains(name));
    let checks = former.checks.iter().zip(&found.checks);
    let is_mentioned = |check: &Check| mentions(&quoted, &check.expression);
    let checks = checks.filter(|(check, _)| is_mentioned(check)).map(|(one, other)| {
        let goes = changes.contains(&Change::DropCheck(table.clone(), other.clone()));
        Mention { former: one.clone(), renamed: other.clone(), goes }
    });
    let checks: Vec<_> = checks.collect();
    // Those that are computed from computed ones come with them.
    let mut computed = vec![false; former.columns.len()];
    loop {
        let is_next = |(column, is_found): (&Column, &bool)| {
            let generated = column.generated.as_ref().filter(|_| !is_found);
            generated.is_some_and(|generated| mentions(&quoted, &generated.expression))
        };
        let Some(at) = former.columns.iter().zip(&computed).position(is_next) else { break };
        computed[at] = true;
        quoted.push(planner.ddl.name(&former.columns[at].name));
    }
    let pairs = former.columns.iter().zip(&found.columns).zip(computed);
    // Whether such a column goes or changes otherwise is for another step.
    let computed = pairs.filter(|(_, is_found)| *is_found).map(|((one, other), _)| Mention {
        former: one.clone(),
        renamed: other.clone(),
        goes: false,
    });
    let computed: Vec<_> = computed.collect();
    let is_over = |index: &Index| {
        let mut parts = index.parts.iter();
        parts.any(|part| part.is_expression && mentions(&quoted, &part.text))
    };
    let indexes = former.indexes.iter().zip(&found.indexes);
    let indexes = indexes.filter(|(index, _)| is_over(index)).map(|(one, other)| {
        let goes = changes.contains(&Change::DropIndex(table.clone(), other.clone()));
        Mention { former: one.clone(), renamed: other.clone(), goes }
    });
    let indexes: Vec<_> = indexes.collect();
    let merged = columns.iter().map(|(from, to)| {
        let (from, to) = (from.clone(), to.clone());
        Change::RenameColumn { table: table.clone(), from, to }
    });
    let gone = checks.iter().filter(|check| check.goes);
    let merged =
        merged.chain(gone.map(|check| Change::DropCheck(table.clone(), check.renamed.clone())));
    let gone = indexes.iter().filter(|index| index.goes);
    let merged =
        merged.chain(gone.map(|index| Change::DropIndex(table.clone(), index.renamed.clone())));
    let changes = merged.collect();
    Rename { table: table.clone(), columns, changes, checks, computed, indexes }
}

impl Planner<'_> {
    /// Columns get other names by the statement that writes anew what mentions them. The rows
    /// keep to its checks, because it was there until now.
    pub(super) fn rename_mentioned(&self, rename: &Rename) -> Draft {
        let (table, columns) = (&rename.table, &rename.columns);
        let back: Vec<_> = columns.iter().map(|(from, to)| (to.clone(), from.clone())).collect();
        let statement = self.alter(table, &self.rename_clauses(rename, columns, false), Way::Any);
        let undo = self.alter(table, &self.rename_clauses(rename, &back, true), Way::Any);
        let draft = Draft::metadata(statement, undo).because(RENAMED);
        if !rename.computed.is_empty() || rename.indexes.iter().any(|index| !index.goes) {
            // The server copies the table, also where each of the clauses alone would take an
            // instant.
            return draft.of(Class::Rewrite, LockLevel::Writers);
        }
        let is_checked = |check: &&Mention<Check>| !check.goes && check.renamed.validated;
        let checks: Vec<_> = rename.checks.iter().filter(is_checked).collect();
        if checks.is_empty() {
            return draft;
        }
        let questions: Vec<Question> = checks
            .iter()
            .filter_map(|check| self.breaks(table, self.found(table), &check.renamed))
            .collect();
        let draft = draft.of(Class::DataDependent, LockLevel::Writers);
        Draft { questions, ..draft }
    }

    /// `is_back`: from the new names to the former ones.
    fn rename_clauses(
        &self,
        rename: &Rename,
        columns: &[(String, String)],
        is_back: bool,
    ) -> Vec<String> {
        let mut clauses = Vec::new();
        for (from, to) in columns {
            let after = rename.computed.iter().map(|column| column.after(is_back));
            let (from, name) = (self.ddl.name(from), self.ddl.name(to));
            // What is computed gets its name and its expression by one clause.
            clauses.push(match after.into_iter().find(|column| column.name == *to) {
                Some(column) => format!("CHANGE COLUMN {from} {}", self.ddl.column(column, None)),
                None => format!("RENAME COLUMN {from} TO {name}"),
            });
        }
        for check in &rename.checks {
            let name = self.ddl.name(check.renamed.name.as_deref().unwrap_or_default());
            let add = format!("ADD {}", self.ddl.check(check.after(is_back)));
            check.replace(is_back, format!("DROP CONSTRAINT {name}"), add, &mut clauses);
        }
        for index in &rename.indexes {
            let drop = format!("DROP INDEX {}", self.ddl.name(&index.renamed.name));
            let add = format!("ADD {}", self.ddl.index(index.after(is_back)));
            index.replace(is_back, drop, add, &mut clauses);
        }
        for column in rename.computed.iter().map(|column| column.after(is_back)) {
            if !columns.iter().any(|(_, to)| *to == column.name) {
                clauses.push(format!("MODIFY COLUMN {}", self.ddl.column(column, None)));
            }
        }
        clauses
    }
}

impl<T> Mention<T> {
    const fn after(&self, is_back: bool) -> &T {
        if is_back { &self.former } else { &self.renamed }
    }

    /// What goes and what comes; on the way back of something that goes, it only comes.
    fn replace(&self, is_back: bool, drop: String, add: String, clauses: &mut Vec<String>) {
        if !(is_back && self.goes) {
            clauses.push(drop);
        }
        if is_back || !self.goes {
            clauses.push(add);
        }
    }
}
