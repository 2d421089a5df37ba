//! Columns come, go and change.
//!
//! Guards that a class promises only what its statement asks the server for.

use super::{COPIED, RENAMED};
use crate::{
    Change, Check, Class, Column, Dialect, LockLevel, TableName, Unique,
    mysql::{
        alter::{Altered, Judgement},
        convert::Cost,
        ddl::column_check,
        order::Work,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    pub(in crate::mysql) fn add_column(&self, table: &TableName, column: &Column) -> Draft {
        let clause = format!("ADD COLUMN {}", self.ddl.column(column, None));
        let drop = format!("DROP COLUMN {}", self.ddl.name(&column.name));
        let undo = self.alter(table, &[drop], Way::Any);
        let computed = column.generated.as_ref();
        let default = column.default.as_deref();
        let is_stored = computed.is_some_and(|of| of.stored);
        let rewrites = is_stored
            || default.is_some_and(|sql| !is_constant(self.dialect, sql))
            || self.has_fulltext(table);
        let needs_value = !column.nullable && default.is_none() && computed.is_none();
        // Where there is no value to begin with, MySQL reads the table for some types.
        let way = if rewrites || needs_value { Way::Any } else { Way::Instant };
        let draft = Draft::metadata(self.alter(table, &[clause], way), undo);
        let draft = match rewrites {
            true => draft.of(Class::Rewrite, LockLevel::Writers).because(COPIED),
            false => draft.of(Class::Additive, LockLevel::None),
        };
        if !needs_value {
            return draft;
        }
        let draft = draft.of(Class::DataDependent, LockLevel::Writers);
        // The server makes up a zero or an empty text, in a strict mode as well.
        let what = format!("rows without a value for {}", self.ddl.name(&column.name));
        draft.after(self.before.all_rows(table, what)).because(
            "it may not be NULL and has no default: rows that are there would get a value that \
             nobody chose",
        )
    }

    pub(in crate::mysql) fn drop_column(&self, table: &TableName, column: &Column) -> Draft {
        let name = self.ddl.name(&column.name);
        let statement = self.alter(table, &[format!("DROP COLUMN {name}")], Way::Any);
        if let Some(computed) = &column.generated {
            let add = format!("ADD COLUMN {}", self.ddl.column(column, None));
            let draft = Draft::metadata(statement, self.alter(table, &[add], Way::Any));
            return match computed.stored {
                true => draft.of(Class::Rewrite, LockLevel::Writers),
                false => draft,
            };
        }
        let condition = format!("{name} IS NOT NULL");
        let what = format!("rows with a value in {name}");
        let columns = [column.name.as_str()];
        Draft::metadata(statement, String::new())
            .after(self.before.rows_where(table, columns, &condition, what))
            .of(Class::Destructive, LockLevel::Writers)
            .irreversible()
    }

    pub(in crate::mysql) fn rename_column(&self, table: &TableName, from: &str, to: &str) -> Draft {
        let rename = |from, to| {
            let clause = format!("RENAME COLUMN {} TO {}", self.ddl.name(from), self.ddl.name(to));
            self.alter(table, &[clause], Way::InPlace)
        };
        Draft::metadata(rename(from, to), rename(to, from)).because(RENAMED)
    }

    pub(in crate::mysql) fn alter_column(
        &self,
        table: &TableName,
        from: &Column,
        to: &Column,
        all: &[Work],
    ) -> Draft {
        let Some(altered) = self.altered(table, from, to) else {
            // The comparison names columns of tables that are on both sides only.
            return Draft::metadata(self.modify(table, to, None, Way::Any), String::new())
                .of(Class::Destructive, LockLevel::Writers)
                .irreversible();
        };
        let judgement = self.judge(&altered);
        let check = self.kept_check(&altered, all);
        let (statement, undo) = match judgement.is_replaced {
            true => (self.replace(table, to), self.replace(table, from)),
            false => (
                self.modify(table, to, check, way(judgement.cost)),
                self.modify(table, from, check, Way::Any),
            ),
        };
        draft_of(judgement, statement, undo)
    }

    pub(in crate::mysql) fn modify(
        &self,
        table: &TableName,
        to: &Column,
        check: Option<&Check>,
        way: Way,
    ) -> String {
        self.alter(table, &[format!("MODIFY COLUMN {}", self.ddl.column(to, check))], way)
    }

    /// A computed column goes and comes back, with the indexes that stay.
    pub(in crate::mysql) fn replace(&self, table: &TableName, to: &Column) -> String {
        let mut clauses = vec![
            format!("DROP COLUMN {}", self.ddl.name(&to.name)),
            format!("ADD COLUMN {}", self.ddl.column(to, None)),
        ];
        let (Some(found), Some(wanted)) = (self.found(table), self.wanted(table)) else {
            return self.alter(table, &clauses, Way::Any);
        };
        for index in wanted.indexes.iter().filter(|index| found.indexes.contains(index)) {
            if index.parts.iter().any(|part| part.text == to.name) {
                clauses.push(format!("DROP INDEX {}", self.ddl.name(&index.name)));
                clauses.push(format!("ADD {}", self.ddl.index(index)));
            }
        }
        for unique in wanted.uniques.iter().filter(|unique| unique.columns.contains(&to.name)) {
            let same = found.uniques.iter().find(|found| found.columns == unique.columns);
            if let Some(Unique { name: Some(name), .. }) = same {
                clauses.push(format!("DROP INDEX {}", self.ddl.name(name)));
                clauses.push(format!("ADD {}", self.ddl.unique(unique)));
            }
        }
        self.alter(table, &clauses, Way::Any)
    }

    /// MariaDB's check of the column, which would go if it were not named again.
    pub(in crate::mysql) fn kept_check<'a>(
        &self,
        altered: &'a Altered<'_>,
        all: &[Work],
    ) -> Option<&'a Check> {
        let check = column_check(self.dialect, altered.found, altered.from)?;
        let is_dropped = all.iter().flat_map(Work::changes).any(|change| {
            matches!(change, Change::DropCheck(table, of) if table == altered.table && of == check)
        });
        (!is_dropped).then_some(check)
    }
}

const fn way(cost: Cost) -> Way {
    match cost {
        Cost::Instant => Way::Instant,
        Cost::InPlace => Way::InPlace,
        Cost::Any => Way::Any,
        Cost::Copy => Way::Copy,
    }
}

fn draft_of(judgement: Judgement, statement: String, undo: String) -> Draft {
    let lock = judgement.lock();
    let draft = Draft::metadata(statement, undo).of(judgement.class, lock);
    let draft = if judgement.is_reversible { draft } else { draft.irreversible() };
    let is_copied = matches!(judgement.cost, Cost::Any | Cost::Copy);
    let reason = judgement.reason.or_else(|| is_copied.then(|| COPIED.to_owned()));
    Draft { questions: judgement.questions, reason, ..draft }
}

/// Whether the server has the value before it looks at a row, so that it need not look at any.
fn is_constant(dialect: Dialect, default: &str) -> bool {
    if dialect == Dialect::MySql {
        // Expressions stand in parentheses.
        return !default.starts_with('(');
    }
    let is_literal =
        default.starts_with(['\'', '-']) || default.starts_with(|c: char| c.is_ascii_digit());
    let known = ["b'", "curdate()", "current_timestamp(", "curtime(", "unhex('"];
    is_literal || known.iter().any(|start| default.starts_with(start))
}
