//! The primary key, and what can be changed together with it only.

use super::COPIED;
use crate::{
    Change, Class, Identity, LockLevel, TableName, Unique,
    mysql::{
        order::Work,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    /// Everything around the key of a table by one statement.
    pub(in crate::mysql) fn rekey(
        &self,
        table: &TableName,
        changes: &[Change],
        all: &[Work],
    ) -> Draft {
        let mut clauses = Vec::new();
        let mut class = Class::Metadata;
        let mut questions = Vec::new();
        let mut is_irreversible = false;
        for change in changes {
            match change {
                Change::AddColumn(_, column) => {
                    clauses.push(format!("ADD COLUMN {}", self.ddl.column(column, None)));
                    class = class.max(Class::Rewrite);
                }
                Change::AddPrimaryKey(_, key) => {
                    clauses.push(format!("ADD PRIMARY KEY ({})", self.ddl.names(&key.columns)));
                    if !self.is_numbered(table, &key.columns, changes) {
                        class = class.max(Class::DataDependent);
                        questions.extend(self.before.duplicates(table, &key.columns, None));
                    }
                }
                Change::AddUnique(_, unique) => {
                    clauses.push(format!("ADD {}", self.ddl.unique(unique)));
                }
                Change::AlterColumn { from, to, .. } => {
                    let mut check = None;
                    let mut is_replaced = false;
                    let altered = self.altered(table, from, to);
                    if let Some(altered) = &altered {
                        let judgement = self.judge(altered);
                        class = class.max(judgement.class);
                        questions.extend(judgement.questions);
                        is_irreversible |= !judgement.is_reversible;
                        is_replaced = judgement.is_replaced;
                        check = self.kept_check(altered, all);
                    }
                    if is_replaced {
                        clauses.push(format!("DROP COLUMN {}", self.ddl.name(&from.name)));
                        clauses.push(format!("ADD COLUMN {}", self.ddl.column(to, check)));
                    } else {
                        clauses.push(format!("MODIFY COLUMN {}", self.ddl.column(to, check)));
                    }
                }
                Change::DropColumn(_, column) => {
                    clauses.push(format!("DROP COLUMN {}", self.ddl.name(&column.name)));
                    questions.extend(self.drop_column(table, column).questions);
                    class = Class::Destructive;
                    is_irreversible = true;
                }
                Change::DropPrimaryKey(_, key) => {
                    clauses.push("DROP PRIMARY KEY".to_owned());
                    clauses.extend(self.supports(table, &key.columns, all));
                    class = class.max(Class::Rewrite);
                }
                _ => {}
            }
        }
        let undo = self.undo_rekey(table, changes);
        let statement = self.alter(table, &clauses, Way::Any);
        let draft = Draft::metadata(statement, undo).of(class, LockLevel::Writers).because(COPIED);
        let draft = if is_irreversible { draft.irreversible() } else { draft };
        Draft { questions, ..draft }
    }

    /// Whether the server numbers the rows of a key that is new, so that no two are equal.
    pub(in crate::mysql) fn is_numbered(
        &self,
        table: &TableName,
        columns: &[String],
        changes: &[Change],
    ) -> bool {
        changes.iter().any(|change| {
            matches!(change, Change::AddColumn(of, column)
                if of == table
                    && column.identity == Some(Identity::AutoIncrement)
                    && columns.contains(&column.name))
        })
    }

    pub(in crate::mysql) fn undo_rekey(&self, table: &TableName, changes: &[Change]) -> String {
        let mut clauses = Vec::new();
        for change in changes {
            clauses.push(match change {
                Change::AddColumn(_, column) => {
                    format!("DROP COLUMN {}", self.ddl.name(&column.name))
                }
                Change::AddPrimaryKey(..) => "DROP PRIMARY KEY".to_owned(),
                Change::AddUnique(_, Unique { name: Some(name), .. }) => {
                    format!("DROP INDEX {}", self.ddl.name(name))
                }
                Change::AlterColumn { from, .. } => {
                    format!("MODIFY COLUMN {}", self.ddl.column(from, None))
                }
                Change::DropPrimaryKey(_, key) => {
                    format!("ADD PRIMARY KEY ({})", self.ddl.names(&key.columns))
                }
                _ => continue,
            });
        }
        self.alter(table, &clauses, Way::Any)
    }
}
