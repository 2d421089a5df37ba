//! SQLite's words for a table and its parts.
//!
//! Invariant: names and texts stand in quotes, with the quotes inside them doubled; expressions
//! stand in parentheses. What is read back from the words is what was written.

use std::fmt::Write as _;

use crate::{
    Check, Column, Dialect, ForeignKey, Identity, Index, IndexPart, ReferentialAction,
    SqlTokenKind, Table, TableName, sql_tokens,
};

/// The statements that create a table with everything in it.
pub(crate) fn create_table(table: &Table) -> Vec<String> {
    let mut statements = vec![create_table_alone(table, &table.name)];
    statements.extend(table.indexes.iter().map(|index| create_index(&table.name, index)));
    statements
}

/// The table under another name, without its indexes.
///
/// A key of one `INTEGER` column becomes an alias of the row number, which SQLite assigns.
pub(super) fn create_table_alone(table: &Table, name: &TableName) -> String {
    let alias = row_number_alias(table).map(|column| column.name.clone());
    let mut parts: Vec<_> = table
        .columns
        .iter()
        .map(|column| {
            let mut text = definition(column);
            if alias.as_ref() == Some(&column.name) {
                constraint_name(
                    &mut text,
                    table.primary_key.as_ref().and_then(|key| key.name.as_ref()),
                );
                text.push_str(" PRIMARY KEY");
                if column.identity == Some(Identity::AutoIncrement) {
                    text.push_str(" AUTOINCREMENT");
                }
            }
            text
        })
        .collect();
    if let Some(key) = table.primary_key.as_ref().filter(|_| alias.is_none()) {
        parts.push(constraint(key.name.as_ref(), &format!("PRIMARY KEY ({})", list(&key.columns))));
    }
    for unique in &table.uniques {
        let text = format!("UNIQUE ({})", list(&unique.columns));
        parts.push(constraint(unique.name.as_ref(), &text));
    }
    for key in &table.foreign_keys {
        let text = format!("FOREIGN KEY ({}) {}", list(&key.columns), references(key));
        parts.push(constraint(key.name.as_ref(), &text));
    }
    parts.extend(table.checks.iter().map(check));
    let mut options = Vec::new();
    if table.without_rowid {
        options.push("WITHOUT ROWID");
    }
    if table.strict {
        options.push("STRICT");
    }
    let options = options.join(", ");
    let gap = if options.is_empty() { "" } else { " " };
    format!("CREATE TABLE {} ({}){gap}{options}", quoted_table(name), parts.join(", "))
}

/// The column that is the row number under another name.
pub(super) fn row_number_alias(table: &Table) -> Option<&Column> {
    let [name] = table.primary_key.as_ref()?.columns.as_slice() else { return None };
    let column = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
    let is_alias = !table.without_rowid && column.ty.eq_ignore_ascii_case("INTEGER");
    is_alias.then_some(column)
}

/// A column with everything but constraints of its table.
pub(super) fn definition(column: &Column) -> String {
    let mut text = quoted(&column.name);
    if !column.ty.is_empty() {
        let _ = write!(text, " {}", column.ty);
    }
    if let Some(collation) = &column.collation {
        let _ = write!(text, " COLLATE {}", quoted(collation));
    }
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        let _ = write!(text, " DEFAULT {}", default_term(default));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
        let _ = write!(text, " GENERATED ALWAYS AS ({}) {kind}", generated.expression);
    }
    text
}

/// A default as it stands behind `DEFAULT`: one literal, or anything else in parentheses.
pub(super) fn default_term(sql: &str) -> String {
    match is_single_term(sql) {
        true => sql.to_owned(),
        false => format!("({sql})"),
    }
}

fn is_single_term(sql: &str) -> bool {
    let tokens = sql_tokens(Dialect::Sqlite, sql);
    let is_whole = tokens.first().is_some_and(|first| first.start == 0);
    let is_sign = |text: &str| matches!(text, "+" | "-");
    is_whole
        && match tokens.as_slice() {
            [one] => one.kind != SqlTokenKind::Symbol && one.end() == sql.len(),
            [sign, number] => {
                is_sign(sign.text)
                    && number.kind == SqlTokenKind::Number
                    && number.end() == sql.len()
            }
            _ => false,
        }
}

/// Whether SQLite takes it for a constant, so that existing rows need no value of their own.
pub(super) fn is_constant(sql: &str) -> bool {
    let moves = ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"];
    is_single_term(sql) && !moves.iter().any(|word| sql.eq_ignore_ascii_case(word))
}

