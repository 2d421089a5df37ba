//! The guard against a misreading parser.
//!
//! A parser for many dialects takes many keywords for names. `UPDATE LOW_PRIORITY airline SET …`
//! then writes a table called `LOW_PRIORITY` under the alias `airline`, and
//! `SELECT SQL_CACHE * FROM airline` multiplies two columns and reads no table at all. Invariant:
//! a statement in which such a word became a name is refused, so no table hides behind one.

use std::collections::HashSet;

use sqlparser::{
    ast::Ident,
    tokenizer::{Location, Token, TokenWithSpan},
};

use crate::Dialect;

/// Words that bring in a table or a write, or that a table or a write follows.
const EVERYWHERE: &[&str] = &[
    "DELETE",
    "EXCEPT",
    "FOR",
    "FROM",
    "INSERT",
    "INTERSECT",
    "INTO",
    "JOIN",
    "ON",
    "SELECT",
    "SET",
    "TABLE",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHERE",
    "WITH",
];

const MYSQL: &[&str] = &[
    "DELAYED",
    "HIGH_PRIORITY",
    "IGNORE",
    "LATERAL",
    "LOCK",
    "LOW_PRIORITY",
    "PARTITION",
    "PROCEDURE",
    "QUICK",
    "REPLACE",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_CACHE",
    "SQL_CALC_FOUND_ROWS",
    "SQL_NO_CACHE",
    "SQL_SMALL_RESULT",
    "STRAIGHT_JOIN",
];

const POSTGRESQL: &[&str] = &["LATERAL", "ONLY", "RETURNING", "TABLESAMPLE"];

const SQLITE: &[&str] = &["INDEXED", "RETURNING"];

/// The keyword that this name is, unless it stands where any word may be a name.
pub(crate) fn misread(ident: &Ident, free: &HashSet<Location>, dialect: Dialect) -> Option<String> {
    if ident.quote_style.is_some() || free.contains(&ident.span.start) {
        return None;
    }
    let word = ident.value.to_ascii_uppercase();
    let special = match dialect {
        Dialect::MariaDb | Dialect::MySql => MYSQL,
        Dialect::PostgreSql => POSTGRESQL,
        Dialect::Sqlite => SQLITE,
    };
    let known = [EVERYWHERE, special].iter().any(|words| words.contains(&word.as_str()));
    known.then_some(word)
}

/// Where any word may be a name: after a period (`o.values`) and before a parenthesis, where it
/// is a function that has to be on a list anyway.
pub(crate) fn free_places(tokens: &[TokenWithSpan]) -> HashSet<Location> {
    let significant: Vec<_> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut places = HashSet::new();
    for pair in significant.windows(2) {
        let [left, right] = pair else { continue };
        if left.token == Token::Period {
            places.insert(right.span.start);
        }
        if right.token == Token::LParen {
            places.insert(left.span.start);
        }
    }
    places
}
