//! Rules about what belongs together: transactions, sessions.

use larder_model::Dialect;

use crate::{
    Rule,
    files::TokenKind,
    lint::{
        check::{Context, Said},
        parse::{Kind, Parsed, begins},
    },
};

pub(super) fn check(context: &Context<'_>, index: usize, said: &mut Vec<Said>) {
    match context.dialect {
        Dialect::MariaDb | Dialect::MySql => said.extend(implicit_commit(context, index)),
        Dialect::Postgres => {
            said.extend(session_setting(&context.statements[index].parsed));
            said.extend(new_label(context, index));
            said.extend(several(context, index));
        }
        _ => said.extend(several(context, index)),
    }
}

/// A second statement outside of a transaction.
fn several(context: &Context<'_>, index: usize) -> Option<Said> {
    if context.is_transaction || index != 1 {
        return None;
    }
    let message = "if this or a later statement fails, those before it stay; write one statement \
                   into a file without a transaction";
    Some((Rule::SeveralWithoutTransaction, message.to_owned()))
}

/// Rows that are changed in a file that also changes tables that were there before.
fn implicit_commit(context: &Context<'_>, index: usize) -> Option<Said> {
    let is_rows = |parsed: &Parsed<'_>| {
        let verbs = ["DELETE", "INSERT", "REPLACE", "UPDATE"];
        parsed.tokens.first().is_some_and(|token| token.is_any(&verbs))
    };
    let commits = |parsed: &Parsed<'_>| {
        let verbs = ["ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE"];
        parsed.tokens.first().is_some_and(|token| token.is_any(&verbs))
    };
    let mut before = context.statements[..index].iter().map(|seen| &seen.parsed);
    let is_first = !before.clone().any(is_rows);
    let mixed =
        before.any(commits) || context.statements[index..].iter().any(|seen| commits(&seen.parsed));
    if !is_rows(&context.statements[index].parsed) || !is_first || !mixed {
        return None;
    }
    let message = "the file changes tables too, and each of those statements commits by itself; \
                   change rows in a file of their own, which is one transaction then";
    Some((Rule::ImplicitCommit, message.to_owned()))
}

/// `SET x = …` without `LOCAL`, and `set_config(…, false)`.
fn session_setting(parsed: &Parsed<'_>) -> Option<Said> {
    let tokens = &parsed.tokens;
    let is_set = begins(tokens, &["SET"])
        && !begins(tokens, &["SET", "LOCAL"])
        && !begins(tokens, &["SET", "TRANSACTION"])
        && !begins(tokens, &["SET", "CONSTRAINTS"]);
    let is_config = begins(tokens, &["SELECT"]) && parsed.has("set_config") && parsed.has("false");
    let message = "the setting holds for the files after this one too; say SET LOCAL";
    (is_set || is_config).then(|| (Rule::SessionSetting, message.to_owned()))
}

/// A label that is added, and used later in the same transaction.
fn new_label(context: &Context<'_>, index: usize) -> Option<Said> {
    if !context.is_transaction {
        return None;
    }
    let added = context.statements[..index].iter().filter_map(|seen| match seen.parsed.kind {
        Kind::AddLabel { label } => Some(label),
        _ => None,
    });
    let tokens = &context.statements[index].parsed.tokens;
    let is_label = matches!(context.statements[index].parsed.kind, Kind::AddLabel { .. });
    let used = added.filter(|_| !is_label).find(|label| {
        tokens.iter().any(|token| token.kind == TokenKind::Text && token.text == *label)
    });
    let message = |label| {
        format!(
            "PostgreSQL refuses to use the label {label} in the transaction that added it; use it \
             in a later file"
        )
    };
    used.map(|label| (Rule::NewLabelUsed, message(label)))
}
