//! From changes to statements.
//!
//! Invariant: one step is one `ALTER TABLE`, because each of them stands by itself here: nothing
//! takes it back but another one. After every step the schema is one that the rest of the plan, or
//! a new plan, can go on from.

use super::{
    ddl::{Ddl, is_of_column},
    order::{Work, in_order},
    prepare::prepare,
    probe::{Before, Question, ask},
};
use crate::{
    Catalog, Change, Class, Dialect, ForeignKey, LockLevel, Step, Table, TableName, Undo,
    missing::Restoring, renames::Renames,
};

pub(crate) fn steps(
    dialect: Dialect,
    changes: &[Change],
    (current, desired): (&Catalog, &Catalog),
    restoring: &Restoring,
) -> Vec<Step> {
    let planner = Planner {
        dialect,
        ddl: Ddl(dialect),
        raw: current,
        current: renamed(dialect, changes, current),
        desired,
        before: Before::new(dialect, changes),
        restoring,
    };
    let work = in_order(prepare(&planner, changes));
    work.iter().map(|one| planner.step(one, &work)).collect()
}

/// A schema under the names that it gets first of all, so that everything else can use them.
fn renamed(dialect: Dialect, changes: &[Change], current: &Catalog) -> Catalog {
    let renames = Renames::of(changes);
    let apply = |table: &Table| {
        let mut renamed = renames.apply(dialect, table);
        // MariaDB's check of a column has the name of the column.
        for (check, former) in renamed.checks.iter_mut().zip(&table.checks) {
            let mut columns = table.columns.iter().zip(&renamed.columns);
            if is_of_column(dialect, table, former)
                && let Some((_, column)) =
                    columns.find(|(column, _)| Some(&column.name) == former.name.as_ref())
            {
                check.name = Some(column.name.clone());
            }
        }
        renamed
    };
    Catalog { enums: Vec::new(), tables: current.tables.iter().map(apply).collect() }
}

/// What steps are made from.
pub(super) struct Planner<'a> {
    pub(super) dialect: Dialect,
    pub(super) ddl: Ddl,
    /// The schema as it is.
    pub(super) raw: &'a Catalog,
    /// The schema as it is, under the names that it will have.
    pub(super) current: Catalog,
    pub(super) desired: &'a Catalog,
    pub(super) before: Before,
    restoring: &'a Restoring,
}

/// What is known of a step beside its description.
pub(super) struct Draft {
    pub(super) class: Class,
    pub(super) lock: LockLevel,
    pub(super) statement: String,
    pub(super) undo: Undo,
    pub(super) questions: Vec<Question>,
    pub(super) reason: Option<String>,
}

impl Draft {
    /// A change of the catalog alone.
    pub(super) fn metadata(statement: String, undo: String) -> Self {
        Self {
            class: Class::Metadata,
            lock: LockLevel::None,
            statement,
            undo: Undo::Statements(vec![undo]),
            questions: Vec::new(),
            reason: None,
        }
    }

    /// Something that waits until the rows were asked.
    pub(super) fn after(self, question: Option<Question>) -> Self {
        let questions = question.into_iter().collect();
        Self { class: self.class.max(Class::DataDependent), questions, ..self }
    }

    pub(super) fn of(self, class: Class, lock: LockLevel) -> Self {
        Self { class, lock, ..self }
    }

    pub(super) fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    pub(super) fn irreversible(self) -> Self {
        Self { undo: Undo::Irreversible, ..self }
    }
}

/// Where a clause goes that says which way the server is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The catalog only.
    Instant,
    /// Nobody waits.
    InPlace,
    /// Writers wait, for instance for the first index over the words of a text.
    InPlaceShared,
    /// Writers wait while the table is copied.
    Copy,
    /// Whichever the server takes.
    Any,
}

impl Way {
    const fn clause(self) -> &'static str {
        match self {
            Self::Instant => ", ALGORITHM=INSTANT",
            Self::InPlace => ", ALGORITHM=INPLACE, LOCK=NONE",
            Self::InPlaceShared => ", ALGORITHM=INPLACE, LOCK=SHARED",
            Self::Copy => ", ALGORITHM=COPY, LOCK=SHARED",
            Self::Any => "",
        }
    }
}

