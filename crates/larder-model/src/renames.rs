//! Names that tables and columns change on their way to another schema.
//!
//! Guards that a rename is no other difference: keys, indexes, references and expressions follow
//! the names that they mention, as they do in the database.

use std::collections::BTreeMap;

use crate::{Catalog, Change, Dialect, SqlTokenKind, Table, TableKind, TableName, sql_tokens};

/// Which tables and columns have other names afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Renames {
    /// From, to.
    tables: Vec<(TableName, TableName)>,
    /// By the table's name afterwards: from, to.
    columns: BTreeMap<TableName, Vec<(String, String)>>,
}

impl Renames {
    /// What a model says that is called otherwise now. A former name that is still wanted by
    /// itself, or a new name that is there already, is no rename.
    pub(crate) fn find(dialect: Dialect, current: &Catalog, desired: &Catalog) -> Self {
        let mut renames = Self::default();
        let is_wanted = |name: &TableName| {
            desired.tables.iter().any(|table| dialect.is_same_table(&table.name, name))
        };
        let find = |name: &TableName| {
            current.tables.iter().find(|table| dialect.is_same_table(&table.name, name))
        };
        for wanted in &desired.tables {
            let found = find(&wanted.name).or_else(|| {
                let name = wanted.renamed_from.clone()?;
                let former = TableName { schema: wanted.name.schema.clone(), name };
                let found = find(&former).filter(|_| !is_wanted(&former))?;
                renames.tables.push((found.name.clone(), wanted.name.clone()));
                Some(found)
            });
            let Some(found) = found else { continue };
            let is_renamed = renames.tables.iter().any(|(from, _)| *from == found.name);
            let name = if is_renamed { &wanted.name } else { &found.name };
            if found.kind == TableKind::Table && found.opaque.is_none() {
                let columns = columns(dialect, found, wanted);
                if !columns.is_empty() {
                    renames.columns.insert(name.clone(), columns);
                }
            }
        }
        renames
    }

    /// From the way in which names are wanted to the way in which they are spelt already, where the
    /// database takes both for one name.
    pub(crate) fn spelling(dialect: Dialect, current: &Catalog, desired: &Catalog) -> Self {
        let mut renames = Self::default();
        for wanted in &desired.tables {
            let mut found = current.tables.iter();
            let Some(found) = found.find(|of| dialect.is_same_table(&of.name, &wanted.name)) else {
                continue;
            };
            if found.name != wanted.name {
                renames.tables.push((wanted.name.clone(), found.name.clone()));
            }
            let columns = wanted.columns.iter().filter_map(|column| {
                let mut found = found.columns.iter();
                let found = found.find(|of| dialect.is_same_column(&of.name, &column.name))?;
                (found.name != column.name).then(|| (column.name.clone(), found.name.clone()))
            });
            let columns: Vec<_> = columns.collect();
            if !columns.is_empty() {
                renames.columns.insert(found.name.clone(), columns);
            }
        }
        renames
    }

    /// The renames that changes contain.
    pub(crate) fn of(changes: &[Change]) -> Self {
        let mut renames = Self::default();
        for change in changes {
            match change {
                Change::RenameColumn { table, from, to } => {
                    let columns = renames.columns.entry(table.clone()).or_default();
                    columns.push((from.clone(), to.clone()));
                }
                Change::RenameTable { from, to } => renames.tables.push((from.clone(), to.clone())),
                _ => {}
            }
        }
        renames
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        let tables = self.tables.iter();
        let tables = tables.map(|(from, to)| {
            let (from, to) = (from.clone(), to.clone());
            Change::RenameTable { from, to }
        });
        let columns = self.columns.iter().flat_map(|(table, columns)| {
            columns.iter().map(|(from, to)| Change::RenameColumn {
                table: table.clone(),
                from: from.clone(),
                to: to.clone(),
            })
        });
        tables.chain(columns).collect()
    }

    /// The name that a table has before.
    pub(crate) fn former<'a>(&'a self, name: &'a TableName) -> &'a TableName {
        let rename = self.tables.iter().find(|(_, to)| to == name);
        rename.map_or(name, |(from, _)| from)
    }

