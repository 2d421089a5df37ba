//! One form for expressions and types that mean the same.
//!
//! SQLite keeps what was typed. Invariant: two texts have one form here only if SQLite takes them
//! for the same; the form has the same tokens as the text, up to the case of words, the quotes of
//! columns and parentheses around all of it.

use larder_model::{Dialect, SqlToken, SqlTokenKind, is_sqlite_keyword, sql_tokens};

/// The form of an expression over these columns.
pub(super) fn expression(tokens: &[SqlToken<'_>], columns: &[String]) -> String {
    let tokens = without_parentheses(tokens);
    let words: Vec<_> = tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            let is_call = tokens.get(at + 1).is_some_and(|next| next.is("("));
            word(token, is_call, columns)
        })
        .collect();
    let mut text = String::new();
    let mut before: Option<(&SqlToken<'_>, bool)> = None;
    for (token, word) in tokens.iter().zip(&words) {
        // A sign belongs to what follows unless an operand stands before it.
        let is_sign = matches!(token.text, "+" | "-" | "~")
            && before.is_none_or(|(before, _)| !is_operand(before));
        if before.is_some_and(|(before, was_sign)| has_gap(before, was_sign, token)) {
            text.push(' ');
        }
        text.push_str(word);
        before = Some((token, is_sign));
    }
    text
}

/// The form of a default; `None` for NULL, which is none.
pub(super) fn default(sql: &str) -> Option<String> {
    let tokens = sql_tokens(Dialect::Sqlite, sql);
    let tokens = without_parentheses(&tokens);
    if let [single] = tokens
        && single.kind == SqlTokenKind::Word
    {
        const WORDS: [&str; 5] =
            ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "FALSE", "TRUE"];
        if single.is("NULL") {
            return None;
        }
        // Any other word is a text, in which the case of letters counts.
        let known = WORDS.into_iter().find(|word| single.is(word));
        return Some(known.unwrap_or(single.text).to_owned());
    }
    Some(expression(tokens, &[]))
}

/// The form of a declared type.
pub(super) fn type_name(sql: &str) -> String {
    let tokens = sql_tokens(Dialect::Sqlite, sql);
    let mut text = String::new();
    let mut before: Option<&SqlToken<'_>> = None;
    for token in &tokens {
        let is_tight = |token: &SqlToken<'_>| matches!(token.text, "(" | ")" | "," | "+" | "-");
        if before.is_some_and(|before| !is_tight(before) && !is_tight(token)) {
            text.push(' ');
        }
        match token.kind {
            SqlTokenKind::Word => text.push_str(&token.text.to_ascii_uppercase()),
            _ => text.push_str(token.text),
        }
        before = Some(token);
    }
    text
}

/// Takes off parentheses around the whole.
fn without_parentheses<'a, 'b>(mut tokens: &'a [SqlToken<'b>]) -> &'a [SqlToken<'b>] {
    while let [first, inner @ .., last] = tokens
        && first.is("(")
        && last.is(")")
        && !inner.is_empty()
        && is_balanced(inner)
    {
        tokens = inner;
    }
    tokens
}

fn is_balanced(tokens: &[SqlToken<'_>]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            }
        }
    }
    depth == 0
}

fn word(token: &SqlToken<'_>, is_call: bool, columns: &[String]) -> String {
    let column = |name: &str| columns.iter().find(|column| column.eq_ignore_ascii_case(name));
    match token.kind {
        SqlTokenKind::Quoted => match token.name().and_then(|name| column(&name).cloned()) {
            Some(name) => Dialect::Sqlite.quoted_if_needed(&name),
            None => token.text.to_owned(),
        },
        SqlTokenKind::Word if is_sqlite_keyword(token.text) => token.text.to_ascii_uppercase(),
        SqlTokenKind::Word if is_call => token.text.to_ascii_lowercase(),
        SqlTokenKind::Word => match column(token.text) {
            Some(name) => name.clone(),
            None if token.is("TRUE") || token.is("FALSE") => token.text.to_ascii_uppercase(),
            None => token.text.to_owned(),
        },
        SqlTokenKind::Text if token.text.starts_with(['x', 'X']) => token.text.to_ascii_uppercase(),
        _ => token.text.to_owned(),
    }
}