impl Planner<'_> {
    /// A table as it is, under the names that it will have.
    pub(super) fn found(&self, name: &TableName) -> Option<&Table> {
        self.current.table(name)
    }

    /// A table as it should be.
    pub(super) fn wanted(&self, name: &TableName) -> Option<&Table> {
        self.desired.table(name)
    }

    /// Whether a run that was broken off left the reference off.
    pub(super) fn is_off(&self, table: &TableName, key: &ForeignKey) -> bool {
        self.restoring.is_off(self.before.table(table), key)
    }

    pub(super) fn alter(&self, table: &TableName, clauses: &[String], way: Way) -> String {
        let table = self.ddl.0.quoted_table(table);
        format!("ALTER TABLE {table} {}{}", clauses.join(", "), way.clause())
    }

    fn step(&self, work: &Work, all: &[Work]) -> Step {
        match self.draft(work, all) {
            Ok(draft) => Step {
                table: work.table().clone(),
                description: work.to_string(),
                class: draft.class,
                lock: draft.lock,
                statements: vec![draft.statement],
                transactional: false,
                undo: draft.undo,
                probe: ask(&draft.questions),
                reason: draft.reason,
                interlude: work.interlude(),
            },
            Err((class, reason)) => Step {
                table: work.table().clone(),
                description: work.to_string(),
                class,
                lock: LockLevel::None,
                statements: Vec::new(),
                transactional: false,
                undo: Undo::Irreversible,
                probe: None,
                reason,
                interlude: None,
            },
        }
    }

    fn draft(&self, work: &Work, all: &[Work]) -> Result<Draft, (Class, Option<String>)> {
        let unsupported = |reason: &str| Err((Class::Unsupported, Some(reason.to_owned())));
        let missing = (Class::Unsupported, Some("it has no name to drop it by".to_owned()));
        let change = match work {
            Work::Before(change) | Work::Change(change) => change,
            Work::Rekey(table, changes) => return Ok(self.rekey(table, changes, all)),
            Work::Rename(rename) => return Ok(self.rename_mentioned(rename)),
            Work::RenameIndex(table, from, to) => return Ok(self.rename_index(table, from, to)),
            Work::Resume(table, key) if self.is_off(table, key) => {
                return Ok(self.restore(table, key));
            }
            Work::Resume(table, key) => return Ok(self.resume(table, key)),
            Work::Suspend(table, key) | Work::SuspendBefore(table, key) => {
                return self.suspend(table, key).ok_or(missing);
            }
        };
        Ok(match change {
            Change::AddCheck(table, check) => self.add_check(table, check),
            Change::AddColumn(table, column) => self.add_column(table, column),
            Change::AddForeignKey(table, key) => self.add_foreign_key(table, key, all),
            Change::AddIndex(table, index) => self.add_index(table, index, all),
            Change::AddUnique(table, unique) => self.add_unique(table, unique, all),
            Change::AlterColumn { table, from, to } => self.alter_column(table, from, to, all),
            Change::AlterOptions { from, to } => return self.alter_options(from, to, all),
            Change::CreateTable(table) => self.create(table),
            Change::DropCheck(table, check) => {
                return self.drop_check(table, check).ok_or(missing);
            }
            Change::DropColumn(table, column) => self.drop_column(table, column),
            Change::DropForeignKey(table, key) => {
                return self.drop_foreign_key(table, key).ok_or(missing);
            }
            Change::DropIndex(table, index) => self.drop_index(table, index, all),
            Change::DropTable(table) => self.drop_table(table),
            Change::DropUnique(table, unique) => {
                return self.drop_unique(table, unique, all).ok_or(missing);
            }
            Change::RenameColumn { table, from, to } => self.rename_column(table, from, to),
            Change::RenameTable { from, to } => self.rename_table(from, to),
            Change::SuspectedRename { from, to, .. } => {
                let reason = format!(
                    "say in the model that {to:?} was {from:?} before, or drop {from:?} first"
                );
                return Err((Class::Ambiguous, Some(reason)));
            }
            Change::Unsupported { .. } => return unsupported("no statement of ours changes it"),
            Change::AddPrimaryKey(table, _) | Change::DropPrimaryKey(table, _) => {
                self.rekey(table, std::slice::from_ref(change), all)
            }
            Change::AlterEnum { .. } | Change::CreateEnum(_) | Change::DropEnum(_) => {
                return unsupported("labels belong to a column here, and to no type of its own");
            }
        })
    }
}
