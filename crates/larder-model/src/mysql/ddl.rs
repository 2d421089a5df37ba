//! Statements that create things.
//!
//! Invariant: every name and every text is quoted, so that nothing in it becomes SQL. Expressions
//! stand as they are, because they are SQL.

use super::types::ParsedType;
use crate::{
    Check, Column, Dialect, ForeignKey, Identity, Index, IndexPart, ReferentialAction, Table,
    Unique,
};

pub(crate) fn create_table(dialect: Dialect, table: &Table) -> Vec<String> {
    let ddl = Ddl(dialect);
    let mut parts: Vec<String> = table
        .columns
        .iter()
        .map(|column| ddl.column(column, column_check(dialect, table, column)))
        .collect();
    if let Some(key) = &table.primary_key {
        parts.push(format!("PRIMARY KEY ({})", ddl.names(&key.columns)));
    }
    parts.extend(table.uniques.iter().map(|unique| ddl.unique(unique)));
    parts.extend(table.indexes.iter().map(|index| ddl.index(index)));
    parts.extend(table.foreign_keys.iter().map(|key| ddl.foreign_key(key)));
    let checks = table.checks.iter();
    let checks = checks.filter(|check| !is_of_column(dialect, table, check));
    parts.extend(checks.map(|check| ddl.check(check)));
    // The engine is named, because nothing here is true of another one.
    let mut sql = format!(
        "CREATE TABLE {} ({}) ENGINE=InnoDB",
        dialect.quoted_table(&table.name),
        parts.join(", ")
    );
    if let Some(collation) = &table.collation {
        sql.push_str(&format!(" COLLATE={}", ddl.collation(collation)));
    }
    if let Some(comment) = &table.comment {
        sql.push_str(&format!(" COMMENT={}", dialect.text(comment)));
    }
    vec![sql]
}

/// MariaDB's check that belongs to a column and is changed together with it: it has the column's
/// name.
pub(super) fn column_check<'a>(
    dialect: Dialect,
    table: &'a Table,
    column: &Column,
) -> Option<&'a Check> {
    let is_its = |check: &&Check| check.name.as_ref() == Some(&column.name);
    (dialect == Dialect::MariaDb).then(|| table.checks.iter().find(is_its)).flatten()
}

/// Whether a check belongs to a column and not to the table.
pub(super) fn is_of_column(dialect: Dialect, table: &Table, check: &Check) -> bool {
    let name = check.name.as_deref();
    dialect == Dialect::MariaDb && name.is_some_and(|name| table.column(name).is_some())
}

/// How parts of a table are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ddl(pub(super) Dialect);

impl Ddl {
    pub(super) fn name(self, name: &str) -> String {
        self.0.quoted(name)
    }

    pub(super) fn names(self, names: &[String]) -> String {
        let names: Vec<_> = names.iter().map(|name| self.name(name)).collect();
        names.join(", ")
    }

    /// The name of a collation, which is a word or nothing.
    pub(super) fn collation(self, name: &str) -> String {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.chars().all(is_word) { name.to_owned() } else { self.name(name) }
    }

    /// A column with everything that belongs to it.
    pub(super) fn column(self, column: &Column, check: Option<&Check>) -> String {
        let mut sql = format!("{} {}", self.name(&column.name), column.ty);
        if let Some(collation) = &column.collation {
            sql.push_str(&format!(" COLLATE {}", self.collation(collation)));
        }
        if let Some(generated) = &column.generated {
            let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
            sql.push_str(&format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expression));
        }
        if !column.nullable {
            sql.push_str(" NOT NULL");
        } else if ParsedType::parse(&column.ty).base == "timestamp" && column.generated.is_none() {
            // Servers that are set up so take a timestamp for NOT NULL that does not say.
            sql.push_str(" NULL");
        }
        if let Some(default) = &column.default {
            sql.push_str(&format!(" DEFAULT {default}"));
        }
        if let Some(on_update) = &column.on_update {
            sql.push_str(&format!(" ON UPDATE {on_update}"));
        }
        if column.identity == Some(Identity::AutoIncrement) {
            sql.push_str(" AUTO_INCREMENT");
        }
        if let Some(comment) = &column.comment {
            sql.push_str(&format!(" COMMENT {}", self.0.text(comment)));
        }
        if let Some(check) = check {
            sql.push_str(&format!(" CHECK ({})", check.expression));
        }
        sql
    }

    pub(super) fn unique(self, unique: &Unique) -> String {
        let name = unique.name.as_ref().map(|name| format!("{} ", self.name(name)));
        format!("UNIQUE KEY {}({})", name.unwrap_or_default(), self.names(&unique.columns))
    }

    pub(super) fn index(self, index: &Index) -> String {
        let mut words = index.method.as_deref().unwrap_or_default().split(' ');
        let method = words.next().unwrap_or_default();
        let kind = match (method, index.unique) {
            ("fulltext", _) => "FULLTEXT ",
            ("spatial", _) => "SPATIAL ",
            (_, true) => "UNIQUE ",
            (_, false) => "",
        };
        let parts: Vec<_> = index.parts.iter().map(|part| self.part(part)).collect();
        let mut sql = format!("{kind}KEY {} ({})", self.name(&index.name), parts.join(", "));
        if let Some(parser) = words.next() {
            sql.push_str(&format!(" WITH PARSER {}", self.name(parser)));
        }
        if method == "hash" {
            sql.push_str(" USING HASH");
        }
        if !index.valid {
            sql.push_str(if self.0 == Dialect::MariaDb { " IGNORED" } else { " INVISIBLE" });
        }
        sql
    }

    fn part(self, part: &IndexPart) -> String {
        let mut sql = match part.is_expression {
            true => format!("({})", part.text),
            false => self.name(&part.text),
        };
        if let Some(prefix) = part.prefix {
            sql.push_str(&format!("({prefix})"));
        }
        if part.descending {
            sql.push_str(" DESC");
        }
        sql
    }

    pub(super) fn foreign_key(self, key: &ForeignKey) -> String {
        let name = key.name.as_ref().map(|name| format!("CONSTRAINT {} ", self.name(name)));
        let mut sql = format!(
            "{}FOREIGN KEY ({}) REFERENCES {} ({})",
            name.unwrap_or_default(),
            self.names(&key.columns),
            self.0.quoted_table(&key.target),
            self.names(&key.target_columns)
        );
        for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            if !matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict) {
                sql.push_str(&format!(" ON {event} {}", action.as_sql()));
            }
        }
        sql
    }

    pub(super) fn check(self, check: &Check) -> String {
        let name = check.name.as_ref().map(|name| format!("CONSTRAINT {} ", self.name(name)));
        let mut sql = format!("{}CHECK ({})", name.unwrap_or_default(), check.expression);
        if !check.validated && self.0 == Dialect::MySql {
            sql.push_str(" NOT ENFORCED");
        }
        sql
    }
}