fn is_operand(token: &SqlToken<'_>) -> bool {
    match token.kind {
        SqlTokenKind::Number | SqlTokenKind::Quoted | SqlTokenKind::Text => true,
        SqlTokenKind::Symbol => token.is(")"),
        SqlTokenKind::Word => {
            !is_sqlite_keyword(token.text)
                || ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "END", "NULL"]
                    .iter()
                    .any(|word| token.is(word))
        }
    }
}

fn has_gap(before: &SqlToken<'_>, was_sign: bool, token: &SqlToken<'_>) -> bool {
    let is_symbol = |token: &SqlToken<'_>| token.kind == SqlTokenKind::Symbol;
    if before.is("(") || token.is(")") || token.is(",") {
        return false;
    }
    if before.is(".") || token.is(".") {
        // A number would take the point for its own.
        return [before, token].iter().any(|token| token.kind == SqlTokenKind::Number);
    }
    if was_sign {
        // Two minus signs would begin a comment.
        return is_symbol(token) && !token.is("(");
    }
    if token.is("(") {
        let is_name = matches!(before.kind, SqlTokenKind::Quoted | SqlTokenKind::Word);
        return !is_name || is_sqlite_keyword(before.text);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(sql: &str) -> String {
        let columns = ["Amount", "order", "a b", "key"].map(str::to_owned);
        expression(&sql_tokens(Dialect::Sqlite, sql), &columns)
    }

    #[test]
    fn expressions_that_mean_the_same_have_one_form() {
        for (sql, expected) in [
            ("((\"amount\">0))", "Amount > 0"),
            ("AMOUNT  >\n0 -- positive", "Amount > 0"),
            ("[order] in('a','b')", "\"order\" IN ('a', 'b')"),
            ("(amount) between 1 and(2)", "(Amount) BETWEEN 1 AND (2)"),
            ("LENGTH ( `a b` )<= -1", "length(\"a b\") <= -1"),
            ("amount- -1 + - - 2", "Amount - -1 + - -2"),
            ("cast(amount as Text)||x'ab'", "CAST (Amount AS Text) || X'AB'"),
            ("\"other\" is not null", "\"other\" IS NOT NULL"),
            ("true and \"key\"->>'$.A'", "TRUE AND \"key\" ->> '$.A'"),
            ("(a)and(b)", "(a) AND (b)"),
            ("t.amount", "t.Amount"),
        ] {
            assert_eq!(form(sql), expected, "{sql}");
            assert_eq!(form(expected), expected);
        }
    }

    #[test]
    fn a_text_is_no_keyword() {
        for (sql, expected) in [
            ("'CURRENT_TIMESTAMP'", Some("'CURRENT_TIMESTAMP'")),
            ("current_timestamp", Some("CURRENT_TIMESTAMP")),
            ("datetime( 'now' )", Some("datetime('now')")),
            ("'it''s'", Some("'it''s'")),
            ("null", None),
            ("(1)", Some("1")),
            ("- 1.50", Some("-1.50")),
            ("'0'", Some("'0'")),
            ("Key", Some("Key")),
            ("\"Key\"", Some("\"Key\"")),
            ("x'00ff'", Some("X'00FF'")),
        ] {
            assert_eq!(default(sql).as_deref(), expected, "{sql}");
        }
    }

    #[test]
    fn types_differ_in_more_than_case_and_blanks() {
        assert_eq!(type_name("varchar ( 20 )"), "VARCHAR(20)");
        assert_eq!(type_name("Double  precision"), "DOUBLE PRECISION");
        assert_eq!(type_name("decimal(10, 2)"), "DECIMAL(10,2)");
        assert_eq!(type_name(""), "");
    }

    proptest! {
        #[test]
        fn the_form_has_the_same_tokens(sql in "([-+~(),.<>=|a10]|'x'|\"key\"|IN| ){0,12}") {
            let tokens = |sql: &str| {
                let tokens = sql_tokens(Dialect::Sqlite, sql);
                let inner = without_parentheses(&tokens);
                inner.iter().map(|token| token.text.to_ascii_lowercase()).collect::<Vec<_>>()
            };
            let form = form(&sql);
            prop_assert_eq!(tokens(&sql), tokens(&form), "{}", form);
        }
    }
}
