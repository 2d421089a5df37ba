//! What SQLite's own `ALTER TABLE` does to a table that is there.
//!
//! Invariant: a statement is chosen only if it succeeds whatever the rows are, or if the question
//! that comes with it counts the rows for which it would not.
//!
//! # Source
//! <https://sqlite.org/lang_altertable.html>, sections 3 to 5.

use super::{
    altered::{Altered, find_column},
    ddl::{self, quoted, quoted_table},
    judge::without_value,
    probe::{self, Questions},
    rebuild,
};
use crate::{
    Change, Check, Class, Column, Dialect, ForeignKey, LockLevel, Step, Table, Undo,
    renames::Renames, sql_tokens,
};

/// The steps of one table, or `None` if it must be written anew.
pub(super) fn steps(of: &Altered<'_>, renames: &Renames) -> Option<Vec<Step>> {
    let mut additions: Vec<Addition<'_>> = Vec::new();
    let mut drops = Vec::new();
    for change in &of.changes {
        match change {
            Change::AddColumn(_, column) => {
                additions.push(Addition { column, checks: Vec::new(), references: None });
            }
            Change::DropColumn(_, column) => drops.push(column),
            Change::AddCheck(..) | Change::AddForeignKey(..) => {}
            _ => return None,
        }
    }
    for change in &of.changes {
        match change {
            Change::AddCheck(_, check) => {
                let mut last_first = additions.iter_mut().rev();
                let with = last_first.find(|of| mentions(&check.expression, &of.column.name))?;
                with.checks.push(check);
            }
            Change::AddForeignKey(_, key) => {
                let [column] = key.columns.as_slice() else { return None };
                let same = |of: &&mut Addition<'_>| of.column.name.eq_ignore_ascii_case(column);
                let with = additions.iter_mut().find(same)?;
                if with.references.replace(key).is_some() {
                    return None;
                }
            }
            _ => {}
        }
    }
    // Computed columns may mention any other one.
    additions.sort_by_key(|of| of.column.generated.is_some());
    let can = additions.iter().all(Addition::is_possible)
        && drops.iter().all(|column| is_droppable(of, column));
    can.then(|| {
        let drops = drops.iter().map(|column| drop_column(of, column, renames));
        let mut steps: Vec<_> = drops.collect();
        // What is there when a column comes, so that it can go again.
        let mut state = of.before.clone();
        state.columns.retain(|column| !drops_column(&of.changes, column));
        state.indexes.clone_from(&of.after.indexes);
        for addition in &additions {
            let before = state.clone();
            addition.add_to(&mut state);
            steps.push(addition.step(of, &before, &state, renames));
        }
        steps
    })
}

fn drops_column(changes: &[Change], column: &Column) -> bool {
    let mut changes = changes.iter();
    changes.any(|change| matches!(change, Change::DropColumn(_, of) if of.name == column.name))
}

/// Whether an expression uses a column.
fn mentions(expression: &str, column: &str) -> bool {
    let tokens = sql_tokens(Dialect::Sqlite, expression);
    tokens.iter().filter_map(crate::SqlToken::name).any(|name| name.eq_ignore_ascii_case(column))
}

/// A column that is added, with the constraints that come with it.
struct Addition<'a> {
    column: &'a Column,
    checks: Vec<&'a Check>,
    references: Option<&'a ForeignKey>,
}

