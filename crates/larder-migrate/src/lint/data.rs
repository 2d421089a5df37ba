//! Rules about what programs that still run rely on: rows, columns, names.

use larder_model::Dialect;

use crate::{
    Rule,
    files::{Token, TokenKind},
    lint::{
        check::{Context, Said},
        parse::{Kind, begins, has, unquoted},
    },
};

pub(super) fn check(context: &Context<'_>, index: usize, said: &mut Vec<Said>) {
    match &context.statements[index].parsed.kind {
        Kind::AlterTable { table, actions } if !context.is_new(table) => {
            for action in actions {
                said.extend(altered(context, table, action));
            }
        }
        Kind::Delete { table, has_where: false } | Kind::Truncate { table }
            if !context.is_new(table) =>
        {
            said.push((Rule::MissingWhere, format!("all rows of {table} are deleted")));
        }
        Kind::Update { table, has_where: false } if !context.is_new(table) => {
            let message = format!(
                "all rows of {table} are changed at once and stay locked until the end; change \
                 them in parts"
            );
            said.push((Rule::MissingWhere, message));
        }
        Kind::DropTable { tables } => {
            for table in tables.iter().filter(|table| !context.is_new(table)) {
                said.push((Rule::DropTable, format!("the rows of {table} are lost")));
            }
        }
        Kind::RenameTable { table } if !context.is_new(table) => {
            said.push((Rule::RenameTable, renamed_table(table)));
        }
        _ => {}
    }
}

fn altered(context: &Context<'_>, table: &str, action: &[Token<'_>]) -> Option<Said> {
    if begins(action, &["RENAME"]) {
        return renamed(table, action);
    }
    if begins(action, &["CHANGE"]) {
        return changed_name(table, action);
    }
    if begins(action, &["DROP"]) {
        return dropped(table, action);
    }
    let column = added_column(action)?;
    volatile_default(context, table, column).or_else(|| not_null(context, table, column))
}

fn renamed_table(table: &str) -> String {
    format!(
        "programs that still run know {table} by its old name; leave a view of that name behind"
    )
}

