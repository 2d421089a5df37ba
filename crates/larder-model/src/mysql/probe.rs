//! Questions about rows that stand in the way of a step.
//!
//! Invariant: a question is asked of the schema as it is before the first step. Tables and columns
//! that a plan renames have their old names there, and columns that it adds have the values there
//! that they will get. Where that can not be said, there is no question, and a step that depends on
//! its answer is left to people.

use std::collections::{BTreeMap, BTreeSet};

use super::{convert::is_same_family, ddl::Ddl, statements::mentions};
use crate::{Change, Column, Dialect, ForeignKey, Index, IndexPart, Probe, Table, TableName};

/// What has other names before a plan, or is not there yet.
#[derive(Clone)]
pub(super) struct Before {
    ddl: Ddl,
    /// Tables by the name that they will have.
    tables: BTreeMap<TableName, TableName>,
    /// Columns by the name that they will have.
    columns: BTreeMap<(TableName, String), String>,
    added: BTreeMap<(TableName, String), Column>,
    /// Columns whose values will be of another kind, and compare in another way.
    converted: BTreeSet<(TableName, String)>,
    created: Vec<TableName>,
}

/// One question: a condition that rows in the way fulfil, or a query that counts them.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// A query of one number.
    query: String,
    what: String,
}

impl Before {
    pub(super) fn new(dialect: Dialect, changes: &[Change]) -> Self {
        let mut before = Self {
            ddl: Ddl(dialect),
            tables: BTreeMap::new(),
            columns: BTreeMap::new(),
            added: BTreeMap::new(),
            converted: BTreeSet::new(),
            created: Vec::new(),
        };
        for change in changes {
            match change {
                Change::RenameTable { from, to } => {
                    before.tables.insert(to.clone(), from.clone());
                }
                Change::RenameColumn { table, from, to } => {
                    before.columns.insert((table.clone(), to.clone()), from.clone());
                }
                Change::AddColumn(table, column) => {
                    before.added.insert((table.clone(), column.name.clone()), column.clone());
                }
                Change::AlterColumn { table, from, to }
                    if from.generated != to.generated || !is_same_family(&from.ty, &to.ty) =>
                {
                    before.converted.insert((table.clone(), to.name.clone()));
                }
                Change::CreateTable(table) => before.created.push(table.name.clone()),
                _ => {}
            }
        }
        before
    }

    /// The name that a table has before the plan.
    pub(super) fn table<'a>(&'a self, name: &'a TableName) -> &'a TableName {
        self.tables.get(name).unwrap_or(name)
    }

    /// The name that a column has before the plan.
    pub(super) fn column<'a>(&'a self, table: &TableName, name: &'a str) -> &'a str {
        self.columns.get(&(table.clone(), name.to_owned())).map_or(name, String::as_str)
    }

    /// Whether the plan creates the table, so that no row can stand in the way.
    pub(super) fn is_created(&self, table: &TableName) -> bool {
        self.created.contains(table)
    }