impl Addition<'_> {
    fn is_possible(&self) -> bool {
        let column = self.column;
        let is_stored = column.generated.as_ref().is_some_and(|of| of.stored);
        let has_constant = column.default.as_deref().is_none_or(ddl::is_constant);
        // While foreign keys are enforced, a reference may have no default.
        let is_free = self.references.is_none() || column.default.is_none();
        !is_stored && has_constant && is_free && column.identity.is_none()
    }

    fn add_to(&self, table: &mut Table) {
        table.columns.push(self.column.clone());
        table.checks.extend(self.checks.iter().copied().cloned());
        table.foreign_keys.extend(self.references.cloned());
    }

    fn step(&self, of: &Altered<'_>, before: &Table, after: &Table, renames: &Renames) -> Step {
        let forward = |table: &Table| renames.apply(Dialect::Sqlite, table);
        // The step runs when everything has its new name.
        let mut brought = Table::new(of.before.name.clone());
        self.add_to(&mut brought);
        let brought = forward(&brought);
        let name = &brought.name;
        let columns = brought.columns.iter();
        let mut parts: Vec<_> = columns.clone().map(ddl::definition).collect();
        let references = brought.foreign_keys.iter();
        parts.extend(
            references.map(|key| ddl::constraint(key.name.as_ref(), &ddl::references(key))),
        );
        parts.extend(brought.checks.iter().map(ddl::check));
        let changes = columns.map(|column| Change::AddColumn(name.clone(), column.clone()));
        let keys = brought.foreign_keys.iter();
        let changes =
            changes.chain(keys.map(|key| Change::AddForeignKey(name.clone(), key.clone())));
        let checks = brought.checks.iter();
        let changes =
            changes.chain(checks.map(|check| Change::AddCheck(name.clone(), check.clone())));
        let description: Vec<_> = changes.map(|change| change.to_string()).collect();
        let (class, probe) = self.judge(of);
        Step {
            description: description.join(", "),
            class,
            lock: LockLevel::None,
            statements: vec![format!(
                "ALTER TABLE {} ADD COLUMN {}",
                quoted_table(name),
                parts.join(" ")
            )],
            transactional: true,
            undo: self.undo(&forward(before), &forward(after), of.before.name != *name),
            probe,
            reason: None,
            interlude: None,
            table: brought.name,
        }
    }

    fn undo(&self, before: &Table, after: &Table, is_renamed: bool) -> Undo {
        let column = after.columns.iter().filter(|of| find_column(before, &of.name).is_none());
        let column: String = column.map(|column| quoted(&column.name)).collect();
        if self.checks.is_empty() && self.references.is_none() {
            let table = quoted_table(&after.name);
            return Undo::Statements(vec![format!("ALTER TABLE {table} DROP COLUMN {column}")]);
        }
        // The texts of triggers are those from before a rename.
        match is_renamed && after.dependents.iter().any(|of| of.is_own) {
            true => Undo::Irreversible,
            false => Undo::Statements(rebuild::statements(after, before)),
        }
    }

    fn judge(&self, of: &Altered<'_>) -> (Class, Option<crate::Probe>) {
        let mut class = Class::Additive;
        let mut questions = Questions::default();
        let column = self.column;
        if !column.nullable && column.default.is_none() {
            class = Class::DataDependent;
            questions.ask(Some(match column.generated {
                Some(_) => probe::nulls(of, column),
                None => probe::all(of.before, &without_value(column)),
            }));
        }
        for check in &self.checks {
            let uses_others =
                of.before.columns.iter().any(|other| mentions(&check.expression, &other.name));
            if uses_others {
                class = Class::DataDependent;
            }
            questions.ask(Some(probe::check(of, &check.expression)));
        }
        (class, questions.together())
    }
}

/// Whether nothing else of the table uses the column. What the checks, keys and indexes are is
/// taken from the table as it will be: those that go were dropped by other changes, and a change
/// of a constraint does not come here.
fn is_droppable(of: &Altered<'_>, column: &Column) -> bool {
    let name = &column.name;
    let has = |columns: &[String]| columns.iter().any(|of| of.eq_ignore_ascii_case(name));
    let after = &of.after;
    let index_uses = |index: &crate::Index| {
        index.parts.iter().any(|part| mentions(&part.text, name) || part.text == *name)
            || index.predicate.as_ref().is_some_and(|sql| mentions(sql, name))
    };
    !of.before.primary_key.as_ref().is_some_and(|key| has(&key.columns))
        && !of.before.uniques.iter().any(|unique| has(&unique.columns))
        && !of.before.foreign_keys.iter().any(|key| has(&key.columns))
        && !of.before.checks.iter().any(|check| mentions(&check.expression, name))
        && !after.indexes.iter().any(index_uses)
        && !of.before.columns.iter().any(|other| {
            let generated = other.generated.as_ref();
            generated.is_some_and(|generated| mentions(&generated.expression, name))
        })
        // A table keeps one column.
        && !after.columns.is_empty()
        && of.before.columns.iter().any(|other| find_column(after, &other.name).is_some())
}

fn drop_column(of: &Altered<'_>, column: &Column, renames: &Renames) -> Step {
    let table = renames.apply(Dialect::Sqlite, of.before).name;
    let is_computed = column.generated.is_some();
    let (statement, back) = (
        format!("ALTER TABLE {} DROP COLUMN {}", quoted_table(&table), quoted(&column.name)),
        format!("ALTER TABLE {} ADD COLUMN {}", quoted_table(&table), ddl::definition(column)),
    );
    let is_virtual = column.generated.as_ref().is_some_and(|of| !of.stored);
    Step {
        description: Change::DropColumn(table.clone(), column.clone()).to_string(),
        table,
        class: if is_computed { Class::Rewrite } else { Class::Destructive },
        lock: LockLevel::DatabaseWriters,
        statements: vec![statement],
        transactional: true,
        undo: if is_virtual { Undo::Statements(vec![back]) } else { Undo::Irreversible },
        probe: (!is_computed).then(|| probe::values(of.before, column)),
        reason: None,
        interlude: None,
    }
}