fn renamed(table: &str, action: &[Token<'_>]) -> Option<Said> {
    let is_of_parts =
        ["INDEX", "KEY", "CONSTRAINT"].iter().any(|kind| begins(&action[1..], &[kind]));
    if is_of_parts {
        return None;
    }
    let has_column_word = begins(&action[1..], &["COLUMN"]);
    // `RENAME TO b`, `RENAME AS b`, `RENAME b`: the table. `RENAME a TO b`: a column.
    let is_column =
        has_column_word || (action.len() >= 4 && action.get(2).is_some_and(|to| to.is("TO")));
    if !is_column {
        return Some((Rule::RenameTable, renamed_table(table)));
    }
    let name = unquoted(action.get(if has_column_word { 2 } else { 1 })?);
    Some(renamed_column(table, &name))
}

fn renamed_column(table: &str, name: &str) -> Said {
    let message = format!(
        "programs that still run know {table}.{name} by its old name; add a new column and write \
         both for a while"
    );
    (Rule::RenameColumn, message)
}

/// `CHANGE [COLUMN] old new …` with two names that differ.
fn changed_name(table: &str, action: &[Token<'_>]) -> Option<Said> {
    let skip = if begins(action, &["CHANGE", "COLUMN"]) { 2 } else { 1 };
    let (old, new) = (unquoted(action.get(skip)?), unquoted(action.get(skip + 1)?));
    (old != new).then(|| renamed_column(table, &old))
}

fn dropped(table: &str, action: &[Token<'_>]) -> Option<Said> {
    let rest = if begins(action, &["DROP", "COLUMN"]) { &action[2..] } else { &action[1..] };
    let others = [
        "CHECK",
        "CONSTRAINT",
        "FOREIGN",
        "INDEX",
        "KEY",
        "PARTITION",
        "PERIOD",
        "PRIMARY",
        "SYSTEM",
    ];
    let is_explicit = begins(action, &["DROP", "COLUMN"]);
    if !is_explicit && others.iter().any(|kind| begins(rest, &[kind])) {
        return None;
    }
    let name = match rest {
        [first, second, name, ..] if first.is("IF") && second.is("EXISTS") => name,
        [name, ..] => name,
        [] => return None,
    };
    let name = unquoted(name);
    let message = format!(
        "programs that still run may read {table}.{name}, and its values are lost; drop it once \
         none of them does"
    );
    Some((Rule::DropColumn, message))
}

/// What is said of a column that is added, its name first; `None` if something else is added.
fn added_column<'t, 'a>(action: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    if !begins(action, &["ADD"]) {
        return None;
    }
    let others = [
        "CHECK",
        "CONSTRAINT",
        "EXCLUDE",
        "FOREIGN",
        "FULLTEXT",
        "INDEX",
        "KEY",
        "PARTITION",
        "PERIOD",
        "PRIMARY",
        "SPATIAL",
        "SYSTEM",
        "UNIQUE",
    ];
    let is_explicit = begins(action, &["ADD", "COLUMN"]);
    let mut column = if is_explicit { &action[2..] } else { &action[1..] };
    if !is_explicit && others.iter().any(|kind| begins(column, &[kind])) {
        return None;
    }
    if begins(column, &["IF", "NOT", "EXISTS"]) {
        column = &column[3..];
    }
    // Several columns in parentheses are not looked into.
    column.first().is_some_and(|token| !token.is_sign("(")).then_some(column)
}

fn not_null(context: &Context<'_>, table: &str, column: &[Token<'_>]) -> Option<Said> {
    let is_not_null = column.windows(2).any(|pair| begins(pair, &["NOT", "NULL"]));
    let fills =
        ["AS", "AUTO_INCREMENT", "DEFAULT", "GENERATED", "SERIAL", "BIGSERIAL", "SMALLSERIAL"];
    if !is_not_null || fills.iter().any(|word| has(column, word)) {
        return None;
    }
    let name = unquoted(column.first()?);
    let message = match context.is_mysql_family() {
        true => format!(
            "the rows that {table} has get a zero or an empty text as {name}; say DEFAULT, or fill \
             the column before it is NOT NULL"
        ),
        false => format!(
            "the statement fails if {table} has rows, because {name} has no value for them; say \
             DEFAULT, or fill the column before it is NOT NULL"
        ),
    };
    Some((Rule::NotNullWithoutDefault, message))
}

/// Functions of PostgreSQL that give another value for every row.
const VOLATILE: [&str; 9] = [
    "clock_timestamp",
    "gen_random_uuid",
    "nextval",
    "random",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];

fn volatile_default(context: &Context<'_>, table: &str, column: &[Token<'_>]) -> Option<Said> {
    let at = column.iter().position(|token| token.is("DEFAULT"));
    let default = at.map_or(&[][..], |at| &column[at + 1..]);
    let name = unquoted(column.first()?);
    match context.dialect {
        Dialect::Postgres => {
            let counts = ["SERIAL", "BIGSERIAL", "SMALLSERIAL", "IDENTITY", "STORED"];
            let is_volatile = VOLATILE.iter().any(|function| has(default, function))
                || counts.iter().any(|word| has(column, word));
            let message = format!(
                "{table} is rewritten while nobody can use it, because {name} differs from row to \
                 row; add the column without a default, and fill it in parts"
            );
            is_volatile.then_some((Rule::VolatileDefault, message))
        }
        Dialect::Sqlite => {
            let is_expression = default.first().is_some_and(|token| token.is_sign("("))
                // A constant in parentheses is one nevertheless.
                && default.iter().any(|token| token.kind == TokenKind::Word);
            let moments = ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"];
            let is_moment = default.first().is_some_and(|token| token.is_any(&moments));
            let message = format!(
                "SQLite refuses to add {name} with a default that is no constant if {table} has \
                 rows; add the column without a default, and fill it"
            );
            (is_expression || is_moment).then_some((Rule::VolatileDefault, message))
        }
        _ => None,
    }
}
