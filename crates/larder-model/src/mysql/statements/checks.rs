//! Checks come and go.
//!
//! MariaDB's check of a column is a part of the column, and changes together with it.

use super::COPIED;
use crate::{
    Check, Class, LockLevel, Table, TableName,
    mysql::{
        ddl::is_of_column,
        probe::Question,
        steps::{Draft, Planner, Way},
    },
};

impl Planner<'_> {
    pub(in crate::mysql) fn add_check(&self, table: &TableName, check: &Check) -> Draft {
        let wanted = self.wanted(table);
        let column = wanted.filter(|table| is_of_column(self.dialect, table, check));
        let column = column.and_then(|table| table.column(check.name.as_deref()?));
        let name = self.ddl.name(check.name.as_deref().unwrap_or_default());
        let way = if check.validated { Way::Copy } else { Way::Any };
        let draft = match column {
            Some(column) => Draft::metadata(
                self.modify(table, column, Some(check), way),
                self.modify(table, column, None, Way::Any),
            ),
            None => Draft::metadata(
                self.alter(table, &[format!("ADD {}", self.ddl.check(check))], way),
                self.alter(table, &[format!("DROP CONSTRAINT {name}")], Way::Any),
            ),
        };
        if !check.validated {
            return draft;
        }
        draft
            .of(Class::DataDependent, LockLevel::Writers)
            .after(self.breaks(table, wanted, check))
            .because(COPIED)
    }

    /// How many rows break a check; `of`: the table that has it.
    pub(in crate::mysql) fn breaks(
        &self,
        table: &TableName,
        of: Option<&Table>,
        check: &Check,
    ) -> Option<Question> {
        let columns = of.iter().flat_map(|table| &table.columns);
        let columns = columns.map(|column| column.name.as_str());
        let columns = columns.filter(|name| mentions(&check.expression, name));
        let what = format!("rows that break the check ({})", check.expression);
        let condition = format!("NOT ({})", check.expression);
        self.before.rows_where(table, columns, &condition, what)
    }

    pub(in crate::mysql) fn drop_check(&self, table: &TableName, check: &Check) -> Option<Draft> {
        let name = check.name.as_deref()?;
        let found = self.found(table)?;
        if is_of_column(self.dialect, found, check) {
            let column = found.column(name)?;
            return Some(Draft::metadata(
                self.modify(table, column, None, Way::Any),
                self.modify(table, column, Some(check), Way::Any),
            ));
        }
        let drop = format!("DROP CONSTRAINT {}", self.ddl.name(name));
        let add = format!("ADD {}", self.ddl.check(check));
        Some(Draft::metadata(
            self.alter(table, &[drop], Way::Instant),
            self.alter(table, &[add], Way::Any),
        ))
    }
}

/// Whether an expression may mention a column; it need not, because more than what it mentions does
/// no harm.
pub(in crate::mysql) fn mentions(expression: &str, column: &str) -> bool {
    let expression = expression.replace("``", "`").to_lowercase();
    expression.contains(&column.to_lowercase())
}