    /// The names that columns of a table have before and afterwards.
    pub(crate) fn columns_of(&self, table: &TableName) -> &[(String, String)] {
        self.columns.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The other way round.
    pub(crate) fn reversed(&self) -> Self {
        let swap = |(from, to): &(String, String)| (to.clone(), from.clone());
        let columns = self.columns.iter().map(|(table, columns)| {
            (self.former(table).clone(), columns.iter().map(swap).collect())
        });
        let tables = self.tables.iter().map(|(from, to)| (to.clone(), from.clone()));
        Self { tables: tables.collect(), columns: columns.collect() }
    }

    /// A table under the new names, its own and those that it mentions.
    pub(crate) fn apply(&self, dialect: Dialect, table: &Table) -> Table {
        let mut table = table.clone();
        if self.tables.is_empty() && self.columns.is_empty() {
            return table;
        }
        let new_name = |name: &TableName| {
            let rename = self.tables.iter().find(|(from, _)| from == name);
            rename.map_or_else(|| name.clone(), |(_, to)| to.clone())
        };
        table.name = new_name(&table.name);
        let own = self.columns_of(&table.name);
        if !own.is_empty() {
            rename_columns(dialect, &mut table, own);
        }
        for key in &mut table.foreign_keys {
            key.target = new_name(&key.target);
            let columns = self.columns_of(&key.target);
            key.target_columns.iter_mut().for_each(|name| rename(dialect, name, columns));
        }
        table
    }
}

fn columns(dialect: Dialect, found: &Table, wanted: &Table) -> Vec<(String, String)> {
    let named = |table: &Table, name: &str| {
        let found = table.columns.iter().find(|of| dialect.is_same_column(&of.name, name));
        found.map(|column| column.name.clone())
    };
    let mut renames: Vec<(String, String)> = Vec::new();
    for column in &wanted.columns {
        let Some(former) = column.renamed_from.as_deref() else { continue };
        if named(found, &column.name).is_some() || named(wanted, former).is_some() {
            continue;
        }
        if let Some(former) = named(found, former)
            && !renames.iter().any(|(from, _)| *from == former)
        {
            renames.push((former, column.name.clone()));
        }
    }
    renames
}

fn rename(dialect: Dialect, name: &mut String, columns: &[(String, String)]) {
    if let Some((_, to)) = columns.iter().find(|(from, _)| dialect.is_same_column(from, name)) {
        name.clone_from(to);
    }
}

fn rename_columns(dialect: Dialect, table: &mut Table, columns: &[(String, String)]) {
    let all = |names: &mut Vec<String>| {
        names.iter_mut().for_each(|name| rename(dialect, name, columns));
    };
    let expression = |sql: &mut String| *sql = rename_in(dialect, sql, columns);
    for column in &mut table.columns {
        rename(dialect, &mut column.name, columns);
        column.generated.iter_mut().for_each(|of| expression(&mut of.expression));
    }
    table.primary_key.iter_mut().for_each(|key| all(&mut key.columns));
    for unique in &mut table.uniques {
        all(&mut unique.columns);
        all(&mut unique.include);
    }
    for index in &mut table.indexes {
        for part in &mut index.parts {
            match part.is_expression {
                true => expression(&mut part.text),
                false => rename(dialect, &mut part.text, columns),
            }
        }
        all(&mut index.include);
        index.predicate.iter_mut().for_each(expression);
    }
    table.foreign_keys.iter_mut().for_each(|key| all(&mut key.columns));
    table.checks.iter_mut().for_each(|check| expression(&mut check.expression));
}

/// Columns under new names in an expression: a name with a parenthesis behind it is a function's,
/// unless it stands in quotes.
fn rename_in(dialect: Dialect, sql: &str, columns: &[(String, String)]) -> String {
    let tokens = sql_tokens(dialect, sql);
    let mut text = String::new();
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is_call =
            token.kind == SqlTokenKind::Word && tokens.get(at + 1).is_some_and(|next| next.is("("));
        let new = token.name().filter(|_| !is_call).and_then(|mut name| {
            let before = name.clone();
            rename(dialect, &mut name, columns);
            (name != before).then_some(name)
        });
        text.push_str(sql.get(end..token.start).unwrap_or_default());
        match new {
            Some(name) => text.push_str(&dialect.quoted_if_needed(&name)),
            None => text.push_str(token.text),
        }
        end = token.end();
    }
    text.push_str(sql.get(end..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_a_rename() {
        let rename = |dialect, sql| {
            rename_in(dialect, sql, &[("a".into(), "b".into()), ("c".into(), "D e".into())])
        };
        let check = |dialect, sql, expected: &str| assert_eq!(rename(dialect, sql), expected);
        check(Dialect::Sqlite, "\"a\" > 'a' AND a(c)", "b > 'a' AND a(\"D e\")");
        check(Dialect::Postgres, "((a > 0) AND (\"A\" = c))", "((b > 0) AND (\"A\" = \"D e\"))");
        check(Dialect::MySql, "(`a` > \"a\")", "(`b` > \"a\")");
    }
}
