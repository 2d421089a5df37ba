//! From changes to steps.
//!
//! Invariant: whatever needs a table written anew is one step for that table. Such steps come
//! before all renames, under the names that are there, because the texts of triggers mention
//! these; SQLite itself rewrites them at a rename.
//!
//! Steps are written for a runner that switches `foreign_keys` off before the transaction begins,
//! and asks `foreign_key_check` before it commits.

use super::{
    altered::{self, Altered, find},
    ddl::{create_index, create_table, quoted, quoted_table},
    judge::{judge, user_of},
    native, probe, rebuild,
};
use crate::{
    Catalog, Change, Class, Dialect, Index, LockLevel, Step, Table, TableName, Undo,
    renames::Renames,
};

/// The steps for changes from one schema to another.
pub(crate) fn steps(changes: &[Change], current: &Catalog, desired: &Catalog) -> Vec<Step> {
    let renames = Renames::of(changes);
    let altered = altered::altered(changes, current, &renames);
    let mut phases = Phases::default();
    for change in changes {
        match change {
            Change::AddIndex(table, index) => {
                let former = renames.former(table);
                let is_same = |of: &&Altered<'_>| of.before.name == *former;
                let unchanged = find(current, former).map(Altered::unchanged);
                let of = altered.iter().find(is_same).or(unchanged.as_ref());
                phases.indexes.push(add_index(table, index, of, &renames));
            }
            Change::CreateTable(table) => phases.creates.push(create(table)),
            Change::DropIndex(table, index) => {
                phases.drops.push(drop_index(renames.former(table), index, current));
            }
            Change::DropTable(table) => phases.drops.push(drop_table(table, changes, current)),
            Change::RenameColumn { table, from, to } => {
                phases.columns.push(rename_column(renames.former(table), from, to));
            }
            Change::RenameTable { from, to } => phases.renames.push(rename_table(from, to)),
            Change::SuspectedRename { .. } => phases.refused.push(refuse(
                change,
                Class::Ambiguous,
                "say in the model what it was called before, or drop the column first",
            )),
            Change::Unsupported { reason, .. } => {
                phases.refused.push(refuse(change, Class::Unsupported, reason));
            }
            Change::AlterEnum { .. } | Change::CreateEnum(_) | Change::DropEnum(_) => {
                let reason = "SQLite has no enumerated types";
                phases.refused.push(refuse(change, Class::Unsupported, reason));
            }
            _ => {}
        }
    }
    for of in &altered {
        phases.alter(of, &renames, current, desired);
    }
    phases.into_steps()
}

/// The steps by the phase in which they run.
#[derive(Default)]
struct Phases {
    refused: Vec<Step>,
    drops: Vec<Step>,
    rebuilds: Vec<Step>,
    /// New names of columns come while tables have their old ones.
    columns: Vec<Step>,
    renames: Vec<Step>,
    creates: Vec<Step>,
    native: Vec<Step>,
    indexes: Vec<Step>,
}

impl Phases {
    fn into_steps(self) -> Vec<Step> {
        let phases = [
            self.refused,
            self.drops,
            self.rebuilds,
            self.columns,
            self.renames,
            self.creates,
            self.native,
            self.indexes,
        ];
        phases.into_iter().flatten().collect()
    }

    fn alter(&mut self, of: &Altered<'_>, renames: &Renames, current: &Catalog, desired: &Catalog) {
        let dropped: Vec<_> = of.dropped().collect();
        if let Some((user, column)) = user_of(of.before, &dropped) {
            self.refused.push(used(of, user, &column));
        } else if let Some(steps) = native::steps(of, renames) {
            self.native.extend(steps);
        } else {
            self.rebuilds.push(rebuilt(of, current, desired));
        }
    }
}

fn used(of: &Altered<'_>, user: &str, column: &str) -> Step {
    Step {
        class: Class::Unsupported,
        undo: Undo::Irreversible,
        reason: Some(format!(
            "{user:?} may use column {column:?}: drop it first, and make it anew afterwards"
        )),
        ..step(&of.before.name, of.descriptions.join(", "), Vec::new())
    }
}

fn rebuilt(of: &Altered<'_>, current: &Catalog, desired: &Catalog) -> Step {
    let verdict = judge(of, current, desired);
    let undo = match verdict.reversible {
        true => {
            // The triggers are those that are there, also on the way back.
            let back = Table { indexes: of.after.indexes.clone(), ..of.before.clone() };
            Undo::Statements(rebuild::statements(&of.after, &back))
        }
        false => Undo::Irreversible,
    };
    Step {
        class: verdict.class,
        lock: LockLevel::DatabaseWriters,
        undo,
        probe: verdict.questions.together(),
        reason: Some(
            "SQLite can not do this to a table that is there: the table is written anew".to_owned(),
        ),
        ..step(
            &of.before.name,
            of.descriptions.join(", "),
            rebuild::statements(of.before, &of.after),
        )
    }
}

