//! Rules about locks: what stops others from using a table for as long as it is large.

use larder_model::Dialect;

use crate::{
    Rule,
    files::{Token, TokenKind},
    lint::{
        check::{Context, Said},
        parse::{Kind, begins, has},
    },
};

pub(super) fn check(context: &Context<'_>, index: usize, said: &mut Vec<Said>) {
    let parsed = &context.statements[index].parsed;
    match &parsed.kind {
        Kind::CreateIndex { table, concurrently: false }
            if context.dialect == Dialect::Postgres && !context.is_new(table) =>
        {
            said.push((Rule::BlockingIndex, blocking_index(table)));
        }
        Kind::AlterTable { table, actions } if !context.is_new(table) => {
            for action in actions {
                let rule = match context.dialect {
                    Dialect::MariaDb | Dialect::MySql => {
                        mysql(table, action, parsed.has("INSTANT"))
                    }
                    Dialect::Postgres => postgres(table, action),
                    _ => None,
                };
                said.extend(rule);
            }
        }
        _ => {}
    }
}

fn blocking_index(table: &str) -> String {
    format!(
        "writes to {table} wait until the index is built; use CREATE INDEX CONCURRENTLY in a file \
         with `-- larder: no-transaction`"
    )
}

fn postgres(table: &str, action: &[Token<'_>]) -> Option<Said> {
    if begins(action, &["ALTER"]) {
        return altered_column(table, action);
    }
    if !begins(action, &["ADD"]) {
        return None;
    }
    // A name may stand before what the constraint is.
    let rest = match &action[1..] {
        [constraint, _, rest @ ..] if constraint.is("CONSTRAINT") => rest,
        rest => rest,
    };
    let is_check = begins(rest, &["CHECK"]) || begins(rest, &["FOREIGN", "KEY"]);
    let is_unique = begins(rest, &["UNIQUE"]) || begins(rest, &["PRIMARY", "KEY"]);
    let is_deferred = rest.windows(2).any(|pair| begins(pair, &["NOT", "VALID"]));
    let from_index = rest.windows(2).any(|pair| begins(pair, &["USING", "INDEX"]));
    if is_check && !is_deferred {
        let message = format!(
            "{table} is read as a whole under a lock; add the constraint NOT VALID, and VALIDATE \
             it in a later file"
        );
        Some((Rule::ValidatedConstraint, message))
    } else if is_unique && !from_index {
        let message = format!(
            "nobody can use {table} until the index is built; create a unique index CONCURRENTLY \
             first, and add the constraint USING INDEX"
        );
        Some((Rule::BlockingUnique, message))
    } else {
        None
    }
}

/// `ALTER [COLUMN] name …`.
fn altered_column(table: &str, action: &[Token<'_>]) -> Option<Said> {
    let skip = if begins(action, &["ALTER", "COLUMN"]) { 2 } else { 1 };
    let change = action.get(skip + 1..)?;
    if begins(change, &["SET", "NOT", "NULL"]) {
        let message = format!(
            "{table} is read as a whole while nobody can use it; add CHECK (… IS NOT NULL) NOT \
             VALID, VALIDATE it, and set NOT NULL then"
        );
        return Some((Rule::SetNotNull, message));
    }
    let ty = if begins(change, &["SET", "DATA", "TYPE"]) {
        &change[3..]
    } else if begins(change, &["TYPE"]) {
        &change[1..]
    } else {
        return None;
    };
    // Texts without a limit take over every shorter text as it is.
    let is_text = begins(ty, &["TEXT"]) || begins(ty, &["VARCHAR"]);
    let is_plain = ty.len() == 1;
    if is_text && is_plain {
        return None;
    }
    let message = format!(
        "{table} may be rewritten while nobody can use it; add a new column, fill it in parts, and \
         switch over"
    );
    Some((Rule::TableRewrite, message))
}

fn mysql(table: &str, action: &[Token<'_>], is_instant: bool) -> Option<Said> {
    let converts = begins(action, &["CONVERT", "TO"]);
    let changes = begins(action, &["MODIFY"]) || begins(action, &["CHANGE"]);
    if is_instant || !(converts || changes) || is_appended_label(action) {
        return None;
    }
    let message = format!(
        "{table} may be copied while nobody can write to it; say ALGORITHM=INSTANT or \
         ALGORITHM=INPLACE, LOCK=NONE, so that the server refuses what it can not do without"
    );
    let is_online = has(action, "INPLACE");
    (!is_online).then_some((Rule::TableRewrite, message))
}

/// A list of labels: appending to it is instant, and the old list is not known here.
fn is_appended_label(action: &[Token<'_>]) -> bool {
    has(action, "ENUM") && action.iter().any(|token| token.kind == TokenKind::Text)
}
