//! Tables, their names and their options.
//!
//! Guards that what loses rows, or stops older programs, says so.

use super::RENAMED;
use crate::{
    Class, Column, LockLevel, Table, TableName,
    mysql::{
        ddl::create_table,
        order::Work,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    pub(in crate::mysql) fn create(&self, table: &Table) -> Draft {
        let statement = create_table(self.dialect, table).concat();
        let undo = format!("DROP TABLE {}", self.dialect.quoted_table(&table.name));
        Draft::metadata(statement, undo).of(Class::Additive, LockLevel::None)
    }

    pub(in crate::mysql) fn drop_table(&self, table: &Table) -> Draft {
        let statement = format!("DROP TABLE {}", self.dialect.quoted_table(&table.name));
        let rows = self.before.all_rows(&table.name, format!("rows in {}", table.name));
        Draft::metadata(statement, String::new())
            .after(rows)
            .of(Class::Destructive, LockLevel::Everybody)
            .irreversible()
    }

    pub(in crate::mysql) fn rename_table(&self, from: &TableName, to: &TableName) -> Draft {
        let quoted = |name| self.dialect.quoted_table(name);
        let rename = |from, to| format!("RENAME TABLE {} TO {}", quoted(from), quoted(to));
        Draft::metadata(rename(from, to), rename(to, from)).because(RENAMED)
    }

    /// The comment, and the collation with all texts.
    pub(in crate::mysql) fn alter_options(
        &self,
        from: &Table,
        to: &Table,
        all: &[Work],
    ) -> Result<Draft, (Class, Option<String>)> {
        let comment = |of: &Table| {
            let text = of.comment.as_deref().unwrap_or_default();
            format!("COMMENT={}", self.dialect.text(text))
        };
        if from.collation == to.collation {
            let alter = |of| self.alter(&to.name, &[comment(of)], Way::InPlace);
            return Ok(Draft::metadata(alter(to), alter(from)));
        }
        let (Some(_), Some(collation)) = (&from.collation, &to.collation) else {
            let reason = "the collation of the table is to be, or was, that of the database, which \
                          has no name here";
            if to.collation.is_none() {
                return Err((Class::Unsupported, Some(reason.to_owned())));
            }
            return Ok(self.recollate(from, to, to.collation.as_deref().unwrap_or_default(), all));
        };
        Ok(self.recollate(from, to, collation, all))
    }

    pub(in crate::mysql) fn recollate(
        &self,
        from: &Table,
        to: &Table,
        collation: &str,
        all: &[Work],
    ) -> Draft {
        let mut clauses = vec![format!("COLLATE={}", self.ddl.collation(collation))];
        if from.comment != to.comment {
            let text = to.comment.as_deref().unwrap_or_default();
            clauses.push(format!("COMMENT={}", self.dialect.text(text)));
        }
        let mut class = Class::Metadata;
        let mut questions = Vec::new();
        for altered in self.texts(from, to) {
            let judgement = self.judge(&altered);
            class = class.max(judgement.class);
            questions.extend(judgement.questions);
            let named = Column {
                // The table's own collation changes by the same statement.
                collation: altered.to.collation.clone().or_else(|| Some(collation.to_owned())),
                ..altered.to.clone()
            };
            let check = self.kept_check(&altered, all);
            clauses.push(format!("MODIFY COLUMN {}", self.ddl.column(&named, check)));
        }
        let lock = if class > Class::Metadata { LockLevel::Writers } else { LockLevel::None };
        let statement = self.alter(&to.name, &clauses, Way::Any);
        let draft = Draft::metadata(statement, String::new()).of(class, lock).irreversible();
        Draft { questions, ..draft }
    }
}