    /// The rows of a table with these columns under the names that they will have.
    fn rows<'a>(
        &self,
        table: &TableName,
        columns: impl IntoIterator<Item = &'a str>,
        alias: &str,
    ) -> Option<String> {
        let source = self.ddl.0.quoted_table(self.table(table));
        let mut selected = Vec::new();
        let mut is_same = true;
        for name in columns {
            let key = (table.clone(), name.to_owned());
            if self.converted.contains(&key) {
                return None;
            }
            let value = match (self.added.get(&key), self.columns.get(&key)) {
                (Some(column), _) => self.value(table, column)?,
                (None, Some(former)) => self.ddl.name(former),
                (None, None) => {
                    selected.push(self.ddl.name(name));
                    continue;
                }
            };
            is_same = false;
            selected.push(format!("{value} AS {}", self.ddl.name(name)));
            if name.starts_with(char::is_whitespace) {
                // The server takes the blanks off the name of what is selected.
                return None;
            }
        }
        Some(match is_same {
            true => format!("{source} AS {alias}"),
            false => format!("(SELECT {} FROM {source}) AS {alias}", selected.join(", ")),
        })
    }

    /// What the rows that are there get in a column that is added.
    fn value(&self, table: &TableName, column: &Column) -> Option<String> {
        let Some(generated) = &column.generated else {
            return Some(column.default.clone().unwrap_or_else(|| "NULL".to_owned()));
        };
        let is_new = |of: &TableName, name: &str| {
            of == table && name != column.name && mentions(&generated.expression, name)
        };
        let added = self.added.keys().any(|(of, name)| is_new(of, name));
        let renamed = self.columns.keys().any(|(of, name)| is_new(of, name));
        (!added && !renamed).then(|| format!("({})", generated.expression))
    }

    /// Rows whose value in a column, as it is, fulfils a condition on it as it will be called.
    pub(super) fn values_where(
        &self,
        table: &TableName,
        column: &str,
        condition: &str,
        what: String,
    ) -> Option<Question> {
        let as_it_is = Self { converted: BTreeSet::new(), ..self.clone() };
        as_it_is.rows_where(table, [column], condition, what)
    }

    /// Rows that fulfil a condition on these columns.
    pub(super) fn rows_where<'a>(
        &self,
        table: &TableName,
        columns: impl IntoIterator<Item = &'a str>,
        condition: &str,
        what: String,
    ) -> Option<Question> {
        let rows = self.rows(table, columns, "r")?;
        Some(Question { query: format!("SELECT COUNT(*) FROM {rows} WHERE {condition}"), what })
    }

    /// All rows of a table.
    pub(super) fn all_rows(&self, table: &TableName, what: String) -> Option<Question> {
        let rows = self.rows(table, [], "r")?;
        Some(Question { query: format!("SELECT COUNT(*) FROM {rows}"), what })
    }

    /// Values that are there more than once. `collation`: as a text would be compared then.
    pub(super) fn duplicates(
        &self,
        table: &TableName,
        columns: &[String],
        collation: Option<&str>,
    ) -> Option<Question> {
        let rows = self.rows(table, columns.iter().map(String::as_str), "r")?;
        let collate = collation.map(|name| format!(" COLLATE {}", self.ddl.collation(name)));
        let collate = collate.unwrap_or_default();
        let keys: Vec<_> =
            columns.iter().map(|name| format!("{}{collate}", self.ddl.name(name))).collect();
        let present: Vec<_> =
            columns.iter().map(|name| format!("{} IS NOT NULL", self.ddl.name(name))).collect();
        Some(Question {
            query: format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM {rows} WHERE {} GROUP BY {} \
                 HAVING COUNT(*) > 1) AS d",
                present.join(" AND "),
                keys.join(", ")
            ),
            what: format!("values that several rows have in ({})", columns.join(", ")),
        })
    }

    /// Values of the parts of an index that are there more than once.
    pub(super) fn duplicate_parts(
        &self,
        table: &TableName,
        wanted: Option<&Table>,
        index: &Index,
    ) -> Option<Question> {
        let key = |part: &IndexPart| match (part.is_expression, part.prefix) {
            (true, _) => format!("({})", part.text),
            (false, Some(length)) => format!("LEFT({}, {length})", self.ddl.name(&part.text)),
            (false, None) => self.ddl.name(&part.text),
        };
        let keys: Vec<_> = index.parts.iter().map(key).collect();
        let present: Vec<_> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
        let columns = wanted.iter().flat_map(|table| &table.columns);
        let columns = columns.map(|column| column.name.as_str());
        let all = keys.join(" ");
        let columns = columns.filter(|name| mentions(&all, name));
        let rows = self.rows(table, columns, "r")?;
        Some(Question {
            query: format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM {rows} WHERE {} GROUP BY {} \
                 HAVING COUNT(*) > 1) AS d",
                present.join(" AND "),
                keys.join(", ")
            ),
            what: format!("values that several rows have in index {:?}", index.name),
        })
    }

    /// Rows that refer to none.
    pub(super) fn orphans(&self, table: &TableName, key: &ForeignKey) -> Option<Question> {
        let rows = self.rows(table, key.columns.iter().map(String::as_str), "r")?;
        let present: Vec<_> = key
            .columns
            .iter()
            .map(|name| format!("r.{} IS NOT NULL", self.ddl.name(name)))
            .collect();
        let mut condition = present.join(" AND ");
        if !self.is_created(&key.target) {
            let targets =
                self.rows(&key.target, key.target_columns.iter().map(String::as_str), "p")?;
            let equal: Vec<_> = key
                .columns
                .iter()
                .zip(&key.target_columns)
                .map(|(one, other)| {
                    format!("p.{} = r.{}", self.ddl.name(other), self.ddl.name(one))
                })
                .collect();
            condition.push_str(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {targets} WHERE {})",
                equal.join(" AND ")
            ));
        }
        Some(Question {
            query: format!("SELECT COUNT(*) FROM {rows} WHERE {condition}"),
            what: format!("rows that refer to none in {}", key.target),
        })
    }
}

/// Several questions as one.
pub(super) fn ask(questions: &[Question]) -> Option<Probe> {
    let what: Vec<_> = questions.iter().map(|question| question.what.as_str()).collect();
    let sql = match questions {
        [] => return None,
        [only] => only.query.clone(),
        several => {
            let sums: Vec<_> = several.iter().map(|one| format!("({})", one.query)).collect();
            format!("SELECT {}", sums.join(" + "))
        }
    };
    Some(Probe { sql, what: what.join(", or ") })
}