/// A step that changes the catalog and nothing else.
fn step(table: &TableName, description: String, statements: Vec<String>) -> Step {
    Step {
        table: table.clone(),
        description,
        class: Class::Metadata,
        lock: LockLevel::None,
        statements,
        transactional: true,
        undo: Undo::Irreversible,
        probe: None,
        reason: None,
        interlude: None,
    }
}

fn refuse(change: &Change, class: Class, reason: &str) -> Step {
    let reason = Some(reason.to_owned());
    Step { class, reason, ..step(change.table(), change.to_string(), Vec::new()) }
}

fn create(table: &Table) -> Step {
    let back = format!("DROP TABLE {}", quoted_table(&table.name));
    let description = Change::CreateTable(Box::new(table.clone())).to_string();
    Step {
        class: Class::Additive,
        undo: Undo::Statements(vec![back]),
        ..step(&table.name, description, create_table(table))
    }
}

fn drop_table(table: &Table, changes: &[Change], current: &Catalog) -> Step {
    let description = Change::DropTable(Box::new(table.clone())).to_string();
    // A trigger of a table that goes as well mentions nothing any more.
    let goes = |name: &str| {
        current.tables.iter().any(|other| {
            let is_own = |of: &crate::Dependent| of.is_own && of.name == name;
            other.dependents.iter().any(is_own)
                && changes
                    .iter()
                    .any(|change| matches!(change, Change::DropTable(of) if of.name == other.name))
        })
    };
    let user = table.dependents.iter().find(|of| !of.is_own && !goes(&of.name));
    if let Some(user) = user {
        return Step {
            class: Class::Unsupported,
            reason: Some(format!("{:?} mentions it: drop that first", user.name)),
            ..step(&table.name, description, Vec::new())
        };
    }
    Step {
        class: Class::Destructive,
        lock: LockLevel::DatabaseWriters,
        probe: Some(probe::all(table, "rows that go with it")),
        ..step(&table.name, description, vec![format!("DROP TABLE {}", quoted_table(&table.name))])
    }
}

fn add_index(
    table: &TableName,
    index: &Index,
    of: Option<&Altered<'_>>,
    renames: &Renames,
) -> Step {
    let question = |of: &Altered<'_>| {
        // It is asked while everything has its former name.
        let mut carrier = Table::new(table.clone());
        carrier.indexes.push(index.clone());
        let carrier = renames.reversed().apply(Dialect::Sqlite, &carrier);
        carrier.indexes.first().map(|index| probe::index_duplicates(of, index))
    };
    Step {
        class: if index.unique { Class::DataDependent } else { Class::Online },
        lock: LockLevel::DatabaseWriters,
        undo: Undo::Statements(vec![drop_index_sql(index)]),
        probe: of.filter(|_| index.unique).and_then(question),
        ..step(
            table,
            Change::AddIndex(table.clone(), index.clone()).to_string(),
            vec![create_index(table, index)],
        )
    }
}

fn drop_index_sql(index: &Index) -> String {
    format!("DROP INDEX \"main\".{}", quoted(&index.name))
}

fn drop_index(table: &TableName, index: &Index, current: &Catalog) -> Step {
    // The change has the names that its columns will have.
    let found = find(current, table)
        .and_then(|found| found.indexes.iter().find(|of| of.name == index.name))
        .unwrap_or(index);
    let back = create_index(table, found);
    let description = Change::DropIndex(table.clone(), index.clone()).to_string();
    Step {
        undo: Undo::Statements(vec![back]),
        ..step(table, description, vec![drop_index_sql(index)])
    }
}

const FORMER_NAME: &str = "programs that use the former name stop working";

fn rename_column(table: &TableName, from: &str, to: &str) -> Step {
    let sql = |from: &str, to: &str| {
        let table = quoted_table(table);
        format!("ALTER TABLE {table} RENAME COLUMN {} TO {}", quoted(from), quoted(to))
    };
    let change =
        Change::RenameColumn { table: table.clone(), from: from.to_owned(), to: to.to_owned() };
    Step {
        undo: Undo::Statements(vec![sql(to, from)]),
        reason: Some(FORMER_NAME.to_owned()),
        ..step(table, change.to_string(), vec![sql(from, to)])
    }
}

fn rename_table(from: &TableName, to: &TableName) -> Step {
    let sql = |from: &TableName, to: &TableName| {
        format!("ALTER TABLE {} RENAME TO {}", quoted_table(from), quoted(&to.name))
    };
    let change = Change::RenameTable { from: from.clone(), to: to.clone() };
    Step {
        undo: Undo::Statements(vec![sql(to, from)]),
        reason: Some(FORMER_NAME.to_owned()),
        ..step(to, change.to_string(), vec![sql(from, to)])
    }
}

#[cfg(test)]
mod tests;