pub(super) fn check(check: &Check) -> String {
    constraint(check.name.as_ref(), &format!("CHECK ({})", check.expression))
}

pub(super) fn constraint(name: Option<&String>, rest: &str) -> String {
    let mut text = String::new();
    constraint_name(&mut text, name);
    format!("{text} {rest}").trim_start().to_owned()
}

fn constraint_name(text: &mut String, name: Option<&String>) {
    if let Some(name) = name {
        let _ = write!(text, " CONSTRAINT {}", quoted(name));
    }
}

/// What stands behind the columns of a foreign key.
pub(super) fn references(key: &ForeignKey) -> String {
    let mut text = format!("REFERENCES {}", quoted(&key.target.name));
    if !key.target_columns.is_empty() {
        let _ = write!(text, " ({})", list(&key.target_columns));
    }
    for (when, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != ReferentialAction::NoAction {
            let _ = write!(text, " ON {when} {}", action.as_sql());
        }
    }
    match key.deferrable {
        Some(true) => text.push_str(" DEFERRABLE INITIALLY DEFERRED"),
        Some(false) => text.push_str(" DEFERRABLE"),
        None => {}
    }
    text
}

pub(super) fn create_index(table: &TableName, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let parts: Vec<_> = index.parts.iter().map(index_part).collect();
    let mut text = format!(
        "CREATE {unique}INDEX \"main\".{} ON {} ({})",
        quoted(&index.name),
        quoted(&table.name),
        parts.join(", ")
    );
    if let Some(predicate) = &index.predicate {
        let _ = write!(text, " WHERE {predicate}");
    }
    text
}

fn index_part(part: &IndexPart) -> String {
    let mut text = match part.is_expression {
        true => format!("({})", part.text),
        false => quoted(&part.text),
    };
    if let Some(collation) = &part.collation {
        let _ = write!(text, " COLLATE {}", quoted(collation));
    }
    if part.descending {
        text.push_str(" DESC");
    }
    text
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

pub(super) fn quoted(name: &str) -> String {
    Dialect::Sqlite.quoted(name)
}

pub(super) fn quoted_table(name: &TableName) -> String {
    Dialect::Sqlite.quoted_table(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generated, PrimaryKey};

    fn shown(column: &Column) -> String {
        definition(column)
    }

    #[test]
    fn nothing_ends_its_own_quotes() {
        let mut table = Table::new(TableName::new("a\"b"));
        table.columns = vec![Column::new("c\"", "TEXT")];
        table.primary_key =
            Some(PrimaryKey { name: Some("k\"".into()), columns: vec!["c\"".into()] });
        assert_eq!(
            create_table(&table),
            ["CREATE TABLE \"main\".\"a\"\"b\" (\"c\"\"\" TEXT, CONSTRAINT \"k\"\"\" \
              PRIMARY KEY (\"c\"\"\"))"]
        );
    }

    #[test]
    fn defaults_stand_in_parentheses_unless_they_are_one_literal() {
        for (sql, expected, constant) in [
            ("1", "1", true),
            ("-1.5", "-1.5", true),
            ("'it''s'", "'it''s'", true),
            ("X'00'", "X'00'", true),
            ("word", "word", true),
            ("\"word\"", "\"word\"", true),
            ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", false),
            ("datetime('now')", "(datetime('now'))", false),
            ("1 + 1", "(1 + 1)", false),
            ("- 'a'", "(- 'a')", false),
            ("1 -- one", "(1 -- one)", false),
            ("", "()", false),
        ] {
            assert_eq!(default_term(sql), expected);
            assert_eq!(is_constant(sql), constant, "{sql}");
        }
    }

    #[test]
    fn a_column_is_written_with_everything_it_has() {
        let plain = Column::new("a", "");
        assert_eq!(shown(&plain), "\"a\"");
        let full = Column {
            nullable: false,
            collation: Some("NOCASE".into()),
            default: Some("lower('A')".into()),
            ..Column::new("a", "TEXT")
        };
        assert_eq!(shown(&full), "\"a\" TEXT COLLATE \"NOCASE\" NOT NULL DEFAULT (lower('A'))");
        let generated = Some(Generated { expression: "b || ')'".into(), stored: false });
        let computed = Column { generated, ..plain };
        assert_eq!(shown(&computed), "\"a\" GENERATED ALWAYS AS (b || ')') VIRTUAL");
    }
}
